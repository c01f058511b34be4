/**
 * How many stored webhook events a second does one process handle?
 *
 * How to read it: the inbox is filled first; then the service starts and each event is claimed, run through a handler
 * that does next to nothing, and settled, 32 at a time (`INBOX_CONCURRENCY`). So this is the most that is left for
 * handlers, and "CPU each" what an event costs beside its handler. Counted from when a tenth is settled to the last; a
 * run is thrown away unless the handler saw every event exactly once and nothing is left. The embedded store's process
 * also listens; the one on Redis is a worker (`ROLE=worker`), and more of them would share the work.
 */
import { type Bench, type BenchContext, formatCount, Samples } from './support/bench.ts';
import { BenchChild, EMBEDDED_STORE } from './support/child.ts';
import { takingTurns } from './support/comparison.ts';
import { measureDisk } from './support/disk.ts';
import type { Figures } from './support/figures.ts';
import { lookForRedis, RedisServer } from './support/redis-server.ts';
import { storeFigures } from './support/store-work.ts';

const COLUMNS = [
  ...(['eventsPerSec', 'cpuMicros', 'redisCpuMicros', 'fsyncsPerSec', 'eventsPerFsync'] as const),
  ...(['loopDelayP99Ms', 'rssMb'] as const),
] as const;
const WAYS = [
  { label: 'embedded store', drain: drainEmbedded },
  { label: 'Redis', drain: drainRedis },
] as const;

export const bench: Bench = {
  name: 'webhook-drain',
  question: 'How many stored webhook events a second does one process handle?',
  async run(context) {
    const { scale, progress } = context;
    const redis = lookForRedis();
    const ways = redis.isThere ? WAYS : WAYS.slice(0, 1);
    progress.begin(scale.rounds * ways.length);
    const disk = measureDisk(scale.rawMs);
    const samples = new Samples();
    let atATime = '';
    for (let round = 0; round < scale.rounds; round++) {
      for (const { label, drain } of takingTurns(ways, round)) {
        progress.step(label);
        const { figures, description } = await drain(context);
        samples.add(label, figures);
        atATime = description;
      }
    }
    return {
      setup: `${formatCount(scale.drainEvents)} events, ${atATime}; ${disk.description}${redis.description}`,
      tables: [samples.table('store', COLUMNS)],
      verdicts: [],
      notes: [...disk.notes, ...redis.notes],
    };
  },
};

interface Drained {
  readonly figures: Figures;
  /** `32 at a time` */
  readonly description: string;
}

function drainEmbedded(context: BenchContext): Promise<Drained> {
  return drainOnce(EMBEDDED_STORE, context);
}

async function drainRedis(context: BenchContext): Promise<Drained> {
  await using redis = await RedisServer.start();
  return await drainOnce({ ...EMBEDDED_STORE, REDIS_URL: redis.url, ROLE: 'worker' }, context);
}

async function drainOnce(settings: NodeJS.ProcessEnv, { scale, credentials }: BenchContext): Promise<Drained> {
  await using child = await BenchChild.start('drain', credentials, [String(scale.drainEvents)], settings);
  const { events, seconds, cpuMicros, store, loopDelayP99Ms, rssBytes } = await child.drain();
  const figures = {
    eventsPerSec: events / seconds,
    cpuMicros: cpuMicros / events,
    ...{ loopDelayP99Ms, rssMb: rssBytes / 1e6 },
    ...storeFigures(store, events, seconds),
  };
  return { figures, description: child.description };
}
