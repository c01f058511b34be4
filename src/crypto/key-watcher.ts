/**
 * Keeps the keys that serve in step with their files.
 *
 * Files are checked as at the start, and new threads prove themselves with the new keys before they take over. Whatever
 * goes wrong, the keys that served go on serving; what it was is told once in the log, and for as long as it lasts here.
 */
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { KeySource } from '../config/key-settings.ts';
import { codeOf, FlowgateError, stackOf } from '../errors.ts';
import type { Metrics } from '../metrics/registry.ts';
import type { KeyReport } from './key-report.ts';
import type { KeyRing } from './keyring.ts';

/** A problem may go away without a change to a file that is watched: so often it is looked at again. */
export const RETRY_MS = 30_000;

export interface KeyWatcherOptions {
  readonly keys: KeyRing;
  readonly keySource: KeySource;
  readonly replaceKeys: (keys: KeyRing) => Promise<void>;
  readonly watch: (paths: readonly string[], onChange: () => void, clock: Clock) => { close(): void };
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export class KeyWatcher implements KeyReport {
  readonly #options: KeyWatcherOptions;
  readonly #watch: { close(): void };
  #keys: KeyRing;
  #problem: string | undefined;
  #running = Promise.resolve();
  /** The reload that begins when the one that runs is done. */
  #waiting: Promise<void> | undefined;
  #cancelRetry = () => {};
  #isClosed = false;

  constructor(options: KeyWatcherOptions) {
    const { keys, keySource, watch, clock, metrics } = options;
    this.#options = options;
    this.#keys = keys;
    metrics.keysFrom(() => ({
      keys: this.#keys.map(({ fingerprint, modifiedAtMs }) => ({
        fingerprint,
        ageMs: modifiedAtMs === undefined ? undefined : clock.epochMs() - modifiedAtMs,
      })),
      hasProblem: this.#problem !== undefined,
    }));
    const { paths } = keySource;
    this.#watch = paths.length === 0 ? NOTHING_WATCHED : watch(paths, () => void this.reload(), clock);
    if (paths.length > 0) void this.reload(); // they may have changed since they were read
  }

  get fingerprints(): readonly string[] {
    return this.#keys.map(({ fingerprint }) => fingerprint);
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  /** Loads the keys anew; resolves when they serve, or when it is clear why they cannot. One at a time. */
  reload(): Promise<void> {
    this.#waiting ??= this.#running.then(() => {
      this.#waiting = undefined;
      this.#running = this.#reload();
      return this.#running;
    });
    return this.#waiting;
  }

  /** Resolves when no reload runs and none will. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watch.close();
    this.#cancelRetry();
    await (this.#waiting ?? this.#running);
  }

  async #reload(): Promise<void> {
    if (this.#isClosed) return;
    const { keySource, replaceKeys, clock, log } = this.#options;
    this.#cancelRetry();
    try {
      const keys = keySource.load();
      const isChanged = fingerprintsOf(keys) !== fingerprintsOf(this.#keys);
      if (isChanged) await replaceKeys(keys);
      this.#keys = keys;
      if (isChanged) log.info({ keys: this.fingerprints }, 'other private keys serve now');
      else if (this.#problem !== undefined)
        log.info({ keys: this.fingerprints }, 'the private keys are in order again');
      this.#problem = undefined;
    } catch (error) {
      this.#note(error);
      if (!this.#isClosed) this.#cancelRetry = clock.after(RETRY_MS, () => void this.reload());
    }
  }

  #note(error: unknown): void {
    const isKnown = error instanceof FlowgateError;
    const problem = isKnown ? error.message : 'the private keys cannot be loaded, by a defect: see the log';
    if (problem !== this.#problem) {
      const detail = { code: codeOf(error), keys: this.fingerprints, ...(!isKnown && { stack: stackOf(error) }) };
      this.#options.log.error(detail, `the private keys stay as they are: ${problem}`);
    }
    this.#problem = problem;
  }
}

const NOTHING_WATCHED = { close: () => {} };

function fingerprintsOf(keys: KeyRing): string {
  return keys.map(({ fingerprint }) => fingerprint).join();
}
