/**
 * Which private keys each running server holds, in Redis: how `flowgate keys rotate` knows when all of them have the new one.
 *
 * A server says so every two seconds, and what it said is gone soon after it is. Fingerprints only, never a key.
 */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Clock } from '../clock.ts';
import { type KeyReport, parseKeyReport } from '../crypto/key-report.ts';
import { FlowgateError } from '../errors.ts';
import { RedisConnection, reasonOf } from './redis-connection.ts';
import { repliesOf } from './redis-effects.ts';

const REPORT_EVERY_MS = 2_000;
/** Five reports may be lost before a server counts as gone. */
const REPORT_LIVES_MS = 10_000;
const TIMEOUT_MS = 1_500;
/** How long a server that is gone may stand in the index, and the index itself without a server. */
const INDEX_LIVES_MS = 3_600_000;

export interface RedisKeysOptions {
  readonly url: string;
  readonly clock: Clock;
  /** Keep a hash tag in it when Redis is a cluster. */
  readonly prefix?: string;
}

/** A server, by a name of its own, and what it said last. */
export interface ServerKeys extends KeyReport {
  readonly name: string;
}

export class RedisKeys {
  readonly #clock: Clock;
  readonly #connection: RedisConnection;
  readonly #prefix: string;
  /** The names of all servers, scored by the time of their last report: finding them by pattern would walk all of Redis. */
  readonly #index: string;
  #reportedAs: string | undefined;
  #cancelReport = () => {};

  constructor({ url, clock, prefix = '{flowgate}' }: RedisKeysOptions) {
    this.#clock = clock;
    this.#connection = new RedisConnection({ url, clock, timeoutMs: TIMEOUT_MS });
    this.#prefix = `${prefix}:keys`;
    this.#index = this.#prefix;
  }

  /** Reports from now on until `close`. While Redis is away nothing is reported: the inbox, which needs it more, logs that. */
  report(read: () => KeyReport, name = newName()): void {
    const { redis } = this.#connection;
    const write = () => this.#connection.ask(() => this.#write(name, read())).catch(() => {});
    const writeAgain = () => {
      cancelTimer = this.#clock.after(REPORT_EVERY_MS, writeAgain);
      void write();
    };
    let cancelTimer = () => {};
    this.#reportedAs = name;
    this.#cancelReport = () => {
      redis.off('ready', write);
      cancelTimer();
    };
    redis.on('ready', write);
    writeAgain();
  }

  /** Every server that runs, by name. Rejects with `INBOX_UNAVAILABLE` when Redis cannot be asked. */
  async servers(): Promise<ServerKeys[]> {
    await this.#ready();
    const { redis } = this.#connection;
    return this.#connection.ask(async () => {
      const names = (await redis.zrange(this.#index, 0, -1)).sort();
      const reports = names.length === 0 ? [] : await redis.mget(names.map((name) => this.#keyOf(name)));
      return names.flatMap((name, i) => toServerKeys(name, reports[i]));
    });
  }

  /** Takes back what was reported, if that is soon done. */
  async close(): Promise<void> {
    this.#cancelReport();
    const { redis } = this.#connection;
    const name = this.#reportedAs;
    if (name !== undefined && redis.status === 'ready') {
      repliesOf(redis.multi().del(this.#keyOf(name)).zrem(this.#index, name)).catch(() => {});
    }
    await this.#connection.close();
  }

  async #write(name: string, { fingerprints, problem }: KeyReport): Promise<void> {
    const nowMs = this.#clock.epochMs();
    await repliesOf(
      this.#connection.redis
        .multi()
        .set(this.#keyOf(name), JSON.stringify({ fingerprints, problem }), 'PX', REPORT_LIVES_MS)
        .zadd(this.#index, nowMs, name)
        .zremrangebyscore(this.#index, 0, nowMs - INDEX_LIVES_MS)
        .pexpire(this.#index, INDEX_LIVES_MS),
    );
  }

  /** Resolves once commands can be sent. */
  #ready(): Promise<void> {
    const { redis } = this.#connection;
    if (redis.status === 'ready') return Promise.resolve();
    return new Promise((resolve, reject) => {
      let reason = 'TIMEOUT';
      const noteReason = (error: unknown) => {
        reason = reasonOf(error);
      };
      const end = () => {
        cancel();
        redis.off('ready', succeed).off('error', noteReason);
      };
      const succeed = () => {
        end();
        resolve();
      };
      const cancel = this.#clock.after(TIMEOUT_MS, () => {
        end();
        reject(new FlowgateError('INBOX_UNAVAILABLE', `Redis cannot be used now (${reason})`));
      });
      redis.on('ready', succeed).on('error', noteReason);
    });
  }

  #keyOf(name: string): string {
    return `${this.#prefix}:${name}`;
  }
}

/** One that a person knows the server by, and no other server has. */
function newName(): string {
  return `${hostname()}/${process.pid}/${randomBytes(2).toString('hex')}`;
}

/** @returns nothing for a server that has not reported lately, or reported what we cannot read. */
function toServerKeys(name: string, report: string | null | undefined): ServerKeys[] {
  const keys = report ? parseKeyReport(report) : undefined;
  return keys ? [{ name, ...keys }] : [];
}
