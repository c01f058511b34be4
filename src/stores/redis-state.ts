/**
 * The state in Redis, shared by all servers: a hash a record, with its version and its value.
 *
 * Each call is one command or one script over one key, so it works on a cluster as well. The first version of a record
 * is drawn at random: nothing has to remember the version of a record that is gone, and no later one repeats it.
 */
import { randomInt } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import {
  checkKey,
  checkWrite,
  STATE_TIMEOUT_MS,
  type StateRecord,
  type StateStore,
  type StateWrite,
} from '../state/state-store.ts';
import { RedisConnection } from './redis-connection.ts';

const PREFIX = 'flowgate:state';
/** Leaves 2^53 - 2^47 writes before a version is no exact number any longer. */
const MAX_FIRST_VERSION = 2 ** 47;

/** Versions are compared as the text they are kept as: Lua would write a large number with an exponent. */
const PUT = `
local version = redis.call('HGET', KEYS[1], 'version')
if ARGV[3] ~= '' and ARGV[3] ~= (version or '0') then return false end
redis.call('HSET', KEYS[1], 'value', ARGV[1], 'version', version or ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('HINCRBY', KEYS[1], 'version', 1)
`;
const DELETE = `
local version = redis.call('HGET', KEYS[1], 'version')
if not version or (ARGV[1] ~= '' and ARGV[1] ~= version) then return 0 end
return redis.call('DEL', KEYS[1])
`;

interface Scripts {
  flowgatePut(key: string, value: string, ttlMs: number, ifVersion: string, first: number): Promise<number | null>;
  flowgateDelete(key: string, ifVersion: string): Promise<number>;
}

export interface RedisStateOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly prefix?: string;
  readonly timeoutMs?: number;
}

/** Resolves at once: a Redis that does not answer is told of by each call, until it does. */
export function openRedisState(options: RedisStateOptions): StateStore {
  return new RedisState(options);
}

class RedisState implements StateStore {
  readonly #connection: RedisConnection;
  readonly #redis: Redis & Scripts;
  readonly #prefix: string;

  constructor({ prefix = PREFIX, timeoutMs = STATE_TIMEOUT_MS, ...options }: RedisStateOptions) {
    this.#connection = new RedisConnection({ ...options, timeoutMs, code: 'STATE_UNAVAILABLE' });
    const { redis } = this.#connection;
    redis.defineCommand('flowgatePut', { numberOfKeys: 1, lua: PUT });
    redis.defineCommand('flowgateDelete', { numberOfKeys: 1, lua: DELETE });
    this.#redis = redis as Redis & Scripts;
    this.#prefix = prefix;
  }

  async get(key: string): Promise<StateRecord | undefined> {
    checkKey(key);
    const fields = this.#connection.ask(() => this.#redis.hmget(this.#keyOf(key), 'value', 'version'));
    const [value, version] = await fields;
    return value == null || version == null ? undefined : { value, version: Number(version) };
  }

  async put(key: string, write: StateWrite): Promise<number | undefined> {
    checkKey(key);
    checkWrite(write);
    const { value, ttlMs, ifVersion } = write;
    const args = [value, Math.ceil(ttlMs), textOf(ifVersion), randomInt(MAX_FIRST_VERSION)] as const;
    return (await this.#connection.ask(() => this.#redis.flowgatePut(this.#keyOf(key), ...args))) ?? undefined;
  }

  async delete(key: string, ifVersion?: number): Promise<boolean> {
    checkKey(key);
    return (await this.#connection.ask(() => this.#redis.flowgateDelete(this.#keyOf(key), textOf(ifVersion)))) === 1;
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  #keyOf(key: string): string {
    return `${this.#prefix}:${key}`;
  }
}

const textOf = (version: number | undefined) => (version === undefined ? '' : String(version));
