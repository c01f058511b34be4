/** One attempt's context: its time limit, and its ways to the store and to the Graph API. */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { type Clock, type Deadline, deadlineAt, pause } from '../clock.ts';
import { codeOf, FlowgateError } from '../errors.ts';
import { type GraphClient, GraphError } from '../graph/client.ts';
import type { GraphFor } from '../graph/graph.ts';
import type { EventContext, Reply } from './context.ts';
import type { WebhookEvent } from './events.ts';
import { type ClaimedItem, type Inbox, MAX_NOTE_CHARS } from './inbox.ts';
import { createDefer, type Defer } from './jobs.ts';
import { nextTellAgainMs, TELL_AGAIN_MS } from './limits.ts';

export interface AttemptContextDeps {
  readonly inbox: Inbox;
  readonly clock: Clock;
  readonly log: Logger;
  readonly graphFor: GraphFor;
  readonly jobs: { has(name: string): boolean };
  /** Of the attempt, where it is traced: for the jobs that it defers. */
  readonly traceparent?: string | undefined;
}

export class AttemptContext implements EventContext {
  readonly id: string;
  readonly attempt: number;
  readonly defer: Defer;
  readonly #item: ClaimedItem;
  readonly #deps: AttemptContextDeps;
  readonly #event: WebhookEvent | undefined;
  readonly #deadlineMs: number;
  // Made when first asked for: most handlers use neither.
  #controller: AbortController | undefined;
  #abortReason: DOMException | undefined;
  #log: Logger | undefined;

  /** @param deadlineMs monotonic. */
  constructor(item: ClaimedItem, event: WebhookEvent | undefined, deadlineMs: number, deps: AttemptContextDeps) {
    this.id = item.id;
    this.attempt = item.attempt;
    this.defer = createDefer(deps.inbox, deps.jobs, item.id, deps.traceparent);
    this.#item = item;
    this.#deps = deps;
    this.#event = event;
    this.#deadlineMs = deadlineMs;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#abortReason) this.#controller.abort(this.#abortReason);
    return this.#controller.signal;
  }

  get log(): Logger {
    const { id, type, attempt } = this.#item;
    this.#log ??= this.#deps.log.child({ id, type, attempt });
    return this.#log;
  }

  get deadline(): Deadline {
    return deadlineAt(this.#deadlineMs, this.#deps.clock);
  }

  get graph(): GraphClient {
    return this.#deps.graphFor();
  }

  get reply(): Reply {
    const event = this.#event;
    if (!event || !('messageId' in event) || !('from' in event))
      throw new TypeError('only a message has a sender to reply to');
    const recipient = recipientOf(event);
    const graph = this.#deps.graphFor(event.phoneNumberId);
    const { signal } = this;
    return {
      text: (body) => graph.sendText(recipient, body, { signal }),
      document: (document) => graph.sendDocument(recipient, document, { signal }),
      flow: (flow) => graph.sendFlow(recipient, flow, { signal }),
    };
  }

  /** An arrow, as `defer` is: a handler may take them off its context. */
  readonly once = async <T>(key: string, effect: () => T | Promise<T>): Promise<T> => {
    if (typeof key !== 'string') throw new TypeError('the key of an effect must be a string');
    this.signal.throwIfAborted(); // this attempt is over, and the next one may have begun
    const { inbox } = this.#deps;
    const by = randomUUID(); // asked again, since an answer was lost, this call is not another that began it
    const known = await this.#insist(() => inbox.beginEffect(this.id, key, by));
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
      if (!isUncertain(error, this.signal)) await this.#insist(() => inbox.undoEffect(this.id, key));
      throw error;
    }
    const note = toNote(result);
    await this.#insist(() => inbox.endEffect(this.id, key, note));
    return result;
  };

  /** Asks or tells the inbox again while it does not answer: what it has not heard is known here, and nowhere else. */
  async #insist<T>(tell: () => Promise<T>): Promise<T> {
    for (let waitMs = TELL_AGAIN_MS; ; waitMs = nextTellAgainMs(waitMs)) {
      try {
        return await tell();
      } catch (error) {
        if (codeOf(error) !== 'INBOX_UNAVAILABLE' || this.signal.aborted) throw error;
      }
      await pause(this.#deps.clock, waitMs, this.signal);
    }
  }

  abort(why: string): void {
    this.#abortReason = new DOMException(why, 'TimeoutError');
    this.#controller?.abort(this.#abortReason);
  }
}

/** What the signal cut off, or broke off on its way to Meta, may have happened all the same. */
function isUncertain(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted || (error instanceof GraphError && error.isUncertain);
}

/** @throws TypeError for what JSON or the bound of a note does not take. */
function toNote(result: unknown): string | undefined {
  const text = JSON.stringify(result) as string | undefined;
  if (text !== undefined && text.length > MAX_NOTE_CHARS) {
    throw new TypeError(`the result of an effect must fit ${MAX_NOTE_CHARS} characters as JSON`);
  }
  return text;
}

function recipientOf({ from, userId }: { from: string | undefined; userId: string | undefined }) {
  if (from !== undefined) return { to: from };
  if (userId !== undefined) return { recipient: userId };
  throw new TypeError('this message names no sender');
}
