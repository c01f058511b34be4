/**
 * A connection to Redis that answers in time or not at all.
 *
 * ioredis by default keeps commands for a Redis that is away, without a bound, and sends them when it is back. Here a
 * command is refused while Redis is away and given up when its answer is late, and a connection that owes an answer is
 * replaced: what was written to it would pile up in memory behind a Redis that hangs. Lost and found are one log line
 * each, by reason: neither the URL, which may hold a password, nor a command, which holds a payload, is ever told.
 */
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { type ErrorCode, FlowgateError } from '../errors.ts';

/** A connect, or a first answer, that takes longer has failed. */
const CONNECT_TIMEOUT_MS = 1_500;
/** Between two attempts to connect, growing from the first to the second. */
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 1_000;
/** How long a closing connection may take to say goodbye. */
const GOODBYE_MS = 250;
/** The reason when Redis, or we, simply closed the connection. */
const CLOSED = 'CLOSED';

export interface RedisConnectionOptions {
  readonly url: string;
  /** A command without an answer after this is given up, and its connection with it. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Without one the connection comes and goes silently. */
  readonly log?: Logger;
  /** What a command that Redis did not do rejects with; `INBOX_UNAVAILABLE` unless told. */
  readonly code?: ErrorCode;
}

export class RedisConnection {
  readonly redis: Redis;
  readonly #clock: Clock;
  readonly #log: Logger | undefined;
  readonly #code: ErrorCode;
  #isDown = false;
  #isClosing = false;
  #reason = CLOSED;

  constructor({ url, timeoutMs, clock, log, code = 'INBOX_UNAVAILABLE' }: RedisConnectionOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#code = code;
    this.redis = new Redis(url, {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      commandTimeout: timeoutMs,
      connectTimeout: CONNECT_TIMEOUT_MS,
      disconnectTimeout: GOODBYE_MS,
      retryStrategy: (attempts) => Math.min(attempts * FIRST_RETRY_MS, LAST_RETRY_MS),
    });
    this.redis.on('ready', () => this.#noteUp());
    this.redis.on('error', (error) => (this.#reason = reasonOf(error)));
    this.redis.on('close', () => this.#noteDown());
  }

  /**
   * What `command` resolves to. Rejects with the connection's code when Redis could not be asked or did not answer in time
   * (then it may do it still), or refused. BullMQ's own refusals, errors with a number for a code, pass unchanged.
   */
  async ask<T>(command: () => Promise<T>): Promise<T> {
    try {
      return await command();
    } catch (error) {
      if (error instanceof TypeError || error instanceof FlowgateError || isRefusal(error)) throw error;
      const reason = reasonOf(error);
      // NOSCRIPT: somebody emptied Redis' cache of scripts, and only a new connection sends their text again.
      if (reason === 'TIMEOUT' || reason === 'NOSCRIPT') this.#replace(reason);
      throw new FlowgateError(this.#code, `Redis cannot be used now (${reason})`);
    }
  }

  /** Ends the connection, after what is under way if that is soon. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const { redis } = this;
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(GOODBYE_MS, resolve);
      const done = () => {
        cancel();
        resolve();
      };
      redis.quit().then(done, done);
    });
    redis.disconnect();
  }

  #replace(reason: string): void {
    this.#reason = reason;
    this.redis.stream.destroy();
  }

  #noteUp(): void {
    if (this.#isDown) this.#log?.info('Redis can be used again');
    this.#isDown = false;
    this.#reason = CLOSED;
  }

  #noteDown(): void {
    if (this.#isDown || this.#isClosing) return;
    this.#isDown = true;
    this.#log?.error({ code: this.#code, reason: this.#reason }, 'Redis cannot be used');
  }
}

/** A refusal by one of BullMQ's scripts: the job is gone, or its lock is another's. */
export function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'number';
}

/** What went wrong, in one word: the system's code, or the word that Redis' own errors begin with. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return CLOSED;
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error.message.includes('Command timed out')) return 'TIMEOUT';
  return /(?:^|: )([A-Z]{3,})\b/.exec(error.message)?.[1] ?? CLOSED;
}
