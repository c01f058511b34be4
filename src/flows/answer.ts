/** What stands between a request and its handler's answer, in order: token, once, schema, handler, base data, guard. */
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { FlowgateError } from '../errors.ts';
import type { Facilities } from '../facilities.ts';
import type { AppSecrets } from '../http/signature.ts';
import type { AnswerMetrics } from '../metrics/answer-metrics.ts';
import { type FlowMetrics, SLOW_HANDLER_MS } from '../metrics/flow-metrics.ts';
import type { FlowTrace } from '../tracing/tracing.ts';
import type { FlowDefinition, Step } from './flow-definition.ts';
import { declaresData } from './flow-json.ts';
import { type GuardDeps, guardReply } from './guard-reply.ts';
import { validateInput } from './input.ts';
import type { FlowRequest } from './protocol.ts';
import { type FlowReply, isFlowReply, type RenderedAnswer, renderReply } from './reply.ts';
import type { RequestContext } from './request-context.ts';
import { checkFlowToken, needsTokenCheck, useUp } from './token-gate.ts';

export interface AnswerDeps extends GuardDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly facilities: Facilities;
  readonly metrics: Pick<FlowMetrics, 'handler'> & AnswerMetrics;
}

export interface AnswerInput {
  readonly flow: FlowDefinition;
  readonly step: Step;
  readonly request: FlowRequest;
  readonly appSecrets: AppSecrets;
  readonly context: RequestContext;
  readonly trace?: FlowTrace | undefined;
}

/** Rejects with what the handler throws, or with a code of its parts. */
export async function answer(input: AnswerInput, deps: AnswerDeps): Promise<RenderedAnswer> {
  if (!needsTokenCheck(input)) return answerGuarded(input, deps);
  const refusal = await checkFlowToken(input, deps);
  return refusal ?? useUp(await answerGuarded(input, deps), input, deps);
}

/** What the guard refuses after an effect was had is kept all the same: the user's retry must not have it again. */
async function answerGuarded(input: AnswerInput, deps: AnswerDeps): Promise<RenderedAnswer> {
  const { onceMs } = input.step;
  const answered = await (onceMs === undefined ? runStep(input, deps) : answerOnce(input, onceMs, deps));
  guardReply(input.flow, answered, input.context, deps, input.trace);
  return answered;
}

/** The answer that the same submit had before, or the handler's. */
async function answerOnce(input: AnswerInput, onceMs: number, deps: AnswerDeps): Promise<RenderedAnswer> {
  const { flow, request, context } = input;
  const { token, screen, data } = request;
  const submit = { flow: context.scope, token, screen, data };
  const run = () => runStep(input, deps);
  const { repeated, ...answered } = await deps.facilities.submits.once(submit, onceMs, context, run);
  if (repeated) deps.metrics.submitRepeated(flow.name, screenOf(context));
  return answered;
}

async function runStep({ flow, step, context }: AnswerInput, deps: AnswerDeps): Promise<RenderedAnswer> {
  throwIfOver(context);
  const startedMs = deps.clock.nowMs();
  try {
    return await render(flow, await handle(flow, step, context), context);
  } finally {
    noteHandler(context, deps.clock.nowMs() - startedMs, deps);
  }
}

/** Base data counts as the handler's: both are the app's, and the user waits for both. */
function noteHandler(context: RequestContext, durationMs: number, deps: AnswerDeps): void {
  const { flow, action } = context;
  const screen = screenOf(context);
  deps.metrics.handler(flow, screen, durationMs, context.tenant);
  if (durationMs <= SLOW_HANDLER_MS) return;
  const { requestId } = context;
  deps.log.warn(
    { code: 'HANDLER_SLOW', flow, action, screen, requestId, ms: Math.round(durationMs) },
    'a handler kept a user waiting',
  );
}

/** The screen that a handler is for, or `INIT`. */
export function screenOf({ action, currentScreen }: RequestContext): string {
  return action === 'INIT' ? 'INIT' : (currentScreen ?? '');
}

async function handle(flow: FlowDefinition, { schema, handler }: Step, context: RequestContext): Promise<FlowReply> {
  if (!schema) return handler(context, context.data);
  const input = await validateInput(schema, context.data);
  throwIfOver(context);
  if (input.ok) return handler(context, input.value);
  // A screen that declares no `error_messages` must not get them: a client refuses data for a screen that takes none.
  const bindsFields = declaresData(flow.json, context.currentScreen ?? '', 'error_messages') ?? true;
  return context.error(input.message, bindsFields ? { error_messages: input.fields } : {});
}

/**
 * A token, a schema or the store took so long that the user was answered otherwise: a handler that began now would do what
 * nobody is told of, and do it again at the next try.
 */
function throwIfOver(context: RequestContext): void {
  if (context.isOver)
    throw new FlowgateError('HANDLER_LATE', 'nobody waits for the answer any more: the handler was not begun');
}

/** @throws TypeError for what no context made. */
export async function render(flow: FlowDefinition, reply: FlowReply, context: RequestContext): Promise<RenderedAnswer> {
  if (!isFlowReply(reply))
    throw new TypeError('the handler returned no reply: return c.screen(), c.error(), c.complete() or c.expire()');
  const { content } = reply;
  const load = content.kind === 'screen' ? flow.baseData.get(content.screen) : undefined;
  const completedFlow = flow.completion && flow.name;
  return renderReply(reply, { base: load && (await load(context)), token: context.token, completedFlow });
}
