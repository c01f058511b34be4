import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endpointChecks } from '../../src/doctor/endpoint-checks.ts';
import { createApp } from '../../src/index.ts';
import type { Service } from '../../src/service.ts';
import { type ContextOptions, findingsOf } from '../support/doctor.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { keyPair, makeKeyPair, toKeyRing } from '../support/keys.ts';
import { recordingLog } from '../support/log.ts';
import { closedUrl, startAnswering, startProxy, startServer } from '../support/proxy.ts';
import { Tally } from '../support/raw-http.ts';
import { APP_SECRET, startTestService, VERIFY_TOKEN } from '../support/service.ts';

const otherPair = makeKeyPair();
const [own, other] = [keyPair, otherPair].map((pair) => toKeyRing(pair)[0].fingerprint);
const env = { APP_SECRET, VERIFY_TOKEN, PRIVATE_KEY: keyPair.privateKey };
const PING = 'endpoint hello';
const { log, lines } = recordingLog();

let service: Service & AsyncDisposable;
beforeAll(async () => {
  const app = createApp();
  for (const name of ['hello', 'second']) {
    app.flow(name).init(() => {
      throw new Error('a ping asks no handler');
    });
  }
  service = await startTestService(app, {}, log);
});
afterAll(() => service[Symbol.asyncDispose]());

const look = (url: string, options: ContextOptions = {}) =>
  findingsOf(endpointChecks, { env, url, flowNames: ['hello'], ...options });

test('all is in order where the server is reached as it should be, under every Flow it has', async () => {
  await using proxy = await startProxy(service.url);
  const found = await look(proxy.url, { flowNames: ['hello', 'second'] });
  expect(found).toEqual({
    [PING]: expect.stringMatching(`^ok: a ping, encrypted for ${own} and signed, is answered in \\d+ ms$`),
    'endpoint second': expect.stringMatching('^ok: a ping'),
    'raw body': 'ok: escapes, spaces, numbers and characters beyond ASCII arrive as they were sent',
    'webhook handshake': `ok: ${proxy.url}/webhook echoes the challenge`,
  });
  const warnings = lines.filter(({ level, code }) => Number(level) > 30 && code !== 'UWS_UNAVAILABLE');
  expect(warnings).toEqual([]); // nor does the server find anything wrong
});

test('a path before /flows/ is part of the address', async () => {
  await using proxy = await startProxy(service.url, { path: (path) => path.replace('/whatsapp', '') });
  const found = await look(`${proxy.url}/whatsapp`);
  expect(Object.values(found)).toEqual(Array(3).fill(expect.stringMatching(/^ok: /)));
});

describe('what is missing is named', () => {
  test.each<[string, ContextOptions, Record<string, string>]>([
    [
      'nothing is given',
      { env: {}, url: undefined, flowNames: [] },
      {
        endpoint:
          'skipped: give --url, the address that Meta has; give the app, or a --url that ends in /flows/<name>; set APP_SECRET; needs a private key',
        'webhook handshake': 'skipped: give --url, the address that Meta has',
      },
    ],
    [
      'no secrets',
      { env: {} },
      {
        [PING]: 'skipped: set APP_SECRET; needs a private key',
        'raw body': 'skipped: set APP_SECRET; needs a private key',
        'webhook handshake': 'skipped: set VERIFY_TOKEN',
      },
    ],
  ])('%s', async (_, options, expected) => {
    expect(await look('http://127.0.0.1:1', options)).toEqual(expected);
  });
});

describe('432', () => {
  const NEEDS_PING = `skipped: needs "${PING}" to be in order`;

  test('is told to be the secret where it is another one', async () => {
    const found = await look(service.url, { env: { ...env, APP_SECRET: 'another' } });
    expect(found[PING]).toMatch(
      /^failed: 432, the server has another APP_SECRET than these settings, or the proxy drops X-Hub/,
    );
    expect(found['raw body']).toBe(NEEDS_PING);
    expect(JSON.stringify(found)).not.toContain('another"');
  });

  test('is told to be the secret or the header where the proxy drops that', async () => {
    await using proxy = await startProxy(service.url, { withoutHeader: 'x-hub-signature-256' });
    expect((await look(proxy.url))[PING]).toContain('or the proxy drops X-Hub-Signature-256');
  });

  test('is told to be the body where even a plain one is changed', async () => {
    const indent = (body: Buffer) =>
      JSON.stringify(JSON.parse(body.toString()), null, Array.isArray(JSON.parse(body.toString())) ? 0 : 2);
    await using proxy = await startProxy(service.url, { body: indent });
    expect((await look(proxy.url))[PING]).toMatch(
      /^failed: 432, the APP_SECRET is right, but the body is changed on its way/,
    );
  });

  test.each<[string, (body: string) => string | Buffer, string]>([
    [
      'parses and writes JSON anew',
      (body) => JSON.stringify(JSON.parse(body)),
      'spaces and line breaks, escapes, numbers',
    ],
    ['converts the charset', (body) => Buffer.from(body, 'latin1'), 'characters beyond ASCII'],
    [
      'escapes what is beyond ASCII',
      (body) => body.replaceAll(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`),
      'characters beyond ASCII',
    ],
    ['turns line breaks', (body) => body.replaceAll('\r\n', '\n'), 'spaces and line breaks'],
    ['undoes escapes', (body) => body.replaceAll('\\/', '/'), 'escapes'],
  ])('is told to be the unusual body alone, and why, where a proxy %s', async (_, rewrite, what) => {
    await using proxy = await startProxy(service.url, { body: (body) => rewrite(body.toString()) });
    const found = await look(proxy.url);
    expect(found[PING]).toMatch(/^ok/);
    expect(found['raw body']).toBe(
      `failed: 432 for unusual JSON alone, so it is rewritten on its way (${what}), and Meta's signatures will fail: let the proxy pass bodies on byte for byte (no JSON parser, no charset conversion)`,
    );
  });

  test('a firewall that refuses unusual JSON is told apart', async () => {
    await using firewall = await startServer(async (incoming, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks);
      if (body.includes('escapes')) return response.writeHead(406).end('blocked');
      const { 'x-hub-signature-256': signature = '' } = incoming.headers;
      const answer = await fetch(service.url + incoming.url, {
        method: incoming.method ?? 'GET',
        headers: { 'X-Hub-Signature-256': String(signature) },
        ...(incoming.method === 'POST' && { body }),
      });
      return response.writeHead(answer.status).end(await answer.text());
    });
    const found = await look(firewall.url);
    expect(found['raw body']).toBe(
      'failed: 406 for a ping with unusual JSON, though a plain one is answered: let the proxy or firewall pass it',
    );
  });
});

describe('421', () => {
  test('tells which key the server does not hold', async () => {
    const found = await look(service.url, { env: { ...env, PRIVATE_KEY: otherPair.privateKey } });
    expect(found[PING]).toBe(
      `failed: 421, the server does not hold ${other}: give it the same PRIVATE_KEY_FILE or KEYS_DIR`,
    );
  });

  test('and which of ours it does hold', async () => {
    const both = `${otherPair.privateKey}${keyPair.privateKey}`;
    const found = await look(service.url, { env: { ...env, PRIVATE_KEY: both } });
    expect(found[PING]).toContain(`421, the server does not hold ${other}, but ${own}: give it`);
    const strangers = `${otherPair.privateKey}${makeKeyPair().privateKey}`;
    const none = await look(service.url, { env: { ...env, PRIVATE_KEY: strangers } });
    expect(none[PING]).toContain(`does not hold ${other}, nor any other key of these settings: give it`);
  });
});

test('a Flow that the server does not have, and a page that is not its own', async () => {
  expect((await look(service.url, { flowNames: ['nope'] }))['endpoint nope']).toBe(
    'failed: 404, the server has no such Flow: is it the one of this app, and does the proxy keep the path /flows/nope?',
  );
  await using page = await startAnswering(404, { body: '<h1>Not Found</h1>' });
  const found = await look(page.url);
  expect(found[PING]).toBe("failed: 404 with a page that is not Flowgate's: let the proxy pass /flows/hello on to it");
  expect(found['webhook handshake']).toContain('pass /webhook on to Flowgate');
});

test.each<[number, { headers?: Record<string, string>; body?: string }, string]>([
  [200, { body: 'hello' }, '200 without the sealed answer to the ping: something other than Flowgate answers at'],
  [400, {}, '400, the body is signed and no envelope any more'],
  [
    301,
    { headers: { location: 'https://a.example/flows/hello?secret' } },
    '301, a redirect to https://a.example/flows/hello, and Meta follows none',
  ],
  [308, {}, '308, a redirect to nowhere, and Meta follows none: give Meta the last address'],
  [401, {}, '401, refused before Flowgate: let the proxy or firewall at'],
  [403, {}, '403, refused before Flowgate'],
  [405, {}, 'pass on POST'],
  [413, {}, 'pass on bodies of up to 1 MB'],
  [503, { headers: { 'retry-after': '1' } }, '503, the server is beyond its capacity: try again'],
  [503, { body: 'no upstream' }, "reaches no server: start it, or mend the proxy's upstream"],
  [502, {}, '502: the proxy at'],
  [504, {}, '504: the proxy at'],
  [500, {}, 'answered 500: see the log of the server'],
])('an answer of %i has a sentence of its own: %j', async (status, answer, sentence) => {
  await using server = await startAnswering(status, answer);
  const found = await look(server.url);
  expect(found[PING]).toMatch(/^failed: /);
  expect(found[PING]).toContain(sentence);
  expect(found[PING]).not.toContain('secret');
});

test('an answer that is changed on its way back is told', async () => {
  await using proxy = await startProxy(service.url, { reply: (body) => JSON.stringify(body) });
  const found = await look(proxy.url);
  expect(found[PING]).toMatch(/200 without the sealed answer to the ping.*or changes answers$/);
  expect(found['webhook handshake']).toBe('failed: 200 with more than the bare challenge: answer it as plain text');
});

describe('the handshake tells', () => {
  const handshake = async (url: string, more = {}) => (await look(url, more))['webhook handshake'];

  test('another verify token, and a query that is lost', async () => {
    const sentence =
      'failed: 403, the server has another VERIFY_TOKEN than these settings, or the proxy drops the query';
    const found = await handshake(service.url, { env: { ...env, VERIFY_TOKEN: 'something else' } });
    expect(found).toContain(sentence);
    expect(found).not.toContain('something else');
    await using proxy = await startProxy(service.url, { path: (path) => path.replace(/\?.*/, '') });
    expect(await handshake(proxy.url)).toContain(sentence);
  });

  test('an answer that is none', async () => {
    await using page = await startAnswering(200, { body: 'welcome' });
    expect(await handshake(page.url)).toContain('200 without the challenge: let the proxy at');
    await using broken = await startAnswering(500);
    expect(await handshake(broken.url)).toContain('answered 500');
  });
});

describe('a server that cannot be reached has a sentence of its own', () => {
  const both = async (url: string, options: ContextOptions = {}) => {
    const found = await look(url, options);
    expect(found['webhook handshake']).toBe(found[PING]);
    return found[PING];
  };

  test('where nothing listens', async () => {
    const url = await closedUrl();
    expect(await both(url)).toBe(
      `failed: nothing listens at ${new URL(url).host}: start the server or its proxy, or mend --url`,
    );
  });

  test.each([
    ['ENOTFOUND', 'there is no host flows.example.com in the DNS: add its record, or mend --url'],
    ['EAI_AGAIN', 'the DNS does not answer for flows.example.com'],
    ['EHOSTUNREACH', 'no way leads to flows.example.com'],
    ['ENETUNREACH', 'no way leads to flows.example.com'],
    ['ETIMEDOUT', 'does not take connections: open its port in the firewall'],
    ['ECONNRESET', 'closes the connection without an answer'],
    ['EPIPE', 'closes the connection without an answer'],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'has no TLS that is in use today: switch on TLS 1.2 and 1.3'],
    [
      'CERT_HAS_EXPIRED',
      'TLS with flows.example.com fails, since its certificate is not trusted: see "public certificate"',
    ],
    ['EWHATEVER', 'flows.example.com cannot be reached (EWHATEVER): look at the proxy in front'],
  ])('%s', async (code, sentence) => {
    const send = () => Promise.reject(Object.assign(new AggregateError([{ code }]), code === 'EPIPE' && { code }));
    expect(await both('https://flows.example.com', { send })).toContain(sentence);
  });

  test('where it speaks no TLS, or no HTTP', async () => {
    await using server = await startAnswering(200);
    expect(await both(`https://127.0.0.1:${server.port}`)).toContain('does not speak TLS: give the port that does');
    const strange = createServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n'));
    await once(strange.listen(0, '127.0.0.1'), 'listening');
    const { port } = strange.address() as AddressInfo;
    expect(await both(`http://127.0.0.1:${port}`)).toContain('does not speak HTTP: is it the right port?');
    strange.close();
  });

  test('where it hangs', async () => {
    const asked = new Tally();
    await using server = await startServer(asked.add);
    const clock = new FakeClock();
    const looking = both(server.url, { clock });
    await asked.reached(2);
    clock.advance(10_000);
    expect(await looking).toBe(
      `failed: 127.0.0.1:${server.port} did not answer within 10 s, and Meta gives up then: look at the firewall, and at what the proxy waits for`,
    );
  });
});
