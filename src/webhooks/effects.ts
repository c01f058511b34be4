/** `c.once`: an effect that happens at most once, whatever becomes of the attempts around it. */
import { randomUUID } from 'node:crypto';
import { type Clock, pause } from '../clock.ts';
import { codeOf, type ErrorCode, FlowgateError } from '../errors.ts';
import { GraphError } from '../graph/client.ts';
import { type Inbox, MAX_NOTE_CHARS } from './inbox.ts';
import { nextTellAgainMs, TELL_AGAIN_MS } from './limits.ts';

export interface EffectDeps {
  readonly inbox: Inbox;
  readonly clock: Clock;
}

/** What a call fails with before it knows whose it is. */
const NOTHING_SENT: ReadonlySet<ErrorCode> = new Set(['TENANT_UNKNOWN', 'TENANT_UNAVAILABLE']);

/** The effects of one attempt. */
export class Effects {
  readonly #itemId: string;
  readonly #attempt: { readonly signal: AbortSignal };
  readonly #deps: EffectDeps;

  constructor(itemId: string, attempt: { readonly signal: AbortSignal }, deps: EffectDeps) {
    this.#itemId = itemId;
    this.#attempt = attempt;
    this.#deps = deps;
  }

  /** As `JobContext.once` tells. */
  async once<T>(key: string, effect: () => T | Promise<T>): Promise<T> {
    if (typeof key !== 'string') throw new TypeError('the key of an effect must be a string');
    const { signal } = this.#attempt;
    signal.throwIfAborted(); // this attempt is over, and the next one may have begun
    const { inbox } = this.#deps;
    const by = randomUUID(); // asked again, since an answer was lost, this call is not another that began it
    const known = await this.#insist(() => inbox.beginEffect(this.#itemId, key, by));
    if (known.state === 'done') return (known.result === undefined ? undefined : JSON.parse(known.result)) as T;
    if (known.state === 'begun') {
      const fix = 'see whether it happened, then replay or purge the item';
      throw new FlowgateError(
        'EFFECT_UNCERTAIN',
        `an earlier attempt began the effect "${key}" and did not finish it: ${fix}`,
      );
    }
    let result: T;
    try {
      result = await effect();
    } catch (error) {
      if (!isUncertain(error, signal)) await this.#insist(() => inbox.undoEffect(this.#itemId, key));
      throw error;
    }
    const note = toNote(result);
    await this.#insist(() => inbox.endEffect(this.#itemId, key, note));
    return result;
  }

  /** Asks or tells the inbox again while it does not answer: what it has not heard is known here, and nowhere else. */
  async #insist<T>(tell: () => Promise<T>): Promise<T> {
    const { signal } = this.#attempt;
    for (let waitMs = TELL_AGAIN_MS; ; waitMs = nextTellAgainMs(waitMs)) {
      try {
        return await tell();
      } catch (error) {
        if (codeOf(error) !== 'INBOX_UNAVAILABLE' || signal.aborted) throw error;
      }
      await pause(this.#deps.clock, waitMs, signal);
    }
  }
}

/** A Graph call knows whether it may have happened; of anything else that the signal cut off, nobody does. */
function isUncertain(error: unknown, signal: AbortSignal): boolean {
  if (error instanceof GraphError) return error.isUncertain;
  return signal.aborted && !NOTHING_SENT.has(codeOf(error));
}

/** @throws TypeError for what JSON or the bound of a note does not take. */
function toNote(result: unknown): string | undefined {
  const text = JSON.stringify(result) as string | undefined;
  if (text !== undefined && text.length > MAX_NOTE_CHARS) {
    throw new TypeError(`the result of an effect must fit ${MAX_NOTE_CHARS} characters as JSON`);
  }
  return text;
}
