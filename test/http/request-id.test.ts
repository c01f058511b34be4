import { describe, expect, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import { requestIdOf } from '../../src/http/request-id.ts';
import { sealRequest } from '../../src/testing/wire.ts';
import { httpServers } from '../support/http-servers.ts';
import { keyPair, makeKeyPair } from '../support/keys.ts';
import { recordingLog } from '../support/log.ts';
import { APP_SECRET, post, seal, startTestService } from '../support/service.ts';

const from = (id?: string) => ({ header: (name: string) => (name === 'x-request-id' ? id : undefined) });

test.each(['a', '7f9c', 'req_1.2:3-4', 'x'.repeat(64)])('a request keeps the id that came with it: %s', (id) => {
  expect(requestIdOf(from(id))).toBe(id);
});

test.each([undefined, '', 'x'.repeat(65), 'two, ids', 'a\nb', '{"a":1}', 'ä', 'a b', '<b>', "a'b"])(
  'a request gets an id of ours where none came that a log can take: %j',
  (id) => {
    expect(requestIdOf(from(id))).toMatch(/^[0-9a-f]{8}-[0-9a-z]+$/);
  },
);

test('an id stays with its request, and is no other one’s', () => {
  const [one, other] = [from(), from()];
  const id = requestIdOf(one);
  expect(requestIdOf(other)).not.toBe(id);
  expect(requestIdOf(one)).toBe(id);
});

test('a request about which nothing is logged is not asked for its id', async () => {
  const { log, lines } = recordingLog();
  const app = createApp();
  app.flow('demo').init((c) => c.screen('A'));
  await using service = await startTestService(app, {}, log);
  const ids = async () => {
    const { body } = await seal({ action: 'nonsense' });
    await post(`${service.url}/flows/demo`, body);
    return Number.parseInt(String(lines.at(-1)?.['requestId']).split('-')[1] ?? '', 36);
  };
  const before = await ids();
  for (let i = 0; i < 10; i++) await post(`${service.url}/flows/demo`, (await seal({ action: 'INIT' })).body);
  expect(await ids()).toBe(before + 1);
});

describe.each(httpServers)('on %s', (HTTP_SERVER) => {
  test('every line about a request carries its id, whatever goes wrong with it', async () => {
    const { log, lines } = recordingLog();
    const app = createApp();
    app
      .flow('demo')
      .on('THROW', () => {
        throw new Error('no');
      })
      .on('OWN', (c) => {
        c.log.info('a line of the app');
        return c.screen('A');
      })
      .on('SLOW', async (c) => {
        await new Promise((resolve) => setTimeout(resolve, 510));
        return c.screen('A');
      })
      .on('LATE', () => new Promise(() => {}));
    await using service = await startTestService(app, { HTTP_SERVER, FLOW_DEADLINE_MS: 800 }, log);
    const other = makeKeyPair();
    lines.length = 0;
    const send = async (id: string, body: string, headers: Record<string, string> = {}) => {
      const { signature = '' } = await sealRequest({}, { publicKeyPem: keyPair.publicKey, appSecret: APP_SECRET });
      return post(`${service.url}/flows/demo`, body, {
        'X-Request-Id': id,
        'X-Hub-Signature-256': signature,
        ...headers,
      });
    };
    const signed = async (id: string, sealed: { body: string; signature: string }) =>
      send(id, sealed.body, { 'X-Hub-Signature-256': sealed.signature });
    const submit = (screen: string) => seal({ action: 'data_exchange', screen, data: {}, version: '3.0' });
    const otherKey = { publicKeyPem: other.publicKey, appSecret: APP_SECRET };
    await send('forged', '{}');
    await signed('wrong-key', await sealRequest({ action: 'ping' }, otherKey));
    await signed('no-action', await seal({ action: 'nonsense' }));
    await signed('notified', await seal({ action: 'INIT', data: { error: 'timeout_error' } }));
    for (const screen of ['THROW', 'OWN', 'SLOW', 'LATE', 'NOWHERE']) await signed(screen, await submit(screen));
    await fetch(`${service.url}/webhook`, { method: 'POST', body: '{}', headers: { 'X-Request-Id': 'hook' } });
    await fetch(`${service.url}/webhook?hub.mode=subscribe`, { headers: { 'X-Request-Id': 'handshake' } });
    const told = new Map(lines.map(({ requestId, code, msg }) => [requestId, code ?? msg])); // fetch sends again after a 421
    expect([...told]).toEqual([
      ['forged', 'SIGNATURE_INVALID'],
      ['wrong-key', 'DECRYPTION_FAILED'],
      ['no-action', 'PAYLOAD_MALFORMED'],
      ['notified', 'CLIENT_ERROR'],
      ['THROW', 'HANDLER_FAILED'],
      ['OWN', 'a line of the app'],
      ['SLOW', 'HANDLER_SLOW'],
      ['LATE', 'HANDLER_LATE'],
      ['NOWHERE', 'HANDLER_MISSING'],
      ['hook', 'WEBHOOK_SIGNATURE_INVALID'],
      ['handshake', 'VERIFY_TOKEN_INVALID'],
    ]);
  });
});
