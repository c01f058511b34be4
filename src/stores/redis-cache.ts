/**
 * The second level of the cache in Redis, and the bus that tells other servers which keys have changed.
 *
 * bentocache's own bus cannot be used on a connection that refuses commands while Redis is away: it subscribes once, without
 * looking whether that worked, and opens connections that nobody listens to. This one subscribes whenever Redis is there, and
 * each time empties the memory level: what was changed while nobody listened is not known.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { redisDriver } from 'bentocache/drivers/redis';
import type { BusDriver, CacheBusMessage, InternalOperationWrapper } from 'bentocache/types';
import { CacheBusMessageType } from 'bentocache/types';
import type { Clock } from '../clock.ts';
import { RedisConnection } from './redis-connection.ts';

/** A user waits. */
const TIMEOUT_MS = 250;

export interface RedisCacheOptions {
  readonly url: string;
  readonly prefix: string;
  readonly clock: Clock;
}

/** Silent: the inbox, which needs Redis more, logs when it is away. */
export function openRedisCache({ url, prefix, clock }: RedisCacheOptions) {
  const options = { url, clock, timeoutMs: TIMEOUT_MS, code: 'STATE_UNAVAILABLE' } as const;
  const connection = new RedisConnection(options);
  const listener = new RedisConnection(options);
  // What only listens does not notice that nobody is there any longer.
  connection.redis.on('close', () => listener.redis.stream?.destroy());
  const bus = new RedisCacheBus(connection, listener, prefix);
  const wrap = ((operation: () => Promise<unknown>) => {
    return connection.ask(async () => await operation());
  }) as InternalOperationWrapper;
  return {
    level: redisDriver({ connection: connection.redis }),
    bus: { options: { retryQueue: { enabled: false, retryInterval: false } } as const, factory: () => bus },
    /** Gives up what Redis does not answer in time, and the connection with it. */
    wrap,
    /** Resolves when both can be used, or after 250 ms without Redis. */
    ready: () => inTime(Promise.all([connected(connection), bus.listening]), clock),
    close: async () => void (await Promise.all([connection.close(), listener.close()])),
  };
}

class RedisCacheBus implements BusDriver {
  readonly #connection: RedisConnection;
  readonly #listener: RedisConnection;
  readonly #prefix: string;
  readonly #channel: string;
  readonly #id = randomUUID();
  #setListening = () => {};
  /** Resolves when it listens for the first time. */
  readonly listening = new Promise<void>((resolve) => {
    this.#setListening = resolve;
  });

  constructor(connection: RedisConnection, listener: RedisConnection, prefix: string) {
    this.#connection = connection;
    this.#listener = listener;
    this.#prefix = prefix;
    this.#channel = `${prefix}:changes`;
  }

  setId(): this {
    return this;
  }

  onReconnect(): void {}

  /** @param _channel bentocache's own, without our prefix. */
  async publish(_channel: string, message: unknown): Promise<void> {
    const text = JSON.stringify({ from: this.#id, message });
    await this.#connection.ask(() => this.#connection.redis.publish(this.#channel, text));
  }

  async subscribe(_channel: string, handler: (message: never) => void | Promise<void>): Promise<void> {
    const { redis } = this.#listener;
    const handle = handler as (message: CacheBusMessage) => void;
    redis.on('message', (_, text) => {
      const message = readMessage(text, this.#id);
      if (message) handle(message);
    });
    const listen = async () => {
      await redis.subscribe(this.#channel);
      handle({ type: CacheBusMessageType.Clear, keys: [], namespace: this.#prefix });
      this.#setListening();
    };
    const listenAgain = () => void this.#listener.ask(listen).catch(() => {});
    redis.on('ready', listenAgain);
    if (redis.status === 'ready') listenAgain();
  }

  async unsubscribe(): Promise<void> {}

  async disconnect(): Promise<void> {}
}

/** @returns undefined for our own, and for what is no message: bentocache ends the process over one. */
function readMessage(text: string, ownId: string): CacheBusMessage | undefined {
  try {
    const { from, message } = JSON.parse(text);
    const isMessage = typeof message.type === 'string' && Array.isArray(message.keys);
    return isMessage && from !== ownId ? message : undefined;
  } catch {
    return undefined;
  }
}

function connected({ redis }: RedisConnection): Promise<unknown> {
  return redis.status === 'ready' ? Promise.resolve() : once(redis, 'ready');
}

function inTime(ready: Promise<unknown>, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(TIMEOUT_MS, resolve);
    const done = () => {
      cancel();
      resolve();
    };
    ready.then(done, done);
  });
}
