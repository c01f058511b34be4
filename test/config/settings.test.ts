import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { developmentSettings } from '../../src/config/command-settings.ts';
import { loadSettings, withOverrides } from '../../src/config/settings.ts';
import { keyPair, makeKeyPair } from '../support/keys.ts';

const directory = mkdtempSync(join(tmpdir(), 'flowgate-settings-'));
const file = (name: string, text: string) => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};
const keyFile = file('private.pem', keyPair.privateKey);
const required = { APP_SECRET: 'the secret', PRIVATE_KEY_FILE: keyFile };

const messageOf = (env: Record<string, string>) => {
  try {
    loadSettings(env);
  } catch (error) {
    return (error as Error).message;
  }
  return '';
};

test('needs no more than the secrets; the rest has defaults', () => {
  const { config } = loadSettings(required);
  expect(config).toMatchObject({
    host: '0.0.0.0',
    port: 3000,
    adminHost: '127.0.0.1',
    adminPort: 9464,
    httpServer: 'auto',
    flowDeadlineMs: 8000,
    logLevel: 'info',
    logErrorMessages: false,
  });
  expect(config.workers).toBeGreaterThanOrEqual(1);
});

test('tells every mistake in one message, and no secret', () => {
  const message = messageOf({
    PORT: '80a',
    ADMIN_PORT: '70000',
    WORKERS: '0',
    FLOW_DEADLINE_MS: '10000',
    HTTP_SERVER: 'apache',
    LOG_LEVEL: 'loud',
    PRIVATE_KEY: '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----',
  });
  expect(message.split('; ')).toEqual([
    'PORT must be a whole number from 0 to 65535, got "80a"',
    'ADMIN_PORT must be a whole number from 0 to 65535, got "70000"',
    'HTTP_SERVER must be one of auto, uws, node, got "apache"',
    'WORKERS must be a whole number from 1 to 256, got "0"',
    'FLOW_DEADLINE_MS must be a whole number from 100 to 9000, got "10000"',
    'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent, got "loud"',
    'APP_SECRET is required: the App Secret of the Meta app connected to the Flow (or APP_SECRET_FILE)',
    'PRIVATE_KEY is not a valid private key: the PEM is damaged',
  ]);
});

test('does not repeat a long value: it may be a secret in the wrong variable', () => {
  const secret = 'f00dcafef00dcafef00dcafef00dcafe';
  expect(messageOf({ ...required, PORT: secret })).not.toContain(secret.slice(0, 8));
});

test.each(['', '   ', ',', ' , '])('refuses to start with the blank app secret %j', (secret) => {
  expect(messageOf({ ...required, APP_SECRET: secret })).toContain('APP_SECRET is required');
});

test('takes several app secrets, and several key files, newest first', () => {
  const other = makeKeyPair();
  const files = `${file('new.pem', other.privateKey)}, ${keyFile}`;
  const { secrets } = loadSettings({ APP_SECRET: 'new, old', PRIVATE_KEY_FILE: files });
  expect(secrets.appSecrets.map((key) => key.export().toString())).toEqual(['new', 'old']);
  expect(secrets.keys).toHaveLength(2);
  expect(secrets.keys[1]?.fingerprint).toBe(loadSettings(required).secrets.keys[0].fingerprint);
});

test('reads a secret from the file its _FILE twin names, without the line break at its end', () => {
  const { secrets } = loadSettings({
    APP_SECRET_FILE: file('secret', 'from a file\n'),
    PRIVATE_KEY: keyPair.privateKey,
  });
  expect(secrets.appSecrets[0].export().toString()).toBe('from a file');
});

test('refuses an unreadable file, and a secret that is given twice', () => {
  const message = messageOf({
    ...required,
    PRIVATE_KEY_FILE: '/nowhere/key.pem',
    PASSPHRASE: 'a',
    PASSPHRASE_FILE: keyFile,
  });
  expect(message).toContain('PRIVATE_KEY_FILE: cannot read /nowhere/key.pem (ENOENT)');
  expect(message).toContain('PASSPHRASE and PASSPHRASE_FILE are both set: keep one');
});

test('an override beats its variable, and the twin of its variable', () => {
  const env = withOverrides({ APP_SECRET: 'mine', PORT: 1 }, { APP_SECRET_FILE: '/nowhere', PORT: '2' });
  expect(env).toEqual({ APP_SECRET: 'mine', PORT: '1' });
});

describe('developmentSettings', () => {
  const make = () => ({ appSecret: 'made', privateKeyFile: 'made.pem' });

  test('provides the secrets that are not set', () => {
    const { env, usesOwnSecrets } = developmentSettings(make, { PORT: '1' });
    expect(env).toEqual({ PORT: '1', APP_SECRET: 'made', PRIVATE_KEY_FILE: 'made.pem', LOG_ERROR_MESSAGES: 'true' });
    expect(usesOwnSecrets).toBe(true);
  });

  test('leaves alone what is set, and makes nothing when nothing is missing', () => {
    const refuse = () => {
      throw new Error('must not be called');
    };
    const set = { APP_SECRET_FILE: 'x', PRIVATE_KEY: 'y', LOG_ERROR_MESSAGES: 'false' };
    expect(developmentSettings(refuse, set)).toMatchObject({ env: set, usesOwnSecrets: false });
  });
});
