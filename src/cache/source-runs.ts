/** The sources that run for a cache: timed, and given up when they never end. */
import type { Clock } from '../clock.ts';
import type { CacheMetrics } from '../metrics/cache-metrics.ts';

/** One that takes longer has failed; what it finds afterwards is dropped. */
const LOAD_TIMEOUT_MS = 30_000;

export interface SourceRunDeps {
  readonly clock: Clock;
  readonly metrics?: Pick<CacheMetrics, 'cacheLoad'> | undefined;
}

export class SourceRuns {
  readonly #deps: SourceRunDeps;
  /** How to wait for each no longer. */
  readonly #running = new Set<() => void>();

  constructor(deps: SourceRunDeps) {
    this.#deps = deps;
  }

  /** Settles as the source does, but within 30 s. */
  async run(source: () => unknown): Promise<unknown> {
    const { clock, metrics } = this.#deps;
    const startedMs = clock.nowMs();
    let outcome: 'ok' | 'failed' = 'failed';
    try {
      const found = await this.#inTime(source);
      outcome = 'ok';
      return found;
    } finally {
      metrics?.cacheLoad(outcome, clock.nowMs() - startedMs);
    }
  }

  /** Fails those that run: one that never ends must not hold up the end. */
  close(): void {
    for (const giveUp of this.#running) giveUp();
  }

  #inTime(source: () => unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const fail = () => reject(new Error(`what c.cache was to load did not come within ${LOAD_TIMEOUT_MS} ms`));
      const cancel = this.#deps.clock.after(LOAD_TIMEOUT_MS, fail);
      const end = () => {
        cancel();
        this.#running.delete(giveUp);
      };
      const giveUp = () => {
        end();
        reject(new Error('the cache was closed'));
      };
      this.#running.add(giveUp);
      const run = async () => source();
      run().then(resolve, reject).finally(end);
    });
  }
}
