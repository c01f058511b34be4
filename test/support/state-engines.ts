/** The state stores that can run on this machine: every promise of the contract is tested on each of them. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type Clock, systemClock } from '../../src/clock.ts';
import type { StateStore } from '../../src/state/state-store.ts';
import { openRedisState } from '../../src/stores/redis-state.ts';
import { openSqliteState } from '../../src/stores/sqlite-state.ts';
import { temporaryDirectory } from './command.ts';
import { silentLog } from './log.ts';
import { MemoryState } from './memory-state.ts';
import { TestRedis } from './redis.ts';
import { hasRedisServer, redisUrl } from './redis-available.ts';

export interface TestStore {
  /** Opened again, after `close`, it holds what it held. */
  open(): Promise<StateStore>;
  /** Lets this much of the time of every record pass. */
  elapse(ms: number): Promise<void>;
}

export interface StateEngine {
  readonly name: string;
  /** Whether what is stored outlives the store that stored it. */
  readonly isDurable: boolean;
  /** Whether time passes only when a test says so: then it is tested to the millisecond. */
  readonly isExact: boolean;
  /** Makes stores, each empty, until it is disposed of. */
  start(): Promise<{ newStore(): TestStore } & AsyncDisposable>;
}

/** Time that passes between two calls, and never while one is under way: no timer fires. */
class StillClock implements Clock {
  #nowMs = 1_000;

  nowMs(): number {
    return this.#nowMs;
  }

  epochMs(): number {
    return 1_800_000_000_000 + this.#nowMs;
  }

  after(): () => void {
    return () => {};
  }

  pass(ms: number): void {
    this.#nowMs += ms;
  }
}

/** The double that other tests use, held to the same contract. */
const memory: StateEngine = {
  name: 'memory',
  isDurable: false,
  isExact: true,
  start: async () => ({
    newStore: () => {
      const clock = new StillClock();
      return { open: async () => new MemoryState(clock), elapse: async (ms) => clock.pass(ms) };
    },
    [Symbol.asyncDispose]: async () => {},
  }),
};

const sqlite: StateEngine = {
  name: 'sqlite',
  isDurable: true,
  isExact: true,
  start: async () => ({
    newStore: () => {
      const clock = new StillClock();
      const path = join(temporaryDirectory(), 'state.db');
      return {
        open: () => openSqliteState({ path, clock, log: silentLog }),
        elapse: async (ms) => clock.pass(ms),
      };
    },
    [Symbol.asyncDispose]: async () => {},
  }),
};

const redis: StateEngine = {
  name: 'redis',
  isDurable: true,
  isExact: false,
  start: async () => {
    const server = hasRedisServer ? await TestRedis.start() : undefined;
    const url = server?.url ?? redisUrl ?? '';
    const client = new Redis(url);
    return {
      newStore: () => {
        const prefix = `flowgate-test-${randomUUID()}`;
        return { open: () => openPatient(url, prefix), elapse: (ms) => shorten(client, prefix, ms) };
      },
      [Symbol.asyncDispose]: async () => {
        client.disconnect();
        await server?.[Symbol.asyncDispose]();
      },
    };
  },
};

/** Connected, and with more time for an answer than a machine needs that runs other tests as well. */
async function openPatient(url: string, prefix: string): Promise<StateStore> {
  const state = openRedisState({ url, prefix, clock: systemClock, log: silentLog, timeoutMs: 10_000 });
  for (;;) {
    const isReady = await state.get('ready').then(
      () => true,
      () => false,
    );
    if (isReady) return state;
    await new Promise(setImmediate);
  }
}

/** Redis has its own clock: what is left to each record is cut instead. */
async function shorten(client: Redis, prefix: string, ms: number): Promise<void> {
  for (const key of await client.keys(`${prefix}:*`)) {
    const leftMs = (await client.pttl(key)) - ms;
    if (leftMs > 0) await client.pexpire(key, leftMs);
    else await client.del(key);
  }
}

export const stateEngines: readonly StateEngine[] = [memory, sqlite, ...(hasRedisServer || redisUrl ? [redis] : [])];
