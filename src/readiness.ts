/**
 * `/readyz`: whether this process should be sent traffic, and if not, why not.
 *
 * Red is for what another process could do better: a store that cannot be written, keys that could not be loaded, threads
 * that do not decrypt, an event loop that stands still, a process that is ending. Not for a full queue: where every
 * process is beyond its capacity, taking all of them away would serve nobody.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from './clock.ts';
import type { Route } from './http/router.ts';

/** @returns the problem in one sentence, or undefined. */
export type Check = () => string | undefined | Promise<string | undefined>;

const NO_STORE = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };
/** Nobody waits that long for a screen: Meta gives up at ten seconds, and alerts from one. */
const MAX_LOOP_DELAY_MS = 1_000;
/** A stall is held against the process for this long. */
const LOOP_WINDOW_MS = 10_000;

export class Readiness {
  readonly #checks: Readonly<Record<string, Check>>;
  #isDraining = false;

  /** @param checks by the name under which a problem is told. */
  constructor(checks: Readonly<Record<string, Check>>) {
    this.#checks = checks;
  }

  /** Red from here on: the process is about to end. */
  drain(): void {
    this.#isDraining = true;
  }

  /** What is wrong, by check; empty when the process is ready. */
  async problems(): Promise<Record<string, string>> {
    if (this.#isDraining) return { process: 'ending: it answers what it has and takes nothing new' };
    const found = await Promise.all(
      Object.entries(this.#checks).map(async ([name, check]) => [name, await check()] as const),
    );
    return Object.fromEntries(found.filter((entry): entry is [string, string] => entry[1] !== undefined));
  }

  /** 200 or 503, with `{ ready, problems }`. */
  readonly route: Route = {
    methods: ['GET', 'HEAD'],
    handler: async () => {
      const problems = await this.problems();
      const ready = Object.keys(problems).length === 0;
      return { status: ready ? 200 : 503, headers: NO_STORE, body: JSON.stringify({ ready, problems }) };
    },
  };
}

/** A check that fails where `ask` rejects. */
export function answers(ask: () => Promise<unknown>): Check {
  return () =>
    ask().then(
      () => undefined,
      (error: Error) => error.message,
    );
}

/** The longest delay since the last `reset`, in nanoseconds: of Node's own histogram, or a test's. */
export interface LoopDelay {
  readonly max: number;
  reset(): void;
}

export function probeLoop(): LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: 20 });
  histogram.enable();
  return histogram;
}

/** A check that fails when the event loop was held up for a second or more within the last ten. */
export function loopRuns(clock: Clock, delay: LoopDelay): Check {
  let heldUpAtMs = Number.NEGATIVE_INFINITY;
  let longestMs = 0;
  return () => {
    const delayMs = delay.max / 1e6;
    delay.reset();
    const nowMs = clock.nowMs();
    if (delayMs >= MAX_LOOP_DELAY_MS) {
      heldUpAtMs = nowMs;
      longestMs = delayMs;
    }
    if (nowMs - heldUpAtMs >= LOOP_WINDOW_MS) return undefined;
    return `the event loop was held up for ${Math.round(longestMs)} ms: a handler blocks it`;
  };
}
