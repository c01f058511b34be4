import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Check } from '../../src/doctor/check.ts';
import { appSecretCheck, keyChecks, settingsCheck } from '../../src/doctor/settings-checks.ts';
import { temporaryDirectory } from '../support/command.ts';
import { contextOf, findingOf, findingsOf } from '../support/doctor.ts';
import { keyPair, makeKeyPair, toKeyRing } from '../support/keys.ts';

const directory = temporaryDirectory();
const META_LIKE = '0123456789abcdef0123456789abcdef';
const complete = { APP_SECRET: META_LIKE, VERIFY_TOKEN: 'token', PRIVATE_KEY: keyPair.privateKey };
const fileOf = (name: string, text: string) => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};

test('settings: all mistakes in one, as at the start, or what they come to', async () => {
  const env = { ...complete, WORKERS: '3', PORT: '8443', TLS_CERT_FILE: 'a', TLS_KEY_FILE: 'b' };
  expect(await findingOf(settingsCheck, { env })).toEqual({
    status: 'ok',
    text: 'complete: role all, port 8443 with TLS, 3 decrypt threads',
  });
  const { status, text } = await findingOf(settingsCheck, { env: { PORT: 'x', VERIFY_TOKEN: 't', LOG_LEVEL: 'loud' } });
  expect(status).toBe('failed');
  for (const mistake of ['PORT must be a whole number', 'LOG_LEVEL must be one of', 'APP_SECRET is required']) {
    expect(text).toContain(mistake);
  }
});

test('private keys: each with fingerprint, size, age and file', async () => {
  const old = fileOf('old.pem', keyPair.privateKey);
  const threeDaysAgo = Date.now() / 1_000 - 3 * 86_400 - 60;
  utimesSync(old, threeDaysAgo, threeDaysAgo);
  const pair = makeKeyPair();
  const env = { PRIVATE_KEY_FILE: `${fileOf('new.pem', pair.privateKey)},${old}` };
  expect(await findingOf(keyChecks(contextOf({ env }))[1] as Check, { env })).toEqual({
    status: 'ok',
    text: `${toKeyRing(keyPair)[0].fingerprint}, RSA 2048, 3 days old, ${old}`,
  });
});

test.each([
  [{}, 'skipped: set PRIVATE_KEY_FILE or KEYS_DIR'],
  [{ PRIVATE_KEY_FILE: 'nowhere.pem' }, 'failed: PRIVATE_KEY_FILE: cannot read nowhere.pem (ENOENT)'],
  [{ PRIVATE_KEY: keyPair.publicKey }, 'failed: PRIVATE_KEY is a public key: give the private key it belongs to'],
  [{ PRIVATE_KEY: makeKeyPair(1024).privateKey }, 'failed: PRIVATE_KEY is an RSA key of 1024 bits: Meta requires 2048'],
  [
    { PRIVATE_KEY: makeKeyPair(3072).privateKey },
    'failed: PRIVATE_KEY has 3072 bits, and Meta takes 2048: make one with: flowgate keys generate',
  ],
])('private keys that cannot be used, or are not there: %#', async (env, expected) => {
  expect(await findingsOf(keyChecks, { env: env as Record<string, string> })).toEqual({ 'private key': expected });
});

test.each([
  [{}, 'skipped', 'set APP_SECRET'],
  [{ APP_SECRET: META_LIKE }, 'ok', "it looks like one of Meta's: that it is the right one"],
  [{ APP_SECRET: `${META_LIKE},${META_LIKE}` }, 'ok', "2 are set, and they look like one of Meta's"],
  [{ APP_SECRET: 'EAAGm0PX4ZCpsBA' }, 'failed', 'APP_SECRET holds an access token: take the App Secret from'],
  [{ APP_SECRET: META_LIKE, VERIFY_TOKEN: META_LIKE }, 'failed', 'APP_SECRET and VERIFY_TOKEN are the same: take'],
  [{ APP_SECRET: 'hunter2' }, 'failed', 'APP_SECRET is not 32 hex digits, as those of Meta are: take'],
])('the app secret is plausible, or not: %#', async (env, status, sentence) => {
  const found = await findingOf(appSecretCheck, { env: env as Record<string, string> });
  expect(found).toEqual({ status, text: expect.stringContaining(sentence) });
  for (const secret of [META_LIKE, 'EAAGm', 'hunter2']) expect(found.text).not.toContain(secret);
});
