/**
 * Nothing that is secret, and nothing that a user wrote, reaches stdout, stderr or the metrics.
 *
 * Every secret and every field of a user holds the word CANARY. Whatever can go wrong is made to go wrong, with the log at
 * `trace`, and then the word is looked for in everything that came out.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  createPhone,
  flowAlert,
  message,
  nfmReply,
  statusUpdate,
  systemMessage,
  textMessage,
} from '../../src/testing/index.ts';
import { sealRequest, sign, signToken } from '../../src/testing/wire.ts';
import { type Outcome, RunningCommand, run, temporaryDirectory } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { type Behaviour, FakeCdn, sent, status } from '../support/fake-cdn.ts';
import { FakeGraph } from '../support/fake-graph.ts';
import { keyPair, makeKeyPair } from '../support/keys.ts';
import { hasRedisServer } from '../support/redis-available.ts';

const WORD = 'CANARY';
const APP = 'test/service/apps/canary.mjs';
const appSecret = `${WORD}-app-secret`;
const keyBody = keyPair.privateKey.split('\n')[3] ?? ''; // the first lines of every key are alike
const secrets = {
  APP_SECRET: appSecret,
  VERIFY_TOKEN: `${WORD}-verify-token`,
  PRIVATE_KEY: keyPair.privateKey,
  GRAPH_TOKEN: `${WORD}-graph-token`,
  PASSPHRASE: `${WORD}-passphrase`,
};
const user = { waId: `4915${WORD}`, userId: `DE.${WORD}`, name: `${WORD} Name`, username: `${WORD}.user` };
const options = { user };

function settings(more: Record<string, string> = {}): Record<string, string> {
  const own = { HOST: '127.0.0.1', PORT: '0', ADMIN_PORT: '0', WORKERS: '1', FLOW_DEADLINE_MS: '800' };
  return { ...own, ...secrets, LOG_LEVEL: 'trace', ...more };
}

function expectNoCanary(text: string): void {
  expect(text).not.toBe('');
  expect(text.split('\n').filter((line) => line.includes(WORD) || line.includes(keyBody))).toEqual([]);
}

/** What a failed command says, all of it. */
const saidBy = ({ code, stdout, stderr }: Outcome) => `exit ${code}\n${stdout}${stderr}`;

test('a service keeps its secrets and its users to itself, whatever goes wrong', async () => {
  await using graph = await FakeGraph.start(); // refuses our token, and quotes what it was sent
  const env = settings({ GRAPH_BASE_URL: graph.url, PHONE_NUMBER_ID: '106540352242922' });
  const command = new RunningCommand(['serve', APP], env);
  const [, port, adminPort] = await command.printed(/"port":(\d+),"adminPort":(\d+).*flowgate is listening/);
  const url = `http://127.0.0.1:${port}`;
  const seal = (payload: object | string, publicKeyPem = keyPair.publicKey) =>
    sealRequest(payload, { publicKeyPem, appSecret });
  const send = async (path: string, body: string, signature?: string) => {
    const headers = { 'X-Hub-Signature-256': signature ?? (await sign(body, appSecret)) };
    return (await fetch(url + path, { method: 'POST', body, headers })).status;
  };
  const ask = async (flow: string, payload: object | string, publicKeyPem?: string) => {
    const { body, signature } = await seal(payload, publicKeyPem);
    return send(`/flows/${flow}`, body, signature);
  };
  const token = `${WORD}-flow-token`;
  const data = { name: `${WORD} in the data`, [`${WORD}_key`]: [WORD] };
  const submit = (screen: string) => ({ version: '3.0', action: 'data_exchange', screen, data, flow_token: token });

  // What fails before it is decrypted, and what does not decrypt.
  expect(await send('/flows/canary', `${WORD} is no JSON`)).toBe(400);
  expect(await send('/flows/canary', `{"encrypted_aes_key":"${WORD}"}`)).toBe(400);
  expect(await send('/flows/canary', WORD, `sha256=${WORD}`)).toBe(432);
  expect(await send(`/flows/${WORD}`, WORD)).toBe(404);
  expect(await send('/flows/canary', `${WORD}${'x'.repeat(2 ** 20)}`).catch(() => 413)).toBe(413);
  expect(await ask('canary', submit('THROW'), makeKeyPair().publicKey)).toBe(421);
  expect(await ask('canary', `${WORD} is no JSON`)).toBe(500);
  expect(await ask('canary', { ...submit('THROW'), action: WORD })).toBe(500);
  expect(await ask('canary', submit(`${WORD} is no name of a screen`))).toBe(500);
  expect(await ask('canary', { ...submit('A'), data: { error: WORD, error_message: WORD } })).toBe(200);

  // What an app does wrong.
  for (const screen of ['THROW', 'THROW_TEXT', 'NOTHING', 'UNSENDABLE', 'LATE'])
    expect([screen, await ask('canary', submit(screen))]).toEqual([screen, 500]);
  for (const screen of ['LEFT_ALONE', 'SCHEMA', 'SLOW']) expect(await ask('canary', submit(screen))).toBe(200);
  expect(await ask('canary', submit('EXPIRE'))).toBe(427);
  expect(await ask('falling', submit('THROW'))).toBe(500);
  expect(await ask('dead', { ...submit('A'), action: 'INIT' })).toBe(427);

  // Webhooks of every kind.
  const handshake = `${url}/webhook?hub.mode=subscribe&hub.challenge=${WORD}&hub.verify_token=${WORD}`;
  expect((await fetch(handshake)).status).toBe(403);
  expect(await send('/webhook', WORD, `sha256=${WORD}`)).toBe(401);
  expect(await send('/webhook', `${WORD} is no JSON`)).toBe(200);
  expect(await send('/webhook', JSON.stringify({ entry: [{ id: WORD, changes: [{ field: WORD }] }] }))).toBe(200);
  const phone = createPhone({ url, publicKey: keyPair.publicKey, appSecret });
  const id = () => `wamid.${WORD}${Math.random()}`;
  await phone.deliver([
    ...['reply', 'defer', 'once', 'late', 'throw'].map((text) =>
      textMessage(`${text} ${WORD}`, { ...options, id: id(), replyTo: `wamid.${WORD}` }),
    ),
    message('image', { caption: WORD, id: WORD }, { ...options, id: id() }),
    message(WORD, { [WORD]: WORD }, { ...options, id: id() }),
    nfmReply({ token, params: { name: WORD } }, { ...options, id: id() }),
    nfmReply({ token: `canary:${token}`, params: { name: WORD } }, { ...options, id: id() }),
    systemMessage({ newWaId: WORD }, options),
    statusUpdate({ messageId: id(), status: 'read', user }),
    statusUpdate({ messageId: id(), status: 'failed', user, fields: { errors: [{ code: 1, title: WORD }] } }),
    flowAlert('ENDPOINT_LATENCY', { message: WORD, alert_state: WORD, p90_latency: 1, threshold: 1 }),
    flowAlert('FLOW_STATUS_CHANGE', { message: WORD, new_status: WORD }),
  ]);
  const admin = `http://127.0.0.1:${adminPort}`;
  const items = async (state: string) => (await fetch(`${admin}/inbox/items?state=${state}`)).json();
  await eventually(async () => {
    expect(await items('waiting')).toEqual([]);
    expect(await items('leased')).toEqual([]);
  });
  expect(JSON.stringify(await items('dead'))).toContain(WORD); // there it belongs: for the operator, not for the log
  expectNoCanary(await (await fetch(`${admin}/metrics`)).text());
  expectNoCanary(await (await fetch(`${admin}/readyz`)).text());
  expectNoCanary(await (await fetch(`${admin}/keys`)).text());
  command.process.kill('SIGTERM');
  const outcome = await command.ended;
  expect(outcome.code).toBe(0);
  for (const code of [
    'ENVELOPE_MALFORMED',
    'SIGNATURE_INVALID',
    'BODY_TOO_LARGE',
    'DECRYPTION_FAILED',
    'PAYLOAD_MALFORMED',
    'HANDLER_MISSING',
    'HANDLER_FAILED',
    'HANDLER_SLOW',
    'HANDLER_LATE',
    'CLIENT_ERROR',
    'REJECTION_UNHANDLED',
    'VERIFY_TOKEN_INVALID',
    'WEBHOOK_SIGNATURE_INVALID',
    'GRAPH_FAILED',
    'INPUT_INVALID',
  ])
    expect(outcome.stdout).toContain(`"code":"${code}"`); // it did go wrong
  expectNoCanary(saidBy(outcome));
});

test('nor do sessions, tokens, their users, files, cached values and tenants get out', async () => {
  await using graph = await FakeGraph.start(); // refuses our token, and quotes what it was sent
  await using cdn = await FakeCdn.start();
  const env = { GRAPH_BASE_URL: graph.url, PHONE_NUMBER_ID: '106540352242922', MEDIA_HOSTS: cdn.origin };
  const command = new RunningCommand(['serve', 'test/service/apps/canary-state.mjs'], settings(env));
  const [, port, adminPort] = await command.printed(/"port":(\d+),"adminPort":(\d+).*flowgate is listening/);
  const url = `http://127.0.0.1:${port}`;
  const token = `${WORD}-flow-token`;
  const phone = createPhone({ url, publicKey: keyPair.publicKey, appSecret }, { user });
  const ask = async (flow: string, screen: string, data: object, more: object = {}) => {
    const action = screen === 'INIT' ? { action: 'INIT' } : { action: 'data_exchange', screen, data };
    const { status, payload } = await phone.send({ version: '4.0', ...action, flow_token: token, ...more }, flow);
    return [status, payload?.['data']] as const;
  };
  const statusOf = async (...asked: Parameters<typeof ask>) => (await ask(...asked))[0];
  const name = `${WORD} in the data`;

  for (const mode of ['throw', 'refuse']) expect(await statusOf('state', 'SESSION', { name, mode })).toBe(500);
  for (const screen of ['SESSION_LARGE', 'SESSION_LOST', 'MINT_WRONG', 'CACHE', 'CACHE_KEY', 'ONCE'])
    expect([screen, await statusOf('state', screen, { name, user: name })]).toEqual([screen, 500]);
  expect(await statusOf('state', 'CACHE_LARGE', { name })).toBe(200);
  expect([await statusOf('state', 'ONCE_LARGE', { name }), await statusOf('state', 'ONCE_LARGE', { name })]).toEqual([
    200, 503,
  ]);
  expect(await statusOf('reported', 'A', { name })).toBe(200);
  expect(await statusOf('refused', 'A', { name })).toBe(500);

  // Tokens: those that live, those that are used, and those that somebody made up.
  const [, minted] = await ask('state', 'MINT', { user: name });
  const tokens = Object.values(minted as { token: string; once: string });
  const signed = async (flow_token: string, secret = appSecret) => {
    return { flow_token, flow_token_signature: await signToken(flow_token, secret) };
  };
  for (const each of tokens) expect(await statusOf('minted', 'INIT', {}, await signed(each))).toBe(500);
  const last = await signed(tokens[1] ?? '');
  expect(await statusOf('minted', 'DONE', { name }, last)).toBe(200);
  expect(await statusOf('minted', 'DONE', { name: WORD }, last)).toBe(427);
  expect(await statusOf('minted', 'INIT', {}, await signed(`minted:${WORD.padEnd(32, 'x')}`))).toBe(427);
  expect(await statusOf('minted', 'INIT', {}, await signed(token, WORD))).toBe(427);
  expect(await statusOf('minted', 'INIT', {}, { flow_token_signature: `${WORD}.${WORD}.${WORD}` })).toBe(427);

  // Files that are refused, missing, a web page, or no files.
  const page: Behaviour = (response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end(`<p>${WORD}</p>`);
  const picked = [() => page, () => status(404), (file: Buffer) => sent(file.fill(0))].map((how) =>
    cdn.pick(WORD, how),
  );
  const elsewhere = cdn.pick(WORD);
  const links = [`https://${WORD}.example/${WORD}`, `${cdn.origin}/${WORD}?oe=${WORD}`, WORD];
  for (const photo of [...picked, ...links.map((cdn_url) => ({ ...elsewhere, cdn_url })), WORD])
    expect(await statusOf('state', 'MEDIA', { photos: [photo] })).toBe(500);

  // Tenants whose credentials are wrong, or right and not ours to use.
  for (const [tenant, expected] of Object.entries({ throwing: 503, wrong: 503, spaced: 503, acme: 432, nobody: 404 })) {
    expect([tenant, await statusOf(`state/${tenant}`, 'SESSION', { name })]).toEqual([tenant, expected]);
    const handshake = `hub.mode=subscribe&hub.challenge=${WORD}&hub.verify_token=${WORD}`;
    const refused = tenant === 'acme' ? 403 : expected;
    expect((await fetch(`${url}/webhook/${tenant}?${handshake}`)).status).toBe(refused);
  }

  const id = () => `wamid.${WORD}${Math.random()}`;
  await phone.deliver([
    textMessage(`${WORD} invites`, { user, id: id() }),
    message('image', { caption: WORD, id: WORD, sha256: WORD, mime_type: WORD }, { user, id: id() }),
  ]);
  const tenant = { name: 'acme', publicKey: keyPair.publicKey, appSecret: `${WORD} secret of acme` };
  const ofAcme = createPhone({ url, publicKey: keyPair.publicKey, appSecret }, { user, tenant });
  await ofAcme.deliver([textMessage(`${WORD} asks acme`, { user, id: id() })]);
  const admin = `http://127.0.0.1:${adminPort}`;
  const dead = async () => (await fetch(`${admin}/inbox/items?state=dead`)).json() as Promise<{ error: string }[]>;
  await eventually(async () => expect(await dead()).toHaveLength(3));
  expect(JSON.stringify(await dead())).not.toContain('graph-token'); // not even where the operator looks
  const metrics = await (await fetch(`${admin}/metrics`)).text();
  command.process.kill('SIGTERM');
  const outcome = await command.ended;
  expect(outcome.code).toBe(0);
  for (const code of [
    'SESSION_INVALID',
    'SESSION_TOO_LARGE',
    'CACHE_VALUE_TOO_LARGE',
    'REPLY_FORGOTTEN',
    'REPLY_INVALID',
    'MEDIA_INVALID',
    'MEDIA_UNAVAILABLE',
    'TENANT_UNAVAILABLE',
    'VERIFY_TOKEN_INVALID',
    'GRAPH_FAILED',
  ])
    expect(outcome.stdout).toContain(`"code":"${code}"`); // it did go wrong
  const { encryption_key, hmac_key } = elsewhere['encryption_metadata'] as Record<string, string>;
  for (const said of [metrics, saidBy(outcome)]) {
    expectNoCanary(said);
    for (const secret of [...tokens, encryption_key, hmac_key, cdn.origin]) expect(said).not.toContain(secret);
  }
});

describe('a start that fails', () => {
  const pem = keyPair.privateKey;
  test.each<[string, Record<string, string>]>([
    ['secrets are given as each other’s files', { APP_SECRET: '', APP_SECRET_FILE: secrets.APP_SECRET }],
    ['a token is given as a file', { VERIFY_TOKEN: '', VERIFY_TOKEN_FILE: secrets.VERIFY_TOKEN }],
    ['a key is given as a file', { PRIVATE_KEY: '', PRIVATE_KEY_FILE: pem }],
    ['a key is given as a file on one line', { PRIVATE_KEY: '', PRIVATE_KEY_FILE: pem.replaceAll('\n', '\\n') }],
    ['a key is given as a directory', { PRIVATE_KEY: '', KEYS_DIR: pem }],
    ['a key is damaged', { PRIVATE_KEY: pem.replace(/.{10}$/m, WORD) }],
    ['a key is given twice', { KEYS_DIR: 'keys' }],
    ['a secret is given as a number', { PORT: secrets.APP_SECRET, WORKERS: secrets.GRAPH_TOKEN }],
    ['a secret is given as a choice', { LOG_LEVEL: secrets.APP_SECRET, HTTP_SERVER: secrets.VERIFY_TOKEN }],
    ['a TLS key is given as a file', { TLS_CERT_FILE: 'package.json', TLS_KEY_FILE: pem }],
    ['a certificate is given as a file', { TLS_CERT_FILE: pem, TLS_KEY_FILE: 'package.json' }],
    ['the URL of Redis is none', { REDIS_URL: `//:${WORD}@redis:6379` }],
    ['the URL of Redis cannot be parsed', { REDIS_URL: `redis://:${WORD}@redis:99999999` }],
    ['the URL of Redis cannot be decoded', { REDIS_URL: `redis://:${WORD}%zz@127.0.0.1:1` }],
    ['Redis is away', { REDIS_URL: `redis://user:${WORD}@127.0.0.1:1/0` }],
    ['the URL of the Graph API is none', { GRAPH_BASE_URL: `ftp://user:${WORD}@host` }],
    ['the number is none', { PHONE_NUMBER_ID: WORD }],
    ['the data cannot be kept', { DATA_DIR: '/dev/null/nowhere' }],
  ])('keeps the secrets when %s', async (_, more) => {
    const command = new RunningCommand(['serve', APP], settings(more));
    const timer = setTimeout(() => command.process.kill('SIGTERM'), 2_000); // a Redis that is away is waited for
    const outcome = await command.ended;
    clearTimeout(timer);
    expectNoCanary(saidBy(outcome));
  });

  test.runIf(hasRedisServer)('keeps the password when Redis refuses it', async () => {
    const { TestRedis } = await import('../support/redis.ts');
    await using redis = await TestRedis.start();
    const url = redis.url.replace('redis://', `redis://user:${WORD}@`);
    const command = new RunningCommand(['serve', APP], settings({ REDIS_URL: url }));
    const timer = setTimeout(() => command.process.kill('SIGTERM'), 3_000);
    const outcome = await command.ended;
    clearTimeout(timer);
    expectNoCanary(saidBy(outcome));
  });

  test('keeps what an error says that nobody caught', async () => {
    const file = join(temporaryDirectory(), 'app.mjs');
    const flowgate = new URL('../../dist/index.js', import.meta.url).href;
    const late = `setTimeout(() => { throw new Error('${WORD}'); }, 500)`;
    writeFileSync(file, `import { createApp } from '${flowgate}'; ${late}; export default createApp();`);
    const outcome = await new RunningCommand(['serve', file], settings()).ended;
    expect(outcome).toMatchObject({ code: 1, stderr: '' });
    expect(outcome.stdout).toContain('"code":"EXCEPTION_UNCAUGHT"');
    expectNoCanary(saidBy(outcome));
  });
});

test('commands that fail keep the secrets', async () => {
  await using graph = await FakeGraph.start();
  const env = settings({ GRAPH_BASE_URL: graph.url, PHONE_NUMBER_ID: '106540352242922', ADMIN_PORT: '1' });
  const publicKey = join(temporaryDirectory(), 'public.pem');
  writeFileSync(publicKey, keyPair.publicKey);
  const outcomes = await Promise.all([
    run(['keys', 'status'], env),
    run(['keys', 'upload', '--force'], env),
    run(['keys', 'upload'], { ...env, GRAPH_TOKEN: `${WORD}\nwith a line break` }),
    run(['keys', 'status'], { ...env, GRAPH_TOKEN: '', GRAPH_TOKEN_FILE: secrets.GRAPH_TOKEN }),
    run(['keys', 'rotate', '--out', temporaryDirectory()], env),
    run(['keys', 'status'], { ...env, REDIS_URL: `redis://:${WORD}@127.0.0.1:1` }),
    run(['keys', 'generate', '--out', '/dev/null/nowhere'], env),
    run(['inbox', 'stats'], { ...env, REDIS_URL: `redis://:${WORD}@127.0.0.1:1` }),
    run(['inbox', 'list', '--url', `http://user:${WORD}@127.0.0.1:1`], env),
    run(['phone', 'http://127.0.0.1:1/flows/demo', '--token', WORD, '--public-key', publicKey], env),
    run(['inbox', 'list', '--url', `user:${WORD}@127.0.0.1:1`], env),
    run(['serve', 'nowhere.js'], env),
  ]);
  for (const outcome of outcomes) {
    expect(outcome.code).not.toBe(0);
    expectNoCanary(saidBy(outcome));
  }
});
