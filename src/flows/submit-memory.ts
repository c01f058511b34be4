/**
 * Sees to it that a submit runs its handler once, and that whoever sends it again gets the same answer.
 *
 * A client repeats a submit after a 421 or when the user presses Retry: encrypted anew, so the body differs, and with the
 * same token, screen and payload. Twins in one process share one promise; other processes wait for the answer in the
 * store. A submit without a flow token of its own is like any other user's, so its handler runs every time.
 *
 * The promise is at most once while the process that runs the handler lives and reaches its store; when it dies before
 * the answer is kept, the next submit runs the handler again. What must not happen twice even then needs a key of its
 * own where it happens. Without the store nothing runs: the submit fails with `STATE_UNAVAILABLE`.
 */
import { setMaxListeners } from 'node:events';
import { type Clock, pause } from '../clock.ts';
import { type Duration, toMs } from '../duration.ts';
import { codeOf, FlowgateError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { payloadHash, stateKey } from '../state/state-key.ts';
import type { StateRecord } from '../state/state-store.ts';
import type { RenderedAnswer } from './reply.ts';
import { type ClaimDeps, isClaim, MAX_RUN_MS, SubmitClaim } from './submit-claim.ts';

/** Of an answer, as UTF-8: as much as a client takes. Beyond it a repeated submit gets no answer, and runs nothing. */
export const MAX_KEPT_BYTES = 1024 * 1024;
const MIN_WINDOW_MS = 1_000;
const MAX_WINDOW: Duration = '1h';
const FIRST_POLL_MS = 20;
const MAX_POLL_MS = 250;
const KEEP_AGAIN_MS = 500;

/** What makes two submits the same. */
export interface Submit {
  readonly flow: string;
  readonly token: string | undefined;
  readonly screen: string | undefined;
  readonly data: JsonObject;
}

export interface SubmitReply extends RenderedAnswer {
  /** The answer of another request: this one ran nothing. */
  readonly repeated: boolean;
}

/** Who waits for the answer of a twin: until its signal fires, which is asked for only then. */
export interface SubmitWaiter {
  readonly signal: AbortSignal;
}

/** How long an answer is kept. @throws TypeError beyond 1 s to 1 h. */
export function toWindowMs(once: Duration): number {
  const windowMs = toMs('once', once, MAX_WINDOW);
  if (windowMs < MIN_WINDOW_MS) throw new TypeError('once must be at least 1s');
  return windowMs;
}

export class SubmitMemory {
  readonly #deps: ClaimDeps;
  /** By key: as many as there are requests, and each for at most `MAX_RUN_MS`. */
  readonly #running = new Map<string, Promise<SubmitReply>>();
  /** Answers whose store went away while their handler ran, for at most `MAX_RUN_MS`. */
  readonly #unkept = new Map<string, SubmitReply>();
  /** Takes from the handlers that still run what would keep their process alive. */
  readonly #closing = new AbortController();

  constructor(deps: ClaimDeps) {
    this.#deps = deps;
    setMaxListeners(0, this.#closing.signal); // each submit listens: Node warns of a leak from the eleventh on
  }

  /** Waits for no handler any longer: the claims of those that still run are left to run out. */
  close(): void {
    this.#closing.abort();
  }

  /**
   * Answers by `run`, or with what the same submit was answered before. A `run` that rejects, or answers with an error,
   * is forgotten: the next submit runs again. What `run` answers after the waiter's signal still counts, and is kept.
   * Rejects as `run` does; with `STATE_UNAVAILABLE` when the store cannot be asked, with `HANDLER_LATE` when the signal
   * fires while another process runs the handler, with `REPLY_FORGOTTEN` when the answer was too large to keep.
   */
  async once(
    submit: Submit,
    windowMs: number,
    waiter: SubmitWaiter,
    run: () => Promise<RenderedAnswer>,
  ): Promise<SubmitReply> {
    const key = keyOf(submit);
    if (key === undefined) return first(await run());
    for (;;) {
      const unkept = this.#unkept.get(key);
      if (unkept) return unkept;
      const twin = this.#running.get(key);
      if (!twin) return this.#lead(key, windowMs, waiter, run);
      const reply = await twin.catch(passOnWhenStoreIsAway);
      if (reply) return { ...reply, repeated: true };
      throwIfOver(waiter);
    }
  }

  /** Answers, and lets the twins in this process wait for it. */
  #lead(key: string, windowMs: number, waiter: SubmitWaiter, run: () => Promise<RenderedAnswer>): Promise<SubmitReply> {
    const reply = this.#answer(key, windowMs, waiter, run);
    this.#running.set(key, reply);
    const forget = () => {
      cancel();
      if (this.#running.get(key) === reply) this.#running.delete(key);
    };
    const cancel = this.#untilClosed(this.#deps.clock.after(MAX_RUN_MS, forget));
    reply.then(forget, forget);
    return reply;
  }

  /** By another process, where one has the claim; else by `run`. */
  async #answer(
    key: string,
    windowMs: number,
    waiter: SubmitWaiter,
    run: () => Promise<RenderedAnswer>,
  ): Promise<SubmitReply> {
    const { state, clock } = this.#deps;
    let record: StateRecord | undefined;
    for (let pauseMs = FIRST_POLL_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_POLL_MS)) {
      const claim = record ? undefined : await SubmitClaim.take(key, this.#deps);
      if (claim) return this.#run(claim, key, windowMs, run);
      record = await state.get(key);
      if (record && !isClaim(record.value)) return parseKept(record.value);
      throwIfOver(waiter);
      if (record) await pause(clock, pauseMs, waiter.signal);
    }
  }

  async #run(
    claim: SubmitClaim,
    key: string,
    windowMs: number,
    run: () => Promise<RenderedAnswer>,
  ): Promise<SubmitReply> {
    let answer: RenderedAnswer | undefined;
    const abandon = this.#untilClosed(() => claim.abandon());
    try {
      answer = await run();
    } finally {
      abandon();
      // A claim that cannot be released runs out by itself.
      if (!isKept(answer)) await claim.release().catch(() => {});
    }
    if (isKept(answer)) await this.#keep(claim, key, windowMs, answer);
    return first(answer);
  }

  /** The user does not wait for a store that has gone away: what was done is done, and is told. */
  async #keep(claim: SubmitClaim, key: string, windowMs: number, answer: RenderedAnswer): Promise<void> {
    const untilMs = this.#deps.clock.nowMs() + MAX_RUN_MS;
    const tell = () => claim.keep(toKept(answer), windowMs);
    await tell().catch(() => {
      this.#unkept.set(key, { ...first(answer), repeated: true });
      void keepAgain(tell, untilMs, this.#deps.clock, this.#closing.signal).then(() => this.#unkept.delete(key));
    });
  }

  /** @returns `end`, which it calls itself when it is closed before. */
  #untilClosed(end: () => void): () => void {
    const { signal } = this.#closing;
    signal.addEventListener('abort', end);
    return () => {
      signal.removeEventListener('abort', end);
      end();
    };
  }
}

async function keepAgain(tell: () => Promise<void>, untilMs: number, clock: Clock, closed: AbortSignal): Promise<void> {
  while (clock.nowMs() < untilMs && !closed.aborted) {
    await pause(clock, KEEP_AGAIN_MS, closed);
    try {
      return await tell();
    } catch {} // still away
  }
}

function keyOf({ flow, token, screen = '', data }: Submit): string | undefined {
  return token === undefined || token === 'unused'
    ? undefined
    : stateKey('submit', flow, token, screen, payloadHash(data));
}

/** A handler that failed, or found fault with what the user sent, may answer otherwise the next time. */
function isKept(answer: RenderedAnswer | undefined): boolean {
  return answer !== undefined && answer.kind !== 'error';
}

function first({ status, text, kind }: RenderedAnswer): SubmitReply {
  return { status, text, kind, repeated: false };
}

/** @returns undefined: the twin's handler failed, so this request tries its own. */
function passOnWhenStoreIsAway(error: unknown): undefined {
  if (codeOf(error) === 'STATE_UNAVAILABLE') throw error;
}

function throwIfOver({ signal }: SubmitWaiter): void {
  if (!signal.aborted) return;
  throw new FlowgateError('HANDLER_LATE', 'the same submit is still being handled for an earlier request');
}

const TOO_LARGE = 'too large';

function toKept({ kind, text }: RenderedAnswer): string {
  return Buffer.byteLength(text) > MAX_KEPT_BYTES ? TOO_LARGE : `${kind}:${text}`;
}

function parseKept(value: string): SubmitReply {
  if (value === TOO_LARGE) {
    throw new FlowgateError('REPLY_FORGOTTEN', 'this submit was answered before, and the answer was too large to keep');
  }
  const at = value.indexOf(':');
  const kind = value.slice(0, at) as RenderedAnswer['kind'];
  return { status: kind === 'expire' ? 427 : 200, text: value.slice(at + 1), kind, repeated: true };
}
