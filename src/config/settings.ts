/** Every setting of the service, typed and checked once. Only in this folder has `process.env` a meaning. */
import { availableParallelism } from 'node:os';
import { DEFAULT_MAX_BATCH, DEFAULT_MAX_WAIT_MS } from '../crypto/decrypt-pool.ts';
import { DEFAULT_NICENESS } from '../crypto/decrypt-workers.ts';
import type { KeyRing } from '../crypto/keyring.ts';
import { PHONE_NUMBER_ID } from '../graph/endpoint.ts';
import type { HttpServerChoice } from '../http/create-server.ts';
import { type AppSecrets, toAppSecrets } from '../http/signature.ts';
import { DEFAULT_MAX_BYTES } from '../media/media.ts';
import { EnvReader, listOf } from './env.ts';
import { KEY_SETTINGS, type KeySource, readKeys } from './key-settings.ts';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** Safe to log whole. */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly adminHost: string;
  readonly adminPort: number;
  readonly httpServer: HttpServerChoice;
  /** Makes the public port HTTPS; undefined: plain HTTP, behind something that does TLS. */
  readonly tls: TlsFiles | undefined;
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
  /** What this process does: answer and handle, answer alone, or handle alone. */
  readonly role: Role;
  /** Holds the embedded inbox. */
  readonly dataDir: string;
  /** Events and jobs handled at a time. */
  readonly inboxConcurrency: number;
  /** What becomes of an answer that does not fit the Flow JSON, where the Flow itself does not say. */
  readonly replyGuard: ReplyGuardMode;
  /** Where picked media may be downloaded from, in place of Meta's hosts; undefined: those. */
  readonly mediaHosts: readonly string[] | undefined;
  /** Of one such file: a larger one is refused. */
  readonly mediaMaxBytes: number;
  /** For the download of one, with its wait for a turn. */
  readonly mediaTimeoutMs: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** Log the message of what a handler throws. Off in production: such a message may quote a user's data. */
  readonly logErrorMessages: boolean;
}

/** Paths of PEM files: what is in them is read, and read again, where it is served. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Never in a message or a log. What only answers to requests need is absent from a worker. */
export interface Secrets {
  readonly appSecrets: AppSecrets;
  readonly keys: KeyRing;
  /** Where `keys` came from, and newer ones will. */
  readonly keySource: KeySource;
  /** What Meta's handshake must bring. */
  readonly verifyToken: string;
}

export interface Settings {
  readonly config: Config;
  /** What answering requests takes; undefined for a worker, which answers none and should hold no key. */
  readonly secrets: Secrets | undefined;
  /** With the password in it; without one the inbox is embedded. */
  readonly redisUrl: string | undefined;
  readonly graph: GraphSettings;
}

export interface GraphSettings {
  /** Undefined: only a business with a token of its own can send. */
  readonly token: string | undefined;
  /** The number to send from where an event names none. */
  readonly phoneNumberId: string | undefined;
  readonly baseUrl: string | undefined;
  /** What Meta lets one number send, in this process. */
  readonly messagesPerSecond?: number;
}

/**
 * `report`: sent all the same, with a log line and a metric. `strict`: the fallback answers instead. `error`: the request
 * fails, telling what is wrong, for development and tests, and whatever the Flow says. `off`: not looked at.
 */
export const REPLY_GUARD_MODES = ['report', 'strict', 'error', 'off'] as const;
export type ReplyGuardMode = (typeof REPLY_GUARD_MODES)[number];

export const ROLES = ['all', 'web', 'worker'] as const;
export type Role = (typeof ROLES)[number];

/** Settings given in code, by the names they have in the environment: each beats its variable. */
export type SettingOverrides = Partial<Record<SettingName, string | number>>;

// biome-ignore format: a line a group
export type SettingName =
  | 'HOST' | 'PORT' | 'ADMIN_HOST' | 'ADMIN_PORT' | 'HTTP_SERVER' | 'TLS_CERT_FILE' | 'TLS_KEY_FILE'
  | 'WORKERS' | 'WORKER_NICENESS' | 'DECRYPT_BATCH' | 'MAX_QUEUE_WAIT_MS' | 'FLOW_DEADLINE_MS'
  | 'ROLE' | 'DATA_DIR' | 'REDIS_URL' | 'REDIS_URL_FILE' | 'INBOX_CONCURRENCY'
  | 'REPLY_GUARD' | 'MEDIA_HOSTS' | 'MEDIA_MAX_BYTES' | 'MEDIA_TIMEOUT_MS'
  | 'GRAPH_TOKEN' | 'GRAPH_TOKEN_FILE' | 'PHONE_NUMBER_ID' | 'GRAPH_BASE_URL' | 'GRAPH_MESSAGES_PER_SECOND'
  | 'LOG_LEVEL' | 'LOG_ERROR_MESSAGES'
  | 'VERIFY_TOKEN' | 'VERIFY_TOKEN_FILE'
  | 'APP_SECRET' | 'APP_SECRET_FILE'
  | 'KEYS_DIR' | 'PRIVATE_KEY_FILE' | 'PRIVATE_KEY' | 'PASSPHRASE' | 'PASSPHRASE_FILE';

/** @throws FlowgateError `SETTINGS_INVALID`, one message with every mistake and no secret in it. */
export function loadSettings(env: NodeJS.ProcessEnv = process.env): Settings {
  const read = new EnvReader(env);
  const config: Config = {
    host: read.string('HOST') ?? '0.0.0.0',
    port: read.int('PORT', { fallback: 3000, min: 0, max: 65_535 }),
    ...readAdminAddress(read),
    httpServer: read.oneOf('HTTP_SERVER', ['auto', 'uws', 'node'], 'auto'),
    tls: readTls(read),
    workers: read.int('WORKERS', { fallback: availableParallelism(), min: 1, max: 256 }),
    workerNiceness: read.int('WORKER_NICENESS', { fallback: DEFAULT_NICENESS, min: 0, max: 19 }),
    decryptBatch: read.int('DECRYPT_BATCH', { fallback: DEFAULT_MAX_BATCH, min: 1, max: 64 }),
    maxQueueWaitMs: read.int('MAX_QUEUE_WAIT_MS', { fallback: DEFAULT_MAX_WAIT_MS, min: 10, max: 8_000 }),
    flowDeadlineMs: read.int('FLOW_DEADLINE_MS', { fallback: 8_000, min: 100, max: 9_000 }),
    role: read.oneOf('ROLE', ROLES, 'all'),
    dataDir: readDataDir(read),
    inboxConcurrency: read.int('INBOX_CONCURRENCY', { fallback: 32, min: 1, max: 1_000 }),
    replyGuard: read.oneOf('REPLY_GUARD', REPLY_GUARD_MODES, 'report'),
    mediaHosts: readMediaHosts(read),
    mediaMaxBytes: read.int('MEDIA_MAX_BYTES', { fallback: DEFAULT_MAX_BYTES, min: 1, max: 104_857_600 }),
    mediaTimeoutMs: read.int('MEDIA_TIMEOUT_MS', { fallback: 60_000, min: 1_000, max: 3_600_000 }),
    logLevel: read.oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
    logErrorMessages: read.oneOf('LOG_ERROR_MESSAGES', ['true', 'false'], 'false') === 'true',
  };
  const secrets = config.role === 'worker' ? undefined : readSecrets(read);
  const redisUrl = readRedisUrl(read);
  if (config.role !== 'all' && redisUrl === undefined) {
    read.mistake(`ROLE ${config.role} needs REDIS_URL: without it the inbox is a file that one process owns`);
  }
  const graph = readGraph(read);
  read.throwIfInvalid();
  return { config: Object.freeze(config), secrets, redisUrl, graph };
}

/** The address of metrics, readiness and the inbox. */
export function readAdminAddress(read: EnvReader): { adminHost: string; adminPort: number } {
  return {
    adminHost: read.string('ADMIN_HOST') ?? '127.0.0.1',
    adminPort: read.int('ADMIN_PORT', { fallback: 9464, min: 0, max: 65_535 }),
  };
}

function readTls(read: EnvReader): TlsFiles | undefined {
  const certFile = read.string('TLS_CERT_FILE');
  const keyFile = read.string('TLS_KEY_FILE');
  if (certFile !== undefined && keyFile !== undefined) return { certFile, keyFile };
  if (certFile ?? keyFile) read.mistake('TLS_CERT_FILE and TLS_KEY_FILE go together: set both, or neither');
  return undefined;
}

function readMediaHosts(read: EnvReader): readonly string[] | undefined {
  const hosts = listOf(read.string('MEDIA_HOSTS'));
  return hosts.length === 0 ? undefined : hosts;
}

export function readDataDir(read: EnvReader): string {
  return read.string('DATA_DIR') ?? '.flowgate';
}

/** With the password in it: never to be shown. */
export function readRedisUrl(read: EnvReader): string | undefined {
  const url = read.secret('REDIS_URL');
  if (url === undefined || /^rediss?:\/\/[^/?#]/.test(url)) return url;
  read.mistake('REDIS_URL must look like redis://user:password@host:6379/0, or rediss:// for TLS');
  return undefined;
}

/** The environment with `overrides` on top. */
export function withOverrides(overrides: SettingOverrides, env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const merged = { ...env };
  const entries = Object.entries(overrides);
  for (const [name] of entries) for (const twin of twinsOf(name)) delete merged[twin];
  for (const [name, value] of entries) merged[name] = String(value);
  return merged;
}

/** Other ways to give the same thing. */
function twinsOf(name: string): readonly string[] {
  const isKeys = KEY_SETTINGS.some((setting) => setting === name);
  if (isKeys) return KEY_SETTINGS;
  return [name.endsWith('_FILE') ? name.slice(0, -'_FILE'.length) : `${name}_FILE`];
}

/** @returns undefined only when a mistake was noted. */
function readSecrets(read: EnvReader): Secrets | undefined {
  const appSecrets = readAppSecrets(read);
  const loaded = readKeys(read);
  const verifyToken = read.secret('VERIFY_TOKEN');
  if (verifyToken === undefined) {
    read.mistake('VERIFY_TOKEN is required: any text of your own, which you also give Meta with the webhook URL');
  }
  return appSecrets && loaded && verifyToken !== undefined ? { appSecrets, ...loaded, verifyToken } : undefined;
}

/** @returns undefined without a token. */
export function readGraph(read: EnvReader): GraphSettings {
  const token = read.secret('GRAPH_TOKEN');
  const phoneNumberId = read.string('PHONE_NUMBER_ID');
  const baseUrl = read.string('GRAPH_BASE_URL');
  const messagesPerSecond = read.int('GRAPH_MESSAGES_PER_SECOND', { fallback: 80, min: 1, max: 1_000 });
  if (phoneNumberId !== undefined && !PHONE_NUMBER_ID.test(phoneNumberId)) {
    read.mistake('PHONE_NUMBER_ID must be the id of the business number, digits only');
  }
  if (baseUrl !== undefined && !/^https?:\/\/[^/?#]/.test(baseUrl)) {
    read.mistake('GRAPH_BASE_URL must be an http or https URL');
  }
  return { token, phoneNumberId, baseUrl, messagesPerSecond };
}

function readAppSecrets(read: EnvReader): AppSecrets | undefined {
  const [newest, ...older] = listOf(read.secret('APP_SECRET'));
  if (newest !== undefined) return toAppSecrets([newest, ...older]);
  read.mistake('APP_SECRET is required: the App Secret of the Meta app connected to the Flow (or APP_SECRET_FILE)');
  return undefined;
}
