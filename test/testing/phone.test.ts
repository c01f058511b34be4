import { afterAll, describe, expect, test } from 'vitest';
import { createApp } from '../../src/index.ts';
import { createPhone, type PhoneOptions } from '../../src/testing/index.ts';
import { sealRequest } from '../../src/testing/wire.ts';
import { keyPair, makeKeyPair } from '../support/keys.ts';
import { APP_SECRET, startTestService } from '../support/service.ts';

const app = createApp();
app
  .flow('demo')
  .init((c) => c.screen('A', { n: 1 }))
  .on('A', (c) => (c.data['bad'] ? c.error('Bad', { n: 2 }) : c.screen('B', { version: c.version ?? '' })))
  .back('B', (c) => c.screen('A', { n: 3 }))
  .on('B', (c) => (c.data['expired'] ? c.expire('Too late') : c.complete({ id: 7 })));

const service = await startTestService(app);
afterAll(() => service.close());

describe.each(['in memory', 'over HTTP'])('a phone %s', (where) => {
  const newPhone = (options: PhoneOptions = {}) =>
    where === 'in memory'
      ? createPhone(app, options)
      : createPhone({ url: service.url, publicKey: keyPair.publicKey, appSecret: APP_SECRET }, options);

  test('walks through a Flow: open, error, submit, back, complete', async () => {
    await using phone = newPhone({ version: '3.0' });
    expect(await phone.open('demo', { token: 'token-1' })).toMatchObject({ screen: 'A', data: { n: 1 } });
    expect(await phone.submit({ bad: true })).toMatchObject({ screen: 'A', data: { n: 2 }, errorMessage: 'Bad' });
    expect(await phone.submit()).toMatchObject({ screen: 'B', data: { version: '3.0' }, errorMessage: undefined });
    expect(await phone.back()).toMatchObject({ screen: 'A', data: { n: 3 } });
    await phone.submit();
    await phone.submit();
    expect(phone.completed).toEqual({ id: 7, flow_token: 'token-1' });
    expect(phone.screen).toBe('SUCCESS');
  });

  test('pings, and reports an error', async () => {
    await using phone = newPhone();
    expect(await phone.ping('demo')).toBe(true);
    await phone.open('demo');
    expect(await phone.reportError('payload-schema-error')).toBe(true);
  });

  test('shows the sentence of a 427, and the status of whatever else is not 200', async () => {
    await using phone = newPhone();
    await phone.open('demo');
    await phone.submit();
    await expect(phone.submit({ expired: true })).rejects.toMatchObject({ status: 427, userMessage: 'Too late' });
    await expect(phone.open('nowhere')).rejects.toMatchObject({
      name: 'PhoneError',
      status: 404,
      userMessage: undefined,
    });
  });
});

test('downloads the public key again after a 421 and sends once more', async () => {
  const keys = [makeKeyPair().publicKey, keyPair.publicKey];
  let downloads = 0;
  const publicKey = () => keys[downloads++] ?? 'no third time';
  const phone = createPhone({ url: service.url, publicKey, appSecret: APP_SECRET }, { retryDelayMs: 0 });
  expect(await phone.open('demo')).toMatchObject({ screen: 'A' });
  await phone.submit();
  expect(downloads).toBe(2);
});

test('gives up when the refreshed key does not fit either', async () => {
  const publicKey = makeKeyPair().publicKey;
  const phone = createPhone({ url: service.url, publicKey, appSecret: APP_SECRET }, { retryDelayMs: 0 });
  await expect(phone.open('demo')).rejects.toMatchObject({ status: 421 });
});

test('an app in memory never needs its real secrets', async () => {
  const real = createApp({ settings: { APP_SECRET: 'real', PRIVATE_KEY_FILE: '/nowhere/real.pem' } });
  real.flow('demo').init((c) => c.screen('A'));
  await using phone = createPhone(real);
  expect(await phone.open('demo')).toMatchObject({ screen: 'A' });
});

test('refuses a reply that is quoted, has a line break, or was sealed without inverting the IV', async () => {
  const keys = { publicKeyPem: keyPair.publicKey, appSecret: APP_SECRET };
  const sealed = await sealRequest({ action: 'ping' }, keys);
  const response = await fetch(`${service.url}/flows/demo`, {
    method: 'POST',
    headers: { 'X-Hub-Signature-256': sealed.signature },
    body: sealed.body,
  });
  const text = await response.text();
  expect(await sealed.openReply(text)).toBe('{"data":{"status":"active"}}');
  await expect(sealed.openReply(`"${text}"`)).rejects.toThrow('bare base64');
  await expect(sealed.openReply(`${text}\n`)).rejects.toThrow('bare base64');
  const { encrypted_flow_data } = JSON.parse(sealed.body) as { encrypted_flow_data: string };
  await expect(sealed.openReply(encrypted_flow_data)).rejects.toThrow('inverted IV');
});
