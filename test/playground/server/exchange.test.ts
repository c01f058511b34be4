import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { APP, type App, createApp } from '../../../src/app.ts';
import type { FlowJson } from '../../../src/flows/flow-json.ts';
import type {
  AppReport,
  ExchangeReport,
  PublicKeyReport,
  StageTime,
  TokenReport,
  TokenSignatureReport,
} from '../../../src/playground/api.ts';
import { exchange } from '../../../src/playground/exchange.ts';
import { MAX_ANSWER_BYTES, post } from '../../../src/playground/post.ts';
import { MAX_MESSAGE_CHARS, RequestRecords } from '../../../src/playground/request-records.ts';
import { sealRequest } from '../../../src/testing/wire.ts';
import { issueIntermediate, issueLeaf, issueRoot, writePair } from '../../support/certificates.ts';
import { temporaryDirectory } from '../../support/command.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { httpServers } from '../../support/http-servers.ts';
import { makeKeyPair } from '../../support/keys.ts';
import { init, TestPlayground } from './support/playground.ts';

const json: FlowJson = {
  version: '7.3',
  data_api_version: '4.0',
  routing_model: { A: ['B'], B: [] },
  screens: [
    { id: 'A', data: { hint: { type: 'string', __example__: 'x' } } },
    { id: 'B', data: {} },
  ],
};
const submit = (screen: string, data = {}) => ({ ...init(), action: 'data_exchange', screen, data });
/** Resolves when `count` have come. */
function meeting(count: number): () => Promise<void> {
  let open = () => {};
  let missing = count;
  const all = new Promise<void>((resolve) => {
    open = resolve;
  });
  return () => {
    missing -= 1;
    if (missing === 0) open();
    return all;
  };
}
const aMoment = () => new Promise((resolve) => setImmediate(resolve));
const names = ({ stages }: ExchangeReport) => stages.map(({ stage }) => stage);

/** One after the other, within the time that all took. */
function expectOrdered({ stages, tookMs }: ExchangeReport): void {
  let endMs = 0;
  for (const { startMs, durationMs } of stages) {
    expect(durationMs).toBeGreaterThanOrEqual(0);
    expect(startMs).toBeGreaterThanOrEqual(endMs);
    endMs = startMs + durationMs;
  }
  expect(endMs).toBeLessThanOrEqual(tookMs);
}

const lengthOf = (stages: readonly StageTime[], wanted: string) =>
  stages.filter(({ stage }) => stage === wanted).reduce((sum, { durationMs }) => sum + durationMs, 0);

function demo(): App {
  const app = createApp();
  app
    .flow('demo', { json })
    .init((c) => c.screen('A', { hint: 'first' }))
    .on('A', (c) => c.screen('B', {}))
    .on('B', (c) => c.complete({ done: true }));
  return app;
}

describe.each(httpServers)('an exchange with %s', (HTTP_SERVER) => {
  const settings = { HTTP_SERVER };

  test('brings the answer, its sizes, and where the time went', async () => {
    await using playground = await TestPlayground.start(demo(), settings);
    const { report, answer } = await playground.exchange('demo', init());
    expect(answer).toEqual({ screen: 'A', data: { hint: 'first' } });
    expect(report).toMatchObject({ status: 200, contentType: 'text/plain', outcome: 'ok' });
    expect(report.responseBytes).toBe(Buffer.byteLength(report.body));
    expect(report.requestBytes).toBeGreaterThan(400);
    expect(names(report)).toEqual(['queue', 'rsa', 'handler', 'guard', 'seal']);
    expectOrdered(report);
    expect(lengthOf(report.stages, 'rsa')).toBeGreaterThan(0);
  });

  test('sends the envelope as it is, and tells that it is none', async () => {
    await using playground = await TestPlayground.start(demo(), settings);
    const report = await playground.post<ExchangeReport>('exchange/demo', '{"a":\n1}');
    expect(report).toMatchObject({ status: 400, body: '', requestBytes: 8, outcome: 'envelope_malformed', stages: [] });
  });

  test('with a key that the server does not hold is answered 421, after the time of RSA', async () => {
    await using playground = await TestPlayground.start(demo(), settings);
    const { report } = await playground.exchange('demo', init(), { isRetired: true });
    expect(report).toMatchObject({ status: 421, body: '', outcome: 'decryption_failed' });
    expect(names(report)).toEqual(['queue', 'rsa']);
    const { report: second } = await playground.exchange('demo', init());
    expect(second.status).toBe(200);
  });

  test('with a token that was minted, used and minted again is answered 200, 427 and 200', async () => {
    const app = createApp();
    app.flow('demo', { tokens: 'required' }).init((c) => c.complete({ user: c.user ?? '' }));
    await using playground = await TestPlayground.start(app, settings);
    const mint = async () =>
      (await playground.post<TokenReport>('token', { flow: 'demo', user: 'ada', singleUse: true })).token;
    const token = await mint();
    expect((await playground.exchange('demo', init(token))).report.status).toBe(200);
    const dead = await playground.exchange('demo', { ...init(token), version: '4.0', data: { again: true } });
    expect(dead.report).toMatchObject({ status: 427, outcome: 'expired' });
    expect(dead.answer).toEqual({ error_msg: 'This form is no longer available.' });
    expect((await playground.exchange('demo', init(await mint()))).report.status).toBe(200);
    expect((await playground.exchange('demo', init('demo:no-token-of-this-server-was-ever'))).report.status).toBe(427);
  });

  test('tells what a handler threw, and shows no user', async () => {
    const app = createApp();
    app.flow('demo').init(() => {
      throw new Error(`no database ${'x'.repeat(3_000)}`);
    });
    await using playground = await TestPlayground.start(app, settings);
    const { report } = await playground.exchange('demo', init());
    expect(report).toMatchObject({ status: 500, body: '', outcome: 'handler_failed' });
    expect(report.thrown).toMatch(/^no database x+$/);
    expect(report.thrown).toHaveLength(MAX_MESSAGE_CHARS);
    expect(names(report)).toEqual(['queue', 'rsa', 'handler']);
  });

  test('tells which answer does not fit the Flow JSON, and why', async () => {
    const app = createApp();
    app.flow('demo', { json }).init((c) => c.screen('A', { hint: 7, more: true }));
    await using playground = await TestPlayground.start(app, settings);
    const { report } = await playground.exchange('demo', init());
    expect(report).toMatchObject({ status: 500, outcome: 'reply_invalid' });
    expect(report.thrown).toBeUndefined();
    expect(report.refusal?.answer).toEqual({ screen: 'A', data: { hint: 7, more: true } });
    expect(report.refusal?.violations).toContainEqual({
      screen: 'A',
      key: 'hint',
      rule: 'type',
      message: expect.any(String),
    });
    expect(names(report)).toEqual(['queue', 'rsa', 'handler', 'guard']);
    expectOrdered(report);
  });
});

test('an answer that is sent though it is wrong is told of, too', async () => {
  const app = createApp();
  app.flow('demo', { json }).init((c) => c.screen('A', { hint: 7 }));
  await using playground = await TestPlayground.start(app, { REPLY_GUARD: 'report' });
  const { report, answer } = await playground.exchange('demo', init());
  expect(report).toMatchObject({ status: 200, outcome: 'ok' });
  expect(report.refusal?.answer).toEqual(answer);
});

test('a fallback is a stage of its own, told with what the handler threw', async () => {
  const app = createApp();
  app
    .flow('demo')
    .init(() => Promise.reject(new Error('no database')))
    .fallback((c) => c.screen('A', { why: c.failure }));
  await using playground = await TestPlayground.start(app);
  const { report, answer } = await playground.exchange('demo', init());
  expect(answer).toEqual({ screen: 'A', data: { why: 'failed' } });
  expect(report).toMatchObject({ status: 200, outcome: 'ok', thrown: 'no database' });
  expect(names(report)).toEqual(['queue', 'rsa', 'handler', 'fallback', 'guard', 'seal']);
  expectOrdered(report);
});

test('a handler that passes its deadline ends there, whatever it does later', async () => {
  const app = createApp();
  const both = meeting(2);
  app
    .flow('demo', { json })
    .init(async (c) => {
      await both();
      return c.screen('A', { hint: 'late' });
    })
    .fallback(async (c) => {
      await both();
      for (let i = 0; i < 5; i++) await aMoment(); // the late answer is guarded now
      return c.screen('A', { hint: 'in time' });
    });
  await using playground = await TestPlayground.start(app, { FLOW_DEADLINE_MS: 100 });
  const { report, answer } = await playground.exchange('demo', init());
  expect(answer).toEqual({ screen: 'A', data: { hint: 'in time' } });
  expect(report.thrown).toBe('the handler passed its deadline');
  expect(names(report)).toEqual(['queue', 'rsa', 'handler', 'fallback', 'guard', 'seal']);
  expectOrdered(report);
});

test('a screen without a handler is told with the call that adds one', async () => {
  const app = createApp();
  app.flow('demo').init((c) => c.screen('A', {}));
  await using playground = await TestPlayground.start(app);
  const { report } = await playground.exchange('demo', submit('B'));
  expect(report).toMatchObject({ status: 500, outcome: 'handler_missing' });
  expect(report.thrown).toContain("add .on('B', handler)");
});

test('many at once are told apart', async () => {
  const app = createApp();
  const everybody = meeting(20);
  app.flow('demo').on('A', async (c) => {
    const { n } = c.data as { n: number };
    await everybody();
    if (n % 2 === 1) throw new Error(`odd ${n}`);
    return c.screen('A', { n });
  });
  await using playground = await TestPlayground.start(app);
  const all = await Promise.all(Array.from({ length: 20 }, (_, n) => playground.exchange('demo', submit('A', { n }))));
  for (const [n, { report, answer }] of all.entries()) {
    if (n % 2 === 1) expect(report).toMatchObject({ status: 500, thrown: `odd ${n}` });
    else expect(answer).toEqual({ screen: 'A', data: { n } });
    expectOrdered(report);
  }
});

test('an answer of 1 MB comes through', async () => {
  const app = createApp();
  const text = 'ä'.repeat(500_000);
  app.flow('demo', { guard: 'off' }).init((c) => c.screen('A', { text }));
  await using playground = await TestPlayground.start(app, { REPLY_GUARD: 'off' });
  const { report, answer } = await playground.exchange('demo', init());
  expect(report.status).toBe(200);
  expect(report.responseBytes).toBeGreaterThan(1_333_333);
  expect(answer).toEqual({ screen: 'A', data: { text } });
});

test('a Flow with credentials of its own is signed with them, and its tokens are its own', async () => {
  const keys = makeKeyPair();
  const app = createApp();
  app
    .flow('demo', { appSecret: 'another secret', keys: keys.privateKey, tenant: 'acme', tokens: 'required' })
    .init((c) => c.screen('A', { tenant: c.tenant ?? '' }));
  await using playground = await TestPlayground.start(app);
  const { pem } = await playground.get<{ pem: string }>('public-key?flow=demo');
  expect(pem).toBe(keys.publicKey);
  const { token } = await playground.post<TokenReport>('token', { flow: 'demo', user: 'ada' });
  expect(token).toMatch(/^demo@acme:/);
  const sealed = await sealRequest(init(token), { publicKeyPem: pem, appSecret: 'none' });
  const report = await playground.post<ExchangeReport>('exchange/demo', sealed.body);
  expect(report.status).toBe(200);
  expect(JSON.parse(await sealed.openReply(report.body))).toEqual({ screen: 'A', data: { tenant: 'acme' } });
});

test('a token is signed as Meta signs it', async () => {
  const app = createApp();
  app.flow('demo', { tokenSignature: 'required' }).init((c) => c.screen('A', {}));
  await using playground = await TestPlayground.start(app);
  const { signature } = await playground.post<TokenSignatureReport>('token-signature', { token: 'mine' });
  const signed = { ...init('mine'), version: '4.0', flow_token_signature: signature };
  expect((await playground.exchange('demo', signed)).report.status).toBe(200);
  expect((await playground.exchange('demo', { ...signed, flow_token: 'yours' })).report.status).toBe(427);
  expect((await playground.exchange('demo', init('mine'))).report.status).toBe(427);
});

test('a service under TLS is reached as well', async () => {
  const intermediate = issueIntermediate('intermediate', issueRoot('authority'));
  const leaf = issueLeaf('flows.example.com', intermediate, { names: 'DNS:flows.example.com' });
  const { certFile, keyFile } = writePair([leaf, intermediate], leaf);
  await using playground = await TestPlayground.start(demo(), { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile });
  expect((await playground.get<AppReport>('app')).publicUrl).toMatch(/^https:/);
  const { report } = await playground.exchange('demo', init());
  expect(report.status).toBe(200);
  expectOrdered(report);
});

test('a key file that is replaced is the key of the page, too; one that is broken is not', async () => {
  const [first, second] = [makeKeyPair(), makeKeyPair()];
  const file = join(temporaryDirectory(), 'private.pem');
  writeFileSync(file, first.privateKey);
  await using playground = await TestPlayground.start(demo(), { PRIVATE_KEY_FILE: file });
  const pem = async () => (await playground.get<PublicKeyReport>('public-key')).pem;
  expect(await pem()).toBe(first.publicKey);
  writeFileSync(file, 'nonsense');
  expect(await pem()).toBe(first.publicKey);
  expect((await playground.exchange('demo', init())).report.status).toBe(200);
  writeFileSync(file, second.privateKey);
  expect(await pem()).toBe(second.publicKey);
  await eventually(async () => expect((await playground.exchange('demo', init())).report.status).toBe(200));
});

test('an endpoint that is gone is told as status 0', async () => {
  const record = { sign: async () => 'sha256=' };
  const publicUrl = `http://127.0.0.1:${await freePort()}`;
  const deps = { publicUrl, credentials: record, records: new RequestRecords() };
  const [flow] = demo()[APP].flows.values();
  if (!flow) throw new Error('no flow');
  expect(await exchange(flow, '{}', deps)).toMatchObject({ status: 0, body: '', contentType: null, stages: [] });
  expect(deps.records.size).toBe(0);
});

test('an answer that ends early, or never ends, is none', async () => {
  const server = createServer((request, response) => {
    if (request.url === '/cut')
      response.writeHead(200, { 'Content-Length': 10 }).write('half', () => response.destroy());
    else for (let sent = 0; sent <= MAX_ANSWER_BYTES; sent += 65_536) response.write(Buffer.alloc(65_536));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(await post(`${url}/cut`, '{}', {})).toMatchObject({ status: 0, body: '' });
  expect(await post(`${url}/endless`, '{}', {})).toMatchObject({ status: 0, body: '' });
  server.closeAllConnections();
  server.close();
});
