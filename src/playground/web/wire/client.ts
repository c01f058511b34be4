/**
 * One request of the phone, as the real client makes it: sealed afresh, retried once after a 421, given up after 10 s.
 *
 * The switches of the page stand between the phone and its server here, so that the phone itself cannot tell.
 */
import type { JsonObject, JsonValue } from '../../../json.ts';
import type { ExchangeReport } from '../../api.ts';
import type { Outcome } from '../flow/phone-state.ts';
import { outcomeOf } from './outcome.ts';
import { type Sealed, seal } from './seal.ts';

export interface Transport {
  /** SPKI PEM, of the business that the Flow belongs to. @param isRetired one whose private half no server has. */
  publicKey(flow: string, isRetired: boolean): Promise<string>;
  exchange(flow: string, body: string): Promise<ExchangeReport>;
}

export interface Timing {
  now(): number;
  pause(ms: number): Promise<void>;
}

/** What the switches say at the moment of a request. */
export interface Conditions {
  /** Added before every request. */
  readonly delayMs: number;
  readonly isDown: boolean;
}

/** One envelope on its way there and back. */
export interface Attempt {
  readonly startMs: number;
  readonly endMs: number;
  /** 0 when nothing came back. */
  readonly status: number;
  /** Made by the page's switch. */
  readonly addedMs: number;
  readonly sealMs: number;
  readonly report: ExchangeReport | undefined;
}

/** What is known of a request so far. */
export interface Trace {
  readonly attempts: readonly Attempt[];
  /** What the answer opened to. */
  readonly answer: JsonValue | undefined;
  /** Undefined while it runs. */
  readonly ending: string | undefined;
  /** The answer came when nobody waited any more. */
  readonly isLate: boolean;
}

/** As the real client. */
export const DEADLINE_MS = 10_000;
export const RETRY_DELAY_MS = 500;

export class WireClient {
  readonly #transport: Transport;
  readonly #timing: Timing;
  /** By Flow. */
  readonly #publicKeys = new Map<string, string>();
  #isRotated = false;

  constructor(transport: Transport, timing: Timing) {
    this.#transport = transport;
    this.#timing = timing;
  }

  /** From now on the phone has a key that the server no longer knows, until a 421 makes it fetch the new one. */
  rotateKey(isRotated: boolean): void {
    this.#isRotated = isRotated;
    this.#publicKeys.clear();
  }

  get hasRetiredKey(): boolean {
    return this.#isRotated;
  }

  /** Forgets the keys: another server may have others. */
  forgetKey(): void {
    this.#publicKeys.clear();
  }

  /** Never rejects. @param onTrace told of every attempt, and of the end, even one that comes too late. */
  async send(
    flow: string,
    payload: JsonObject,
    conditions: Conditions,
    onTrace: (trace: Trace) => void,
  ): Promise<Outcome> {
    let isLate = false;
    const exchange = new Exchange((trace) => onTrace({ ...trace, isLate }));
    const run = this.#run(flow, JSON.stringify(payload), conditions, exchange).catch((error: Error) =>
      exchange.end({ kind: 'failed', reason: error.message }, undefined),
    );
    const late = this.#timing.pause(DEADLINE_MS).then((): Outcome => {
      isLate = true;
      return { kind: 'failed', reason: `No answer within ${DEADLINE_MS / 1000} s.` };
    });
    return Promise.race([run, late]);
  }

  async #run(flow: string, plaintext: string, conditions: Conditions, exchange: Exchange): Promise<Outcome> {
    let { sealed, status } = await this.#attempt(flow, plaintext, conditions, exchange);
    if (status === 421) {
      await this.#timing.pause(RETRY_DELAY_MS);
      this.rotateKey(false);
      ({ sealed, status } = await this.#attempt(flow, plaintext, conditions, exchange));
    }
    return exchange.end(...(await outcomeOf(status, exchange.lastReport, sealed)));
  }

  async #attempt(
    flow: string,
    plaintext: string,
    { delayMs, isDown }: Conditions,
    exchange: Exchange,
  ): Promise<{ sealed: Sealed; status: number }> {
    const publicKey = this.#publicKeys.get(flow) ?? (await this.#transport.publicKey(flow, this.#isRotated));
    this.#publicKeys.set(flow, publicKey);
    const startMs = this.#timing.now();
    const sealed = await seal(plaintext, publicKey);
    const sealMs = this.#timing.now() - startMs;
    if (delayMs > 0) await this.#timing.pause(delayMs);
    const report = isDown ? undefined : await this.#transport.exchange(flow, sealed.body);
    const status = report?.status ?? 0;
    exchange.add({ startMs, endMs: this.#timing.now(), status, addedMs: delayMs, sealMs, report });
    return { sealed, status };
  }
}

/** Collects what becomes of one request. */
class Exchange {
  readonly #onTrace: (trace: Omit<Trace, 'isLate'>) => void;
  #trace: Omit<Trace, 'isLate'> = { attempts: [], answer: undefined, ending: undefined };

  constructor(onTrace: (trace: Omit<Trace, 'isLate'>) => void) {
    this.#onTrace = onTrace;
  }

  get lastReport(): ExchangeReport | undefined {
    return this.#trace.attempts.at(-1)?.report;
  }

  add(attempt: Attempt): void {
    this.#tell({ attempts: [...this.#trace.attempts, attempt] });
  }

  end(outcome: Outcome, answer: JsonValue | undefined): Outcome {
    this.#tell({ answer, ending: outcome.kind === 'answer' ? 'answered' : outcomeText(outcome) });
    return outcome;
  }

  #tell(more: Partial<Trace>): void {
    this.#trace = { ...this.#trace, ...more };
    this.#onTrace(this.#trace);
  }
}

function outcomeText(outcome: Exclude<Outcome, { kind: 'answer' }>): string {
  return outcome.kind === 'expired' ? outcome.text : outcome.reason;
}
