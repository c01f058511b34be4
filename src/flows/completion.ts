/**
 * The end of a Flow: the `nfm_reply` message that a webhook brings, and which Flow it belongs to.
 *
 * Meta says neither the Flow's id nor its name there. A Flow that ends with `c.complete` is known by a mark this server
 * put among its parameters; one that ends on the phone is known by its token, or by what the app tells of it.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { JsonObject } from '../json.ts';
import type { SessionKind } from '../sessions/session-kind.ts';
import type { CompletedContext } from '../webhooks/context.ts';
import type { CompletionMessage } from '../webhooks/events.ts';
import type { LimitOptions } from '../webhooks/limits.ts';
import { flowOfToken } from './flow-scope.ts';
import { FLOW_MARK } from './reply.ts';

export interface FlowCompletion<Data = JsonObject> extends Omit<CompletionMessage, 'response'> {
  /** What `c.complete` or the Flow's `complete` action sent, without the flow token. */
  readonly data: Data;
}

export type CompletedHandler<Data = JsonObject, SessionData = JsonObject> = (
  completion: FlowCompletion<Data>,
  c: CompletedContext<SessionData>,
) => unknown;

export interface CompletedOptions extends LimitOptions {
  /**
   * Tells whether a completion is this Flow's, for a Flow that ends on the phone and whose tokens do not begin with its
   * name and a colon (`booking:8f3a...`).
   */
  readonly matches?: (completion: CompletionMessage) => boolean;
}

export interface CompletionStep {
  readonly schema: StandardSchemaV1 | undefined;
  readonly handler: CompletedHandler<never, never>;
  readonly options: CompletedOptions;
}

/** A Flow's name and what `.completed` was given. */
export interface CompletableFlow {
  readonly name: string;
  readonly completion: CompletionStep | undefined;
  readonly sessionKind: SessionKind;
  scopeFor(tenant: string | undefined): string;
}

/** Where the session of a completed Flow stands. */
export interface CompletedScope {
  readonly scope: string;
  readonly token: string | undefined;
}

/** The Flow that `message` completes, among those that have a `.completed` handler: by mark, by token, by what they say. */
export function completedFlow<F extends CompletableFlow>(
  flows: Iterable<F>,
  message: CompletionMessage,
): F | undefined {
  const { response, flowToken } = message;
  if (!response) return undefined;
  const completable = [...flows].filter((flow) => flow.completion);
  const mark = response[FLOW_MARK];
  const named = mark === undefined ? flowOfToken(flowToken) : mark;
  return (
    completable.find(({ name }) => name === named) ??
    completable.find(({ completion }) => completion?.options.matches?.(message))
  );
}

/** @param message with a response. */
export function toCompletion({ response, ...message }: CompletionMessage): FlowCompletion {
  const { flow_token: _token, [FLOW_MARK]: _mark, ...data } = response ?? {};
  return { ...message, data };
}

/** @param flow the one that `message` completes. A tenant's webhook finds the tenant's sessions, whatever its token says. */
export function completedScope(flow: CompletableFlow, { flowToken, tenant }: CompletionMessage): CompletedScope {
  return { scope: flow.scopeFor(tenant), token: flowToken };
}
