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
const required = { APP_SECRET: 'the secret', PRIVATE_KEY_FILE: keyFile, VERIFY_TOKEN: 'the token' };

const messageOf = (env: Record<string, string>) => {
  try {
    loadSettings(env);
  } catch (error) {
    return (error as Error).message;
  }
  return '';
};

test('where the Graph API is, and how fast it may be called, holds without a token too: businesses may bring their own', () => {
  const { graph } = loadSettings({ ...required, GRAPH_BASE_URL: 'http://127.0.0.1:1', GRAPH_MESSAGES_PER_SECOND: '5' });
  expect(graph).toMatchObject({ token: undefined, baseUrl: 'http://127.0.0.1:1', messagesPerSecond: 5 });
});

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
    role: 'all',
    dataDir: '.flowgate',
    inboxConcurrency: 32,
    replyGuard: 'report',
    mediaHosts: undefined,
    mediaMaxBytes: 25 * 1024 * 1024,
    mediaTimeoutMs: 60_000,
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
    ROLE: 'boss',
    INBOX_CONCURRENCY: '0',
    MEDIA_MAX_BYTES: '25 MiB',
    MEDIA_TIMEOUT_MS: '999',
    LOG_LEVEL: 'loud',
    REDIS_URL: 'http://redis',
    PHONE_NUMBER_ID: '+49 30',
    GRAPH_BASE_URL: 'graph.facebook.com',
    PRIVATE_KEY: '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----',
  });
  expect(message.split('; ')).toEqual([
    'PORT must be a whole number from 0 to 65535, got "80a"',
    'ADMIN_PORT must be a whole number from 0 to 65535, got "70000"',
    'HTTP_SERVER must be one of auto, uws, node, got "apache"',
    'WORKERS must be a whole number from 1 to 256, got "0"',
    'FLOW_DEADLINE_MS must be a whole number from 100 to 9000, got "10000"',
    'ROLE must be one of all, web, worker, got "boss"',
    'INBOX_CONCURRENCY must be a whole number from 1 to 1000, got "0"',
    'MEDIA_MAX_BYTES must be a whole number from 1 to 104857600, got "25 MiB"',
    'MEDIA_TIMEOUT_MS must be a whole number from 1000 to 3600000, got "999"',
    'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent, got "loud"',
    'APP_SECRET is required: the App Secret of the Meta app connected to the Flow (or APP_SECRET_FILE)',
    'PRIVATE_KEY is not a valid private key: the PEM is damaged',
    'VERIFY_TOKEN is required: any text of your own, which you also give Meta with the webhook URL',
    'REDIS_URL must look like redis://user:password@host:6379/0, or rediss:// for TLS',
    'PHONE_NUMBER_ID must be the id of the business number, digits only',
    'GRAPH_BASE_URL must be an http or https URL',
  ]);
});

test('takes limits of media up to their bounds, and not beyond', () => {
  const limitsOf = (MEDIA_MAX_BYTES: string, MEDIA_TIMEOUT_MS: string) => {
    const { mediaMaxBytes, mediaTimeoutMs } = loadSettings({ ...required, MEDIA_MAX_BYTES, MEDIA_TIMEOUT_MS }).config;
    return [mediaMaxBytes, mediaTimeoutMs];
  };
  expect(limitsOf('1', '1000')).toEqual([1, 1_000]);
  expect(limitsOf('104857600', '3600000')).toEqual([104_857_600, 3_600_000]);
  expect(messageOf({ ...required, MEDIA_MAX_BYTES: '0' })).toContain('MEDIA_MAX_BYTES must be');
  expect(messageOf({ ...required, MEDIA_MAX_BYTES: '104857601' })).toContain('MEDIA_MAX_BYTES must be');
  expect(messageOf({ ...required, MEDIA_TIMEOUT_MS: '3600001' })).toContain('MEDIA_TIMEOUT_MS must be');
});

test('takes the files of a certificate together, or not at all', () => {
  expect(loadSettings(required).config.tls).toBeUndefined();
  const env = { ...required, TLS_CERT_FILE: '/tls/tls.crt', TLS_KEY_FILE: '/tls/tls.key' };
  expect(loadSettings(env).config.tls).toEqual({ certFile: '/tls/tls.crt', keyFile: '/tls/tls.key' });
  for (const name of ['TLS_CERT_FILE', 'TLS_KEY_FILE']) {
    expect(messageOf({ ...required, [name]: '/tls/file' })).toBe(
      'TLS_CERT_FILE and TLS_KEY_FILE go together: set both, or neither',
    );
  }
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
  const { secrets } = loadSettings({ ...required, APP_SECRET: 'new, old', PRIVATE_KEY_FILE: files });
  expect(secrets?.appSecrets.map((key) => key.export().toString())).toEqual(['new', 'old']);
  expect(secrets?.keys).toHaveLength(2);
  expect(secrets?.keys[1]?.fingerprint).toBe(loadSettings(required).secrets?.keys[0].fingerprint);
});

test('reads a secret from the file its _FILE twin names, without the line break at its end', () => {
  const { secrets } = loadSettings({
    APP_SECRET_FILE: file('secret', 'from a file\n'),
    VERIFY_TOKEN_FILE: file('verify-token', 'from another\n'),
    PRIVATE_KEY: keyPair.privateKey,
  });
  expect(secrets?.appSecrets[0].export().toString()).toBe('from a file');
  expect(secrets?.verifyToken).toBe('from another');
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

test.each(['', ' \n'])('refuses a secret from a file that holds nothing: %j', (text) => {
  const empty = file('empty', text);
  const message = messageOf({ ...required, VERIFY_TOKEN: '', VERIFY_TOKEN_FILE: empty, GRAPH_TOKEN_FILE: empty });
  expect(message).toContain(`VERIFY_TOKEN_FILE: ${empty} is empty`); // as a token it would be known to everybody
  expect(message).toContain(`GRAPH_TOKEN_FILE: ${empty} is empty`);
});

test.each([
  ['a secret', 'c0ffee00c0ffee00'],
  ['a key', keyPair.privateKey],
  ['a key on one line', keyPair.privateKey.replaceAll('\n', '\\n')],
])('does not repeat %s that stands where the name of its file belongs', (_, value) => {
  const message = messageOf({ ...required, PRIVATE_KEY_FILE: value, PASSPHRASE_FILE: value });
  expect(message).toContain('PASSPHRASE_FILE: cannot read a text of');
  expect(message).not.toContain(value.slice(0, 40));
});

test('a worker needs Redis, and no secret', () => {
  const { secrets, redisUrl } = loadSettings({ ROLE: 'worker', REDIS_URL: 'redis://127.0.0.1:6379' });
  expect({ secrets, redisUrl }).toEqual({ secrets: undefined, redisUrl: 'redis://127.0.0.1:6379' });
  expect(messageOf({ ROLE: 'worker' })).toBe(
    'ROLE worker needs REDIS_URL: without it the inbox is a file that one process owns',
  );
  expect(messageOf({ ...required, ROLE: 'web' })).toContain('ROLE web needs REDIS_URL');
});

test('an override beats its variable, and the twin of its variable', () => {
  const env = withOverrides({ APP_SECRET: 'mine', PORT: 1 }, { APP_SECRET_FILE: '/nowhere', PORT: '2' });
  expect(env).toEqual({ APP_SECRET: 'mine', PORT: '1' });
  const keys = { KEYS_DIR: 'directory', PRIVATE_KEY_FILE: 'file' };
  expect(withOverrides({ PRIVATE_KEY: 'text' }, keys)).toEqual({ PRIVATE_KEY: 'text' });
  expect(withOverrides(keys, { PRIVATE_KEY: 'text' })).toEqual(keys);
});

describe('developmentSettings', () => {
  const make = () => ({ appSecret: 'made', verifyToken: 'made too', privateKeyFile: 'made.pem' });

  test('provides the secrets that are not set', () => {
    const { env, usesOwnSecrets } = developmentSettings(make, { PORT: '1' });
    expect(env).toEqual({
      PORT: '1',
      APP_SECRET: 'made',
      REPLY_GUARD: 'error',
      VERIFY_TOKEN: 'made too',
      PRIVATE_KEY_FILE: 'made.pem',
      LOG_ERROR_MESSAGES: 'true',
    });
    expect(usesOwnSecrets).toBe(true);
  });

  test('leaves alone what is set, and makes nothing when nothing is missing', () => {
    const refuse = () => {
      throw new Error('must not be called');
    };
    const set = { APP_SECRET_FILE: 'x', VERIFY_TOKEN_FILE: 'z', PRIVATE_KEY: 'y', LOG_ERROR_MESSAGES: 'false' };
    expect(developmentSettings(refuse, set)).toMatchObject({ env: set, usesOwnSecrets: false });
    const { PRIVATE_KEY: _, ...others } = set;
    const withDirectory = { ...others, KEYS_DIR: 'keys' };
    expect(developmentSettings(refuse, withDirectory)).toMatchObject({ env: withDirectory, usesOwnSecrets: false });
  });
});
