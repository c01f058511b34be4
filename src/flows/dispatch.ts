/**
 * From a decrypted request to a rendered reply: token check, route by action and screen, input schema, handler.
 *
 * All of that runs under one deadline. What is late, throws or is missing goes to the Flow's fallback; without one, or
 * when that fails too, the request fails with `HANDLER_LATE`, `HANDLER_FAILED` or `HANDLER_MISSING`.
 */
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { type ErrorCode, FlowgateError, stackOf } from '../errors.ts';
import type { HeaderSource } from '../http/request-id.ts';
import { type FlowMetrics, SLOW_HANDLER_MS } from '../metrics/flow-metrics.ts';
import type { FlowTrace } from '../tracing/tracing.ts';
import type { Defer } from '../webhooks/jobs.ts';
import { type ContextInput, RequestContext } from './context.ts';
import type { FlowDefinition, Step } from './flow.ts';
import { declaresData } from './flow-json.ts';
import { validateInput } from './input.ts';
import { type FlowRequest, isFlowAction } from './protocol.ts';
import { expiredReply, type FlowReply, isFlowReply, type RenderedReply, renderReply } from './reply.ts';

/** A fallback has this long, and a fresh signal: the handler's has fired already. */
const FALLBACK_MS = 500;
const DEFAULT_EXPIRED_MESSAGE = 'This form is no longer available.';

export interface DispatchDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly logErrorMessages: boolean;
  /** A `c.defer` for one request. @param traceparent of the request, where it is traced. */
  readonly newDefer: (traceparent?: string) => Defer;
  readonly metrics: Pick<FlowMetrics, 'handler'>;
}

export interface DispatchInput {
  readonly request: FlowRequest;
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
    const work = input.trace
      ? input.trace.handler(screenOf(context), () => answer(flow, step, context, deps))
      : answer(flow, step, context, deps);
    return await beforeDeadline(work, input.deadlineMs, context, deps);
  } catch (error) {
    const failure = toFailure(error);
    input.trace?.handlerFailed(context.isClientGone ? 'CLIENT_GONE' : failure.error.code);
    if (context.isClientGone) throw new FlowgateError('CLIENT_GONE', 'the client left while its handler ran');
    logFailure(failure, context, deps);
    return await answerFallback(flow, failure, input, deps);
  }
}

async function answer(
  flow: FlowDefinition,
  step: Step,
  context: RequestContext,
  deps: DispatchDeps,
): Promise<RenderedReply> {
  if (flow.checkToken) {
    const verdict = await flow.checkToken(context.token, context);
    if (verdict !== true) return expiredReply(typeof verdict === 'string' ? verdict : DEFAULT_EXPIRED_MESSAGE);
  }
  const startedMs = deps.clock.nowMs();
  try {
    return await render(flow, await runStep(flow, step, context), context);
  } finally {
    noteHandler(context, deps.clock.nowMs() - startedMs, deps);
  }
}

/** Base data counts as the handler's: both are the app's, and the user waits for both. */
function noteHandler(context: RequestContext, durationMs: number, deps: DispatchDeps): void {
  const { flow, action } = context;
  const screen = screenOf(context);
  deps.metrics.handler(flow, screen, durationMs);
  if (durationMs <= SLOW_HANDLER_MS) return;
  const { requestId } = context;
  deps.log.warn(
    { code: 'HANDLER_SLOW', flow, action, screen, requestId, ms: Math.round(durationMs) },
    'a handler kept a user waiting',
  );
}

function screenOf({ action, currentScreen }: RequestContext): string {
  return action === 'INIT' ? 'INIT' : (currentScreen ?? '');
}

async function runStep(flow: FlowDefinition, { schema, handler }: Step, context: RequestContext): Promise<FlowReply> {
  if (!schema) return handler(context, context.data);
  const input = await validateInput(schema, context.data);
  if (input.ok) return handler(context, input.value);
  // A screen that declares no `error_messages` must not get them: a client refuses data for a screen that takes none.
  const bindsFields = declaresData(flow.json, context.currentScreen ?? '', 'error_messages') ?? true;
  return context.error(input.message, bindsFields ? { error_messages: input.fields } : {});
}

async function render(flow: FlowDefinition, reply: FlowReply, context: RequestContext): Promise<RenderedReply> {
  if (!isFlowReply(reply))
    throw new TypeError('the handler returned no reply: return c.screen(), c.error(), c.complete() or c.expire()');
  const { content } = reply;
  const load = content.kind === 'screen' ? flow.baseData.get(content.screen) : undefined;
  const completedFlow = flow.completion && flow.name;
  return renderReply(reply, { base: load && (await load(context)), token: context.token, completedFlow });
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
  input: DispatchInput,
  deps: DispatchDeps,
): Promise<RenderedReply> {
  if (!flow.fallbackHandler) throw failure.error;
  const deadlineMs = deps.clock.nowMs() + FALLBACK_MS;
  const why = failure.error.code === 'HANDLER_LATE' ? 'late' : 'failed';
  const context = new RequestContext({ ...contextInput(flow, { ...input, deadlineMs }, deps), failure: why });
  const handler = async () => render(flow, (await flow.fallbackHandler?.(context)) as FlowReply, context);
  try {
    const work = input.trace ? input.trace.fallback(handler) : handler();
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
  /** What was thrown by code that is not ours. */
  readonly cause: unknown;
}

function toFailure(thrown: unknown): Failure {
  const ours = thrown instanceof FlowgateError && (HANDLER_CODES as readonly ErrorCode[]).includes(thrown.code);
  return ours
    ? { error: thrown, cause: undefined }
    : { error: new FlowgateError('HANDLER_FAILED', 'the handler threw', { cause: thrown }), cause: thrown };
}

const HANDLER_CODES = ['HANDLER_LATE', 'HANDLER_MISSING'] as const satisfies readonly ErrorCode[];

/** The stack tells where; the message may quote the user's data, so it is left out unless settings ask for it. */
function logFailure({ error, cause }: Failure, context: RequestContext, deps: DispatchDeps): void {
  const thrown = cause === undefined ? {} : { stack: stackOf(cause) };
  const message = deps.logErrorMessages && cause instanceof Error ? { thrown: cause.message } : {};
  const { flow, action, currentScreen: screen, requestId } = context;
  deps.log.error({ code: error.code, flow, action, screen, requestId, ...thrown, ...message }, error.message);
}

function findStep(flow: FlowDefinition, { action, screen = '' }: FlowRequest): Step | undefined {
  if (action === 'INIT') return flow.initStep;
  return (action === 'BACK' ? flow.backSteps : flow.submitSteps).get(screen);
}

function missing({ action, screen = '?' }: FlowRequest): never {
  const call = action === 'INIT' ? '.init(handler)' : `.${action === 'BACK' ? 'back' : 'on'}('${screen}', handler)`;
  throw new FlowgateError('HANDLER_MISSING', `no handler for this action and screen: add ${call}`);
}

function contextInput(flow: FlowDefinition, input: DispatchInput, deps: DispatchDeps): ContextInput {
  const { request, source, deadlineMs, trace } = input;
  const { clock, log } = deps;
  const newDefer = trace ? () => deps.newDefer(trace.traceparent) : deps.newDefer;
  return { flow: flow.name, entryScreen: flow.entryScreen, request, source, deadlineMs, clock, log, newDefer };
}
