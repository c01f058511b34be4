/** Keeps a number of operations in flight, and tells how many ended and how long each took. */
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchError, reasonOf } from '../support/bench-error.ts';
import type { EngineLoad, EngineRun } from '../support/messages.ts';
import { Durations } from '../support/statistics.ts';
import { type StoreWork, workBetween } from '../support/store-work.ts';
import { takeUsage } from './child-side.ts';

/** @returns whether it went well. */
type Operation = () => Promise<boolean>;

/**
 * Warm-up, measured time, and the end of what is in flight. Rejects with a BenchError when an operation went wrong.
 *
 * @param readStore what a store has done since its start.
 */
export async function runSaturated(
  operation: Operation,
  { inFlight, warmUpMs, measuredMs }: EngineLoad,
  readStore: () => Promise<StoreWork> = async () => ({}),
): Promise<EngineRun> {
  const saturation = new Saturation(operation, inFlight);
  await sleep(warmUpMs);
  const storeBefore = await readStore();
  takeUsage();
  saturation.startWindow();
  const startedMs = performance.now();
  await sleep(measuredMs);
  const usage = takeUsage();
  const seconds = (performance.now() - startedMs) / 1_000;
  const { durations } = saturation;
  saturation.startWindow(); // what ends from here on belongs nowhere
  const store = workBetween(storeBefore, await readStore());
  await saturation.stop();
  if (durations.count === 0) throw new BenchError('no operation ended in the measured time');
  const [p50Ms, p99Ms] = [durations.percentile(0.5), durations.percentile(0.99)];
  return { ...usage, operations: durations.count, seconds, p50Ms, p99Ms, store };
}

class Saturation {
  durations = new Durations();
  readonly #operation: Operation;
  readonly #inFlight: number;
  #pending = 0;
  #wrong = 0;
  #firstReason = 'its result was not the right one';
  #stopped = false;
  #isFillScheduled = false;

  constructor(operation: Operation, inFlight: number) {
    this.#operation = operation;
    this.#inFlight = inFlight;
    this.#scheduleFill();
  }

  startWindow(): void {
    this.durations = new Durations();
  }

  /** Waits for what is in flight. Rejects when any operation went wrong. */
  async stop(): Promise<void> {
    this.#stopped = true;
    while (this.#pending > 0) await sleep(5);
    if (this.#wrong > 0) throw new BenchError(`${this.#wrong} operations went wrong: ${this.#firstReason}`);
  }

  /** Once for every turn of the event loop, as requests come in on a server. */
  #scheduleFill(): void {
    if (this.#isFillScheduled || this.#stopped) return;
    this.#isFillScheduled = true;
    setImmediate(() => {
      this.#isFillScheduled = false;
      while (!this.#stopped && this.#pending < this.#inFlight) void this.#one();
    });
  }

  async #one(): Promise<void> {
    this.#pending += 1;
    const startedMs = performance.now();
    const isRight = await this.#operation().catch((error) => this.#note(error));
    this.durations.add(performance.now() - startedMs);
    this.#pending -= 1;
    if (!isRight) this.#wrong += 1;
    this.#scheduleFill();
  }

  #note(error: unknown): false {
    if (this.#wrong === 0) this.#firstReason = reasonOf(error);
    return false;
  }
}
