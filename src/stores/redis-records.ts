/** The inbox as its operator sees it: the fields of BullMQ's jobs, read as records and counts. */
import type { Redis } from 'ioredis';
import type { Clock } from '../clock.ts';
import type { InboxStats, ItemKind, ItemRecord, ItemState } from '../webhooks/inbox.ts';
import { repliesOf } from './redis-effects.ts';

/** Where BullMQ keeps the items of a state. */
const SETS = {
  waiting: ['wait', 'delayed'],
  leased: ['active'],
  done: ['completed'],
  dead: ['failed'],
} as const satisfies Record<ItemState, unknown>;
/** BullMQ's names, but for `due`: when the item was last put back, which BullMQ forgets once the delay has passed. */
const FIELDS = ['name', 'timestamp', 'opts', 'ats', 'processedOn', 'finishedOn', 'returnvalue', 'failedReason', 'due'];
const FIELDS_AND_PAYLOAD = [...FIELDS, 'data'];
/** A delayed job's score is its due time times this, plus a number that keeps order within the millisecond. */
const SCORES_PER_MS = 4_096;

/** What the records need of the queue: the names of its keys, and what is in its sets. */
interface Queue {
  toKey(name: string): string;
  getRanges(sets: (typeof SETS)[ItemState][number][], start: number, end: number): Promise<[string][]>;
}

/** What Redis holds of an item. */
interface StoredItem {
  readonly id: string;
  /** The values of `FIELDS`, with or without the payload. */
  readonly values: readonly (string | null)[];
  /** Left of its lease; negative without one. */
  readonly lockMs: number;
  /** Its place among the delayed ones. */
  readonly score: string | null;
}

export class RedisRecords {
  readonly #redis: Redis;
  readonly #queue: Queue;
  readonly #clock: Clock;
  readonly #leaseMs: number;

  constructor(redis: Redis, queue: Queue, clock: Clock, leaseMs: number) {
    this.#redis = redis;
    this.#queue = queue;
    this.#clock = clock;
    this.#leaseMs = leaseMs;
  }

  /** The newest of a state: by when they were finished, or for the unfinished by when they were stored. */
  async newest(state: ItemState, limit: number): Promise<ItemRecord[]> {
    const ids = await this.#queue.getRanges([...SETS[state]], 0, limit - 1);
    const items = await this.#read(ids.flat(), FIELDS);
    const records = items.map((item) => this.#toRecord(item, state));
    const inState = records.filter((record) => record?.state === state) as ItemRecord[]; // the others moved meanwhile
    if (state === 'waiting' || state === 'leased') inState.sort((a, b) => b.storedAtMs - a.storedAtMs);
    return inState.slice(0, limit);
  }

  async find(id: string): Promise<ItemRecord | undefined> {
    const [item] = await this.#read([id], FIELDS_AND_PAYLOAD);
    return item && this.#toRecord(item);
  }

  async countWaiting(): Promise<number> {
    const key = (set: string) => this.#queue.toKey(set);
    const [wait = 0, delayed = 0] = await repliesOf<number>(
      this.#redis.multi().llen(key('wait')).zcard(key('delayed')),
    );
    return wait + delayed;
  }

  async stats(): Promise<InboxStats> {
    const key = (set: string) => this.#queue.toKey(set);
    const counting = this.#redis.multi().llen(key('wait')).zcard(key('delayed')).llen(key('active'));
    const counts = await repliesOf<number>(counting.zcard(key('completed')).zcard(key('failed')));
    const [wait = 0, delayed = 0, leased = 0, done = 0, dead = 0] = counts;
    const dueTimes = await this.#oldestDueTimes();
    const nowMs = this.#clock.epochMs();
    const oldestDueMs = nowMs - Math.min(nowMs, ...dueTimes);
    return { waiting: wait + delayed, leased, done, dead, oldestDueMs };
  }

  /** When the first in the line and the first of the delayed ones are due. */
  async #oldestDueTimes(): Promise<number[]> {
    const [first, [, score]] = await Promise.all([
      this.#redis.lindex(this.#queue.toKey('wait'), -1),
      this.#redis.zrange(this.#queue.toKey('delayed'), 0, 0, 'WITHSCORES'),
    ]);
    const record = first ? await this.find(first) : undefined;
    return [...(record ? [record.dueAtMs] : []), ...(score ? [scoreToMs(score)] : [])];
  }

  async #read(ids: readonly string[], fields: readonly string[]): Promise<StoredItem[]> {
    if (ids.length === 0) return [];
    const reading = this.#redis.multi();
    const delayed = this.#queue.toKey('delayed');
    for (const id of ids) {
      const key = this.#queue.toKey(id);
      reading
        .hmget(key, ...fields)
        .pttl(`${key}:lock`)
        .zscore(delayed, id);
    }
    const replies = await repliesOf<unknown>(reading);
    return ids.map((id, i) => {
      const [values, lockMs, score] = replies.slice(3 * i) as [(string | null)[], number, string | null];
      return { id, values, lockMs, score };
    });
  }

  /** @param foundAs the state whose sets the item was found in, if it was. */
  #toRecord(item: StoredItem, foundAs?: ItemState): ItemRecord | undefined {
    const [type, timestamp, , attempts, , , returnValue, failedReason, , data] = item.values;
    if (!type) return undefined;
    const state = stateOf(item, foundAs);
    const isDone = state === 'done';
    return {
      id: item.id,
      kind: kindOf(item.id),
      type,
      state,
      attempts: Number(attempts ?? 0),
      storedAtMs: Number(timestamp),
      dueAtMs: dueAtMs(item, this.#clock.epochMs(), this.#leaseMs),
      result: isDone ? (JSON.parse(returnValue ?? 'null') ?? undefined) : undefined,
      error: isDone ? undefined : (failedReason ?? undefined),
      ...(data && !isDone && { payload: JSON.parse(data) }),
    };
  }
}

export const kindOf = (id: string): ItemKind => (id.startsWith('job_') ? 'job' : 'event');

/** When a delayed job of this score is due, epoch ms. */
const scoreToMs = (score: string): number => Math.floor(Number(score) / SCORES_PER_MS);

/** An item whose lease has ended waits, though it stays among the active ones until BullMQ looks at them next. */
function stateOf({ values, lockMs }: StoredItem, foundAs: ItemState | undefined): ItemState {
  const [, , , , , finishedOn, returnValue] = values;
  if (finishedOn) return typeof returnValue === 'string' ? 'done' : 'dead';
  return lockMs > 0 || foundAs === 'leased' ? 'leased' : 'waiting';
}

function dueAtMs({ values, lockMs, score }: StoredItem, nowMs: number, leaseMs: number): number {
  const [, timestamp, opts, , processedOn, finishedOn, , , due] = values;
  if (finishedOn) return Number(finishedOn);
  if (lockMs > 0) return nowMs + lockMs;
  if (score) return scoreToMs(score);
  const dueMs = Math.max(Number(timestamp) + (JSON.parse(opts ?? '{}').delay ?? 0), Number(due ?? 0));
  const begunMs = Number(processedOn ?? 0);
  return begunMs >= dueMs ? begunMs + leaseMs : dueMs; // begun, and not put back: its lease has ended
}
