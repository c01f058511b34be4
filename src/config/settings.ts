/** Every setting of the service, typed and checked once. Here and in command-settings.ts alone has `process.env` a meaning. */
import { availableParallelism } from 'node:os';
import { DEFAULT_MAX_BATCH, DEFAULT_MAX_WAIT_MS } from '../crypto/decrypt-pool.ts';
import { DEFAULT_NICENESS } from '../crypto/decrypt-workers.ts';
import { type KeyRing, loadPrivateKeys, type PrivateKeySource } from '../crypto/keyring.ts';
import { FlowgateError } from '../errors.ts';
import type { HttpServerChoice } from '../http/create-server.ts';
import { type AppSecrets, toAppSecrets } from '../http/signature.ts';
import { EnvReader, listOf } from './env.ts';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** Safe to log whole. */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly adminHost: string;
  readonly adminPort: number;
  readonly httpServer: HttpServerChoice;
  /** Threads that do RSA. */
  readonly workers: number;
  /** How far those threads step back for the main thread, on Linux. */
  readonly workerNiceness: number;
  /** Most requests that cross to a thread together. */
  readonly decryptBatch: number;
  /** A request that would wait longer than this for a thread is refused at once. */
  readonly maxQueueWaitMs: number;
  /** From the arrival of a request: when its handler's signal fires and the fallback answers. Meta gives up at 10 000. */
  readonly flowDeadlineMs: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** Log the message of what a handler throws. Off in production: such a message may quote a user's data. */
  readonly logErrorMessages: boolean;
}

/** Never in a message or a log. */
export interface Secrets {
  readonly appSecrets: AppSecrets;
  readonly keys: KeyRing;
}

export interface Settings {
  readonly config: Config;
  readonly secrets: Secrets;
}

/** Settings given in code, by the names they have in the environment: each beats its variable. */
export type SettingOverrides = Partial<Record<SettingName, string | number>>;

// biome-ignore format: a line a group
export type SettingName =
  | 'HOST' | 'PORT' | 'ADMIN_HOST' | 'ADMIN_PORT' | 'HTTP_SERVER'
  | 'WORKERS' | 'WORKER_NICENESS' | 'DECRYPT_BATCH' | 'MAX_QUEUE_WAIT_MS' | 'FLOW_DEADLINE_MS'
  | 'LOG_LEVEL' | 'LOG_ERROR_MESSAGES' | 'DATA_DIR'
  | 'APP_SECRET' | 'APP_SECRET_FILE' | 'PRIVATE_KEY' | 'PRIVATE_KEY_FILE' | 'PASSPHRASE' | 'PASSPHRASE_FILE';

/** @throws FlowgateError `SETTINGS_INVALID`, one message with every mistake and no secret in it. */
export function loadSettings(env: NodeJS.ProcessEnv = process.env): Settings {
  const read = new EnvReader(env);
  const config: Config = {
    host: read.string('HOST') ?? '0.0.0.0',
    port: read.int('PORT', { fallback: 3000, min: 0, max: 65_535 }),
    adminHost: read.string('ADMIN_HOST') ?? '127.0.0.1',
    adminPort: read.int('ADMIN_PORT', { fallback: 9464, min: 0, max: 65_535 }),
    httpServer: read.oneOf('HTTP_SERVER', ['auto', 'uws', 'node'], 'auto'),
    workers: read.int('WORKERS', { fallback: availableParallelism(), min: 1, max: 256 }),
    workerNiceness: read.int('WORKER_NICENESS', { fallback: DEFAULT_NICENESS, min: 0, max: 19 }),
    decryptBatch: read.int('DECRYPT_BATCH', { fallback: DEFAULT_MAX_BATCH, min: 1, max: 64 }),
    maxQueueWaitMs: read.int('MAX_QUEUE_WAIT_MS', { fallback: DEFAULT_MAX_WAIT_MS, min: 10, max: 8_000 }),
    flowDeadlineMs: read.int('FLOW_DEADLINE_MS', { fallback: 8_000, min: 100, max: 9_000 }),
    logLevel: read.oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
    logErrorMessages: read.oneOf('LOG_ERROR_MESSAGES', ['true', 'false'], 'false') === 'true',
  };
  const appSecrets = readAppSecrets(read);
  const keys = readKeys(read);
  read.throwIfInvalid();
  if (!appSecrets || !keys) throw new TypeError('a missing secret went unnoticed');
  return { config: Object.freeze(config), secrets: { appSecrets, keys } };
}

/** The environment with `overrides` on top. */
export function withOverrides(overrides: SettingOverrides, env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const merged = { ...env };
  for (const [name, value] of Object.entries(overrides)) {
    delete merged[name.endsWith('_FILE') ? name.slice(0, -'_FILE'.length) : `${name}_FILE`];
    merged[name] = String(value);
  }
  return merged;
}

function readAppSecrets(read: EnvReader): AppSecrets | undefined {
  const [newest, ...older] = listOf(read.secret('APP_SECRET'));
  if (newest !== undefined) return toAppSecrets([newest, ...older]);
  read.mistake('APP_SECRET is required: the App Secret of the Meta app connected to the Flow (or APP_SECRET_FILE)');
  return undefined;
}

function readKeys(read: EnvReader): KeyRing | undefined {
  const sources = readKeySources(read);
  const passphrase = read.secret('PASSPHRASE');
  if (sources.length === 0) return undefined;
  try {
    return loadPrivateKeys(sources, passphrase);
  } catch (error) {
    if (!(error instanceof FlowgateError)) throw error;
    read.mistake(error.message);
    return undefined;
  }
}

function readKeySources(read: EnvReader): PrivateKeySource[] {
  const inline = read.string('PRIVATE_KEY');
  const paths = listOf(read.string('PRIVATE_KEY_FILE'));
  if (inline !== undefined && paths.length > 0) read.mistake('PRIVATE_KEY and PRIVATE_KEY_FILE are both set: keep one');
  if (inline !== undefined) return [{ name: 'PRIVATE_KEY', text: inline }];
  if (paths.length === 0) {
    const why = 'PRIVATE_KEY_FILE is required: the RSA key whose public half Meta holds (or PRIVATE_KEY, a PEM)';
    read.mistake(`${why}. Make one with: flowgate keys generate`);
  }
  return paths.flatMap((path) => {
    const text = read.file('PRIVATE_KEY_FILE', path);
    return text === undefined ? [] : [{ name: path, text }];
  });
}
