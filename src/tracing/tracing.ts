/**
 * What Flowgate tells a tracer: one function an event.
 *
 * A service that nobody traces has no tracer at all: `undefined` stands in its place, so that an event costs one branch.
 * Names, counts, codes and outcomes go out, never a token, a phone number, the id of a person or a body.
 * Times are monotonic ms, on the service's clock.
 */
import type { HttpRequest } from '../http/server.ts';

export interface Tracing {
  /** A Flow request that is not refused at the door: from its head on. */
  flowRequest(flow: string, request: HttpRequest): FlowTrace;
  /** A delivery to the webhook, from its head on. */
  delivery(request: HttpRequest): DeliveryTrace;
  /** @param cause the traceparent of whoever stored the item: another trace, to which this one has a link. */
  attempt(type: string, attempt: number, cause: string | undefined): AttemptTrace;
}

interface Trace {
  /** For what is stored, in the W3C's form; undefined when the tracer gave the span no valid context. */
  readonly traceparent: string | undefined;
  /** Runs `work` so that spans made in it, and in all that it begins, are children of this one. */
  run<T>(work: () => T): T;
}

/** Where the decrypt pool tells what became of a request. */
export interface UnwrapTrace {
  unwrapped(enqueuedAtMs: number, startedMs: number, endedMs: number, batchSize: number): void;
  unwrapFailed(enqueuedAtMs: number, startedMs: number, endedMs: number): void;
  /** Left the queue unserved. */
  dropped(enqueuedAtMs: number, droppedMs: number, reason: string): void;
}

export interface FlowTrace extends Trace, UnwrapTrace {
  /** Runs what the app does for a request, the token check included. @param screen one that has a handler. */
  handler<T>(screen: string, work: () => Promise<T>): Promise<T>;
  fallback<T>(work: () => Promise<T>): Promise<T>;
  /** Looks whether an answer fits the Flow JSON: the last thing of what `handler` or `fallback` runs. */
  guard<T>(work: () => T): T;
  /** The handler or the fallback, whichever began last, failed or is waited for no longer. */
  handlerFailed(code: string): void;
  seal<T>(work: () => T): T;
  end(action: string, outcome: string, status: number): void;
}

export interface DeliveryTrace extends Trace {
  append<T>(engine: string, work: () => Promise<T>): Promise<T>;
  stored(events: number, isNew: readonly boolean[]): void;
  end(outcome: string, status: number): void;
}

export interface AttemptTrace extends Trace {
  /** @param code why it failed, where it did. */
  end(outcome: string, code: string | undefined): void;
}
