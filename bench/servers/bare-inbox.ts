/**
 * A store filled without HTTP, signatures and JSON to parse: what an event costs at least. The command line says which
 * store, and how many events it is given at a time.
 */
import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { systemClock } from '../../dist/clock.js';
import { inboxFromEnv } from '../../dist/config/command-settings.js';
import { createLog } from '../../dist/log.js';
import { openInbox } from '../../dist/stores/open-inbox.js';
import { itemsIn } from '../../dist/webhooks/delivery.js';
import type { NewItem } from '../../dist/webhooks/inbox.js';
import { BenchError } from '../support/bench-error.ts';
import type { EngineLoad, EngineRun } from '../support/messages.ts';
import { readRedisCpuMicros } from '../support/redis-server.ts';
import type { StoreWork } from '../support/store-work.ts';
import { deliveryText, nextMessageId } from '../support/webhook-load.ts';
import { serveBench } from './child-side.ts';
import { runSaturated } from './saturation.ts';

interface BareStore {
  /** @returns whether all were new. */
  append(items: readonly NewItem[]): Promise<boolean>;
  /** Events in it. */
  count(): Promise<number>;
  /** Since the start. */
  work(): Promise<StoreWork>;
}

const START = { sqlite: startSqlite, bullmq: startBullmq };
/** What the endpoint makes of a delivery: all but the id is the same in every event. */
const [ITEM] = itemsIn(Buffer.from(deliveryText([nextMessageId()])), Date.now());

async function startSqlite(): Promise<BareStore> {
  const { dataDir } = inboxFromEnv();
  let commits = 0;
  const onCommit = () => {
    commits += 1;
  };
  const options = { redisUrl: undefined, dataDir, clock: systemClock, log: createLog('error'), onCommit };
  const inbox = await openInbox(options);
  return {
    append: async (items) => !(await inbox.append(items)).includes(false),
    count: async () => (await inbox.stats()).waiting,
    work: async () => ({ commits }),
  };
}

/** As one would use it: the id of an event for a job's id, so that what is known already is not added again. */
async function startBullmq(): Promise<BareStore> {
  const { redisUrl } = inboxFromEnv();
  if (redisUrl === undefined) throw new BenchError('REDIS_URL is not set');
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const queue = new Queue('bare', { connection: redis });
  await queue.waitUntilReady();
  const toJob = ({ id, type, payload }: NewItem) => ({ name: type, data: payload, opts: { jobId: id } });
  return {
    async append(items) {
      const [first, ...others] = items.map(toJob);
      if (first && others.length === 0) return (await queue.add(first.name, first.data, first.opts)).id !== undefined;
      return first !== undefined && (await queue.addBulk([first, ...others])).length === items.length;
    },
    count: () => queue.getWaitingCount(),
    work: async () => ({ redisCpuMicros: await readRedisCpuMicros(redis) }),
  };
}

function newItem(): NewItem {
  if (!ITEM) throw new BenchError('a delivery has no event');
  return { ...ITEM, id: `evt_${randomUUID().replaceAll('-', '')}` };
}

async function run(store: BareStore, batch: number, load: EngineLoad): Promise<EngineRun> {
  let appended = 0;
  const append = async () => {
    const isNew = await store.append(Array.from({ length: batch }, newItem));
    appended += batch;
    return isNew;
  };
  const done = await runSaturated(append, load, () => store.work());
  const stored = await store.count();
  if (stored !== appended) throw new BenchError(`${appended} events were appended, and ${stored} are stored`);
  return done;
}

const [, , name = '', batch = '1'] = process.argv;
let store: BareStore | undefined;

await serveBench(
  async () => {
    if (!(name in START)) throw new BenchError(`there is no store ${name}`);
    store = await START[name as keyof typeof START]();
    return { port: 0, description: name };
  },
  { run: (load) => (store ? run(store, Number(batch), load) : Promise.reject(new BenchError('there is no store'))) },
);
