/** Names that led nowhere, remembered for a while and up to a bound: anybody can make them up. */
import type { Clock } from '../clock.ts';
import type { FlowgateError } from '../errors.ts';
import { setLast } from '../last-used.ts';

export const MAX_MISSING = 1_000;

interface Missing {
  readonly error: FlowgateError;
  /** Monotonic ms. */
  readonly untilMs: number;
  /** What the log told of it. */
  readonly told: string | undefined;
}

export class MissingTenants {
  readonly #clock: Clock;
  /** Oldest first. */
  readonly #missing = new Map<string, Missing>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Why a name led nowhere, and still does. */
  errorOf(name: string): FlowgateError | undefined {
    const missing = this.#missing.get(name);
    return missing && this.#clock.nowMs() < missing.untilMs ? missing.error : undefined;
  }

  /** What the log told of a name the last time; known for longer than its error. */
  toldOf(name: string): string | undefined {
    return this.#missing.get(name)?.told;
  }

  add(name: string, error: FlowgateError, forMs: number, told: string | undefined): void {
    setLast(this.#missing, name, { error, untilMs: this.#clock.nowMs() + forMs, told }, MAX_MISSING);
  }

  delete(name: string): void {
    this.#missing.delete(name);
  }
}
