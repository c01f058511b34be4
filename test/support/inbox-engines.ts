/** The inboxes that can run on this machine: every promise of the contract is tested on each of them. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../src/clock.ts';
import { openRedisInbox } from '../../src/stores/redis-inbox.ts';
import { openSqliteInbox } from '../../src/stores/sqlite-inbox.ts';
import type { Inbox } from '../../src/webhooks/inbox.ts';
import { temporaryDirectory } from './command.ts';
import { silentLog } from './log.ts';
import { MemoryInbox } from './memory-inbox.ts';
import { TestRedis } from './redis.ts';
import { hasRedisServer, redisUrl } from './redis-available.ts';

export interface OpenOptions {
  readonly clock?: Clock;
  readonly leaseMs?: number;
  readonly maxWaiting?: number;
}

/** Opens the inbox of one store; opened again, after `close`, it holds what it held. */
export type Open = (options?: OpenOptions) => Promise<Inbox>;

export interface InboxEngine {
  readonly name: string;
  /** Whether what is stored outlives the inbox that stored it. */
  readonly isDurable: boolean;
  /** Makes stores, each empty, until it is disposed of. */
  start(): Promise<{ newStore(): Open } & AsyncDisposable>;
}

const defaults = { clock: systemClock, log: silentLog };

/** The double that other tests use, held to the same contract. */
const memory: InboxEngine = {
  name: 'memory',
  isDurable: false,
  start: async () => ({
    newStore: () => async (options) => new MemoryInbox(options?.clock ?? systemClock, options),
    [Symbol.asyncDispose]: async () => {},
  }),
};

const sqlite: InboxEngine = {
  name: 'sqlite',
  isDurable: true,
  start: async () => ({
    newStore: () => {
      const path = join(temporaryDirectory(), 'inbox.db');
      return (options) => openSqliteInbox({ ...defaults, path, ...options });
    },
    [Symbol.asyncDispose]: async () => {},
  }),
};

const redis: InboxEngine = {
  name: 'redis',
  isDurable: true,
  start: async () => {
    const server = hasRedisServer ? await TestRedis.start() : undefined;
    const url = server?.url ?? redisUrl ?? '';
    return {
      newStore: () => {
        const prefix = `{flowgate-test-${randomUUID()}}`;
        return (options) => openRedisInbox({ ...defaults, url, prefix, ...options });
      },
      [Symbol.asyncDispose]: async () => await server?.[Symbol.asyncDispose](),
    };
  },
};

export const inboxEngines: readonly InboxEngine[] = [memory, sqlite, ...(hasRedisServer || redisUrl ? [redis] : [])];
