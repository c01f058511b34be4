/** Lines about tenants whose credentials cannot be had: one for each new problem, and no more than a log can take. */
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { stackOf } from '../errors.ts';
import { LookupError } from './lookup.ts';
import { TokenBucket } from './token-bucket.ts';

const LINES = { capacity: 60, perSecond: 1 };

export class ProblemLog {
  readonly #log: Logger;
  readonly #lines: TokenBucket;
  #isClosed = false;

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#lines = new TokenBucket(LINES, clock);
  }

  /**
   * @param toldBefore of the same tenant: the same again gets no line.
   * @returns what is told of this tenant by now.
   */
  tell(tenant: string, error: unknown, toldBefore: string | undefined, what: string): string | undefined {
    const isKnown = error instanceof LookupError;
    const problem = isKnown ? error.message : 'a defect: see the stack';
    if (this.#isClosed || problem === toldBefore || !this.#lines.take()) return toldBefore;
    const stack = isKnown ? error.thrownAt : stackOf(error);
    this.#log.error({ code: 'TENANT_UNAVAILABLE', tenant, ...(stack && { stack }) }, `${what}: ${problem}`);
    return problem;
  }

  recovered(tenant: string): void {
    this.#log.info({ tenant }, 'the credentials of a tenant are in order again');
  }

  /** What fails from here on fails because the server ends. */
  close(): void {
    this.#isClosed = true;
  }
}
