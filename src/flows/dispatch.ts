/**
 * From a decrypted request to a rendered reply: the step for its action and screen, its answer, or the fallback's.
 *
 * All that `answer.ts` does runs under one deadline. What is late, throws or is missing goes to the Flow's fallback;
 * without one, or when that fails too, the request fails with `HANDLER_LATE`, `HANDLER_FAILED` or `HANDLER_MISSING`.
 */
import { type ErrorCode, FlowgateError, stackOf } from '../errors.ts';
import type { HeaderSource } from '../http/request-id.ts';
import { type Business, businessOf } from '../tenants/sender.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { FlowTrace } from '../tracing/tracing.ts';
import type { Defer, DeferredBy } from '../webhooks/jobs.ts';
import { type AnswerDeps, type AnswerInput, answer, render, screenOf } from './answer.ts';
import type { FlowDefinition, Step } from './flow-definition.ts';
import { guardModeOf, guardReply } from './guard-reply.ts';
import { type FlowRequest, isFlowAction } from './protocol.ts';
import type { FlowReply, RenderedReply } from './reply.ts';
import { type ContextInput, RequestContext } from './request-context.ts';
import { useUp } from './token-gate.ts';

/** A fallback has this long, and a fresh signal: the handler's has fired already. */
const FALLBACK_MS = 500;

export interface DispatchDeps extends AnswerDeps {
  readonly logErrorMessages: boolean;
  /** Told of what a handler threw, message and all: development shows it. */
  readonly onHandlerFailed?: ((requestId: string, error: unknown) => void) | undefined;
  /** A `c.defer` for one request. @param about whose request it is, and its trace, where it has one. */
  readonly newDefer: (about: DeferredBy) => Defer;
}

export interface DispatchInput {
  readonly request: FlowRequest;
  /** Whose request it is. */
  readonly tenant: Pick<Tenant, 'name' | 'appSecrets'>;
  /** Whose id the log lines carry. */
  readonly source: HeaderSource;
  /** Monotonic ms. */
  readonly deadlineMs: number;
  /** Calls back when the client is gone. */
  readonly onAbort: (listener: () => void) => void;
  readonly trace?: FlowTrace | undefined;
}

/** @returns the reply as plaintext. Rejects with a FlowgateError and no other. */
export async function dispatch(flow: FlowDefinition, input: DispatchInput, deps: DispatchDeps): Promise<RenderedReply> {
  if (!isFlowAction(input.request.action)) {
    throw new FlowgateError('PAYLOAD_MALFORMED', 'the action is none that Meta documents');
  }
  const context = new RequestContext(contextInput(flow, input, deps));
  input.onAbort(() => context.abort('AbortError'));
  try {
    const step = findStep(flow, input.request) ?? missing(input.request);
    const { request, tenant, trace } = input;
    const answering: AnswerInput = { flow, step, request, appSecrets: tenant.appSecrets, context, trace };
    const work = () => closing(context, () => answer(answering, deps));
    const running = trace ? trace.handler(screenOf(context), work) : work();
    return await beforeDeadline(running, input.deadlineMs, context, deps);
  } catch (error) {
    const failure = toFailure(error);
    input.trace?.handlerFailed(context.isClientGone ? 'CLIENT_GONE' : failure.error.code);
    if (context.isClientGone) throw new FlowgateError('CLIENT_GONE', 'the client left while its handler ran');
    logFailure(failure, context, deps);
    if (isForItsAuthor(failure, flow, deps)) throw failure.error;
    return await answerFallback(flow, failure, context, input, deps);
  }
}

/** What a handler downloaded goes with it, however late it ends. */
async function closing<T>(context: RequestContext, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    const closed = context.close();
    if (closed) await closed; // an await costs a turn, and most handlers have no files
  }
}

/** In development an answer that is wrong is to be seen, and no fallback to hide it. */
function isForItsAuthor({ error }: Failure, flow: FlowDefinition, deps: DispatchDeps): boolean {
  return error.code === 'REPLY_INVALID' && guardModeOf(flow, deps) === 'error';
}

/** Settles with `work`, or rejects with `HANDLER_LATE` at the deadline, when it also fires the context's signal. */
function beforeDeadline<T>(
  work: Promise<T>,
  deadlineMs: number,
  context: RequestContext,
  { clock, log }: DispatchDeps,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(Math.max(0, deadlineMs - clock.nowMs()), () => {
      reject(new FlowgateError('HANDLER_LATE', 'the handler passed its deadline'));
      context.abort('TimeoutError');
      // Whatever it still does is nobody's answer any more, and must not become an unhandled rejection.
      work.catch((error) => {
        const { flow, requestId } = context;
        log.debug({ code: 'HANDLER_FAILED', flow, requestId, stack: stackOf(error) }, 'a late handler failed');
      });
    });
    // Not `.finally(cancel)`: it makes three more promises, and this runs for every request.
    work.then(
      (result) => {
        cancel();
        resolve(result);
      },
      (error) => {
        cancel();
        reject(error);
      },
    );
  });
}

async function answerFallback(
  flow: FlowDefinition,
  failure: Failure,
  { liveToken }: RequestContext,
  input: DispatchInput,
  deps: DispatchDeps,
): Promise<RenderedReply> {
  if (!flow.fallbackHandler) throw failure.error;
  const deadlineMs = deps.clock.nowMs() + FALLBACK_MS;
  const why = failure.error.code === 'HANDLER_LATE' ? 'late' : 'failed';
  const context = new RequestContext({ ...contextInput(flow, { ...input, deadlineMs }, deps), failure: why });
  context.liveToken = liveToken;
  const handler = async () => {
    const rendered = await render(flow, (await flow.fallbackHandler?.(context)) as FlowReply, context);
    guardReply(flow, rendered, context, deps, input.trace);
    return useUp(rendered, { flow, request: input.request, context }, deps);
  };
  const run = () => closing(context, handler);
  try {
    const work = input.trace ? input.trace.fallback(run) : run();
    return await beforeDeadline(work, deadlineMs, context, deps);
  } catch (error) {
    const second = toFailure(error);
    input.trace?.handlerFailed(second.error.code);
    logFailure(second, context, deps);
    throw failure.error;
  }
}

interface Failure {
  readonly error: FlowgateError;
  /** What was thrown by code that is not ours, or made ours fail. */
  readonly cause: unknown;
}

function toFailure(thrown: unknown): Failure {
  const ours = thrown instanceof FlowgateError && (HANDLER_CODES as readonly ErrorCode[]).includes(thrown.code);
  return ours
    ? { error: thrown, cause: thrown.cause }
    : { error: new FlowgateError('HANDLER_FAILED', 'the handler threw', { cause: thrown }), cause: thrown };
}

/** What a handler's failure is called by, where it is not simply its own. */
const HANDLER_CODES = [
  'HANDLER_LATE',
  'HANDLER_MISSING',
  'REPLY_INVALID',
  'REPLY_FORGOTTEN',
  'STATE_UNAVAILABLE',
  'SESSION_INVALID',
  'SESSION_TOO_LARGE',
  'SESSION_CONFLICT',
  'MEDIA_INVALID',
  'MEDIA_UNAVAILABLE',
] as const satisfies readonly ErrorCode[];

/** The stack tells where; the message may quote the user's data, so it is left out unless settings ask for it. */
function logFailure({ error, cause }: Failure, context: RequestContext, deps: DispatchDeps): void {
  const thrown = cause === undefined ? {} : { stack: stackOf(cause) };
  const message = deps.logErrorMessages && cause instanceof Error ? { thrown: cause.message } : {};
  const { flow, action, currentScreen: screen, requestId } = context;
  deps.log.error({ code: error.code, flow, action, screen, requestId, ...thrown, ...message }, error.message);
  deps.onHandlerFailed?.(requestId, cause ?? error);
}

function findStep(flow: FlowDefinition, { action, screen = '' }: FlowRequest): Step | undefined {
  if (action === 'INIT') return flow.initStep;
  return (action === 'BACK' ? flow.backSteps : flow.submitSteps).get(screen);
}

function missing({ action, screen = '?' }: FlowRequest): never {
  const call = action === 'INIT' ? '.init(handler)' : `.${action === 'BACK' ? 'back' : 'on'}('${screen}', handler)`;
  throw new FlowgateError('HANDLER_MISSING', `no handler for this action and screen: add ${call}`);
}

/** One literal: putting it together from parts by spreading cost 4 us a request. */
function contextInput(flow: FlowDefinition, input: DispatchInput, deps: DispatchDeps): ContextInput {
  const { trace, tenant } = input;
  return {
    flow: flow.name,
    scope: flow.scopeFor(tenant.name),
    tenant: tenant.name,
    entryScreen: flow.entryScreen,
    sessionKind: flow.sessionKind,
    request: input.request,
    source: input.source,
    deadlineMs: input.deadlineMs,
    clock: deps.clock,
    log: deps.log,
    newDefer: () => deps.newDefer({ traceparent: trace?.traceparent, business: requesterOf(flow, tenant) }),
    facilities: deps.facilities,
  };
}

/** A Flow that belongs to a business is served to no tenant of a provider: the name of its tenant is its own. */
function requesterOf(flow: FlowDefinition, { name }: DispatchInput['tenant']): Business | undefined {
  return businessOf(flow.isOfAnother ? undefined : name, flow);
}
