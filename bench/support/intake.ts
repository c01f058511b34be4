/** One way to take webhook events in, measured under one load, with an inbox of its own that is empty at first. */
import { checkStored, readCommits } from './admin-port.ts';
import type { BenchContext } from './bench.ts';
import { BenchChild, EMBEDDED_STORE } from './child.ts';
import { type MeasuredServer, runClosedLoop } from './closed-loop.ts';
import type { Credentials } from './credentials.ts';
import type { Figures } from './figures.ts';
import type { Usage } from './messages.ts';
import { RedisServer } from './redis-server.ts';
import { type StoreWork, storeFigures, workBetween } from './store-work.ts';
import { DeliveryLoad } from './webhook-load.ts';

export interface IntakeWay {
  readonly label: string;
  readonly store: 'embedded' | 'redis';
  /** The child process, and its command line. */
  readonly child: 'intake' | 'bare-inbox';
  readonly args: readonly string[];
  /** The way to compare it with, by its label, and what the ratio is called. */
  readonly against?: { readonly bare: string; readonly ratio: string };
}

const BARE_COMMIT = 'bare group commit';
const BARE_BULLMQ = 'bare BullMQ';

/** The first is what a user has who sets nothing. */
export const INTAKE_WAYS: readonly [IntakeWay, ...IntakeWay[]] = [
  { label: 'embedded store, as it runs', store: 'embedded', child: 'intake', args: [] },
  {
    label: 'embedded store, intake alone',
    store: 'embedded',
    child: 'intake',
    args: ['alone'],
    against: { bare: BARE_COMMIT, ratio: 'embedded / bare' },
  },
  { label: BARE_COMMIT, store: 'embedded', child: 'bare-inbox', args: ['sqlite'] },
  {
    label: 'Redis, intake alone',
    store: 'redis',
    child: 'intake',
    args: ['alone'],
    against: { bare: BARE_BULLMQ, ratio: 'Redis / bare' },
  },
  { label: BARE_BULLMQ, store: 'redis', child: 'bare-inbox', args: ['bullmq'] },
];

export interface IntakeLoad {
  readonly connections: number;
  /** Events in each delivery. */
  readonly batch: number;
}

/** @returns its figures, and what the child says of itself. */
export async function measureIntake(
  way: IntakeWay,
  load: IntakeLoad,
  context: BenchContext,
): Promise<{ figures: Figures; description: string }> {
  await using redis = way.store === 'redis' ? await RedisServer.start() : undefined;
  const settings = { ...EMBEDDED_STORE, ...(redis && { REDIS_URL: redis.url }) };
  const args = way.child === 'intake' ? way.args : [...way.args, String(load.batch)];
  await using child = await BenchChild.start(way.child, context.credentials, args, settings);
  const times = timesFor(load, context);
  const measuring =
    way.child === 'intake'
      ? measureService(child, redis, load, times, context.credentials)
      : measureBare(child, load, times);
  return { figures: await measuring, description: child.description };
}

interface Times {
  readonly warmUpMs: number;
  readonly measuredMs: number;
}

/** Half the time for batches: at several times the rate, the million events that may wait would be reached. */
function timesFor({ batch }: IntakeLoad, { scale: { warmUpMs, measuredMs } }: BenchContext): Times {
  const share = batch === 1 ? 1 : 0.5;
  return { warmUpMs: warmUpMs * share, measuredMs: measuredMs * share };
}

async function measureService(
  child: BenchChild,
  redis: RedisServer | undefined,
  { connections, batch }: IntakeLoad,
  times: Times,
  credentials: Credentials,
): Promise<Figures> {
  const deliveries = new DeliveryLoad(credentials, batch);
  deliveries.fillFor(times);
  const server = new WatchedServer(child, redis);
  const { requestsPerSec, cpuMicros, ...others } = await runClosedLoop(server, {
    ...times,
    connections,
    stock: deliveries,
  });
  await checkStored(child.adminPort, deliveries.acknowledged);
  const eventsPerSec = requestsPerSec * batch;
  return {
    eventsPerSec,
    cpuMicros: cpuMicros / batch,
    ...others,
    ...server.storeFigures(eventsPerSec),
  };
}

async function measureBare(child: BenchChild, { connections, batch }: IntakeLoad, times: Times): Promise<Figures> {
  const done = await child.run({ inFlight: connections, ...times });
  const { operations, seconds, cpuMicros, store, p50Ms, p99Ms, loopDelayP99Ms, rssBytes } = done;
  const events = operations * batch;
  return {
    eventsPerSec: events / seconds,
    cpuMicros: cpuMicros / events,
    ...{ p50Ms, p99Ms, loopDelayP99Ms, rssMb: rssBytes / 1e6 },
    ...storeFigures(store, events, seconds),
  };
}

/** A server whose store is looked at whenever it is measured itself: both take some milliseconds, at the same time. */
class WatchedServer implements MeasuredServer {
  readonly port: number;
  readonly #child: BenchChild;
  readonly #redis: RedisServer | undefined;
  #before: Reading = { work: {}, ms: 0 };
  #last: Reading = { work: {}, ms: 0 };

  constructor(child: BenchChild, redis: RedisServer | undefined) {
    this.port = child.port;
    this.#child = child;
    this.#redis = redis;
  }

  async measure(): Promise<Usage> {
    const [usage, work] = await Promise.all([this.#child.measure(), this.#read()]);
    this.#before = this.#last;
    this.#last = { work, ms: performance.now() };
    return usage;
  }

  /** Between the last two measurements. */
  storeFigures(eventsPerSec: number): Figures {
    const seconds = (this.#last.ms - this.#before.ms) / 1_000;
    return storeFigures(workBetween(this.#before.work, this.#last.work), eventsPerSec * seconds, seconds);
  }

  async #read(): Promise<StoreWork> {
    if (this.#redis) return { redisCpuMicros: await this.#redis.cpuMicros() };
    return { commits: await readCommits(this.#child.adminPort) };
  }
}

interface Reading {
  /** Since the start. */
  readonly work: StoreWork;
  /** Monotonic. */
  readonly ms: number;
}
