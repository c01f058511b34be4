import { APP, type App, createApp } from '../../src/app.ts';
import type { GraphFor } from '../../src/graph/graph.ts';
import type { Metrics } from '../../src/metrics/registry.ts';
import type { AttemptOutcome } from '../../src/metrics/webhook-metrics.ts';
import { type FindSender, Sender } from '../../src/tenants/sender.ts';
import type { MetaEvent } from '../../src/testing/index.ts';
import { type AttemptDeps, runAttempt } from '../../src/webhooks/attempt.ts';
import type { ClaimedItem, ItemRecord, NewItem } from '../../src/webhooks/inbox.ts';
import { itemOf } from './any-delivery.ts';
import { memoryFacilities } from './facilities.ts';
import { FakeClock } from './fake-clock.ts';
import { recordingLog } from './log.ts';
import { MemoryInbox } from './memory-inbox.ts';

export const LEASE_MS = 30_000;

/** Lets everything happen that waits for no clock. */
export async function flush(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise(setImmediate); // the workers wait for one of their own
}

/** A promise that a test settles. */
export function deferred<T = unknown>(): {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((resolveIt, rejectIt) => {
    resolve = resolveIt;
    reject = rejectIt;
  });
  return { promise, resolve, reject };
}

const noGraph: GraphFor = () => {
  throw new TypeError('GRAPH_TOKEN is not set');
};

const noSender: FindSender = () => new Sender();

export interface Attempted {
  readonly type: string;
  readonly outcome: AttemptOutcome;
  readonly durationMs: number;
}

/** All that an attempt works with, for a test to hand items to and to look at afterwards. */
export class Attempts {
  readonly app: App = createApp();
  readonly clock = new FakeClock();
  readonly inbox = new MemoryInbox(this.clock, { leaseMs: LEASE_MS });
  readonly log = recordingLog();
  /** What the metrics were told. */
  readonly ended: Attempted[] = [];
  /** Aborts when the process stops; for one that was started again, give it another. */
  stopping = new AbortController();
  readonly deps: AttemptDeps;

  constructor({
    random = () => 0,
    logErrorMessages = false,
    graphFor = noGraph,
    findSender = noSender,
  }: Partial<AttemptDeps> = {}) {
    const metrics: Pick<Metrics, 'attempt'> = {
      attempt: (type, outcome, durationMs) => void this.ended.push({ type, outcome, durationMs }),
    };
    this.deps = {
      inbox: this.inbox,
      clock: this.clock,
      log: this.log.log,
      graphFor,
      findSender,
      facilities: memoryFacilities(this.clock),
      flows: this.app[APP].flows,
      handlers: this.app[APP].handlers,
      metrics: metrics as Metrics,
      leaseMs: LEASE_MS,
      random,
      logErrorMessages,
    };
  }

  /** Stores an item, or the event as it would be stored. @returns its id. */
  async store(what: NewItem | MetaEvent): Promise<string> {
    const item = 'payload' in what ? what : itemOf(what);
    await this.inbox.append([item]);
    return item.id;
  }

  async claim(): Promise<ClaimedItem> {
    const [item] = await this.inbox.claim(1, AbortSignal.abort());
    if (!item) throw new Error('nothing is due');
    return item;
  }

  /** Begins an attempt at what is due, and lets it go as far as it gets without time passing. */
  async begin(): Promise<{ readonly ended: Promise<void> }> {
    const ended = runAttempt(await this.claim(), this.stopping.signal, this.deps);
    await flush();
    return { ended };
  }

  /** One attempt at what is due, to its end. @returns its outcome. */
  async attempt(): Promise<AttemptOutcome | undefined> {
    await (await this.begin()).ended;
    return this.ended.at(-1)?.outcome;
  }

  /** Attempts an item again and again, each time when it is due, until it is not retried any more. */
  async exhaust(id: string): Promise<void> {
    while ((await this.attempt()) === 'retry') this.clock.advance(await this.dueInMs(id));
  }

  async find(id: string): Promise<ItemRecord> {
    const record = await this.inbox.find(id);
    if (!record) throw new Error(`the inbox does not know ${id}`);
    return record;
  }

  async dueInMs(id: string): Promise<number> {
    return (await this.find(id)).dueAtMs - this.clock.epochMs();
  }

  /** Lets time pass in steps, and after each whatever follows from it. */
  async pass(...stepsMs: readonly number[]): Promise<void> {
    for (const ms of stepsMs) {
      this.clock.advance(ms);
      await flush();
    }
  }
}
