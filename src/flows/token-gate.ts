/**
 * Who may have an answer at all: what a request's flow token is worth.
 *
 * Three things are asked, those that cost nothing first: Meta's signature over the token, our own record of a minted
 * token, the app's `checkToken`. A dead token answers 427, which disables the button of its message.
 */
import type { Clock } from '../clock.ts';
import type { Facilities } from '../facilities.ts';
import type { AppSecrets } from '../http/signature.ts';
import type { AnswerMetrics } from '../metrics/answer-metrics.ts';
import { looksMinted } from '../tokens/minted-token.ts';
import { verifyTokenSignature } from '../tokens/token-signature.ts';
import { DEAD_TOKEN_MESSAGE } from '../tokens/tokens.ts';
import type { FlowDefinition } from './flow-definition.ts';
import type { FlowRequest } from './protocol.ts';
import { expiredReply, type RenderedAnswer } from './reply.ts';
import type { RequestContext } from './request-context.ts';

export interface TokenGateDeps {
  readonly facilities: Facilities;
  readonly clock: Clock;
  readonly metrics: Pick<AnswerMetrics, 'tokenRefused'>;
}

/** Of a request that has something to check. */
export interface GateInput {
  readonly flow: FlowDefinition;
  readonly request: FlowRequest;
  readonly appSecrets: AppSecrets;
  readonly context: RequestContext;
}

/** Known without waiting: most requests of most Flows have a token that is the app's own affair. */
export function needsTokenCheck({ flow, request, context }: GateInput): boolean {
  const { checkToken, tokens, tokenSignature } = flow;
  const { token } = request;
  if (checkToken || tokens === 'required' || tokenSignature === 'required') return true;
  return (
    (request.tokenSignature !== undefined && tokenSignature !== 'off') ||
    (token !== undefined && looksMinted(context.scope, token))
  );
}

/**
 * Tells the context who the user is. Rejects with `STATE_UNAVAILABLE`, or with what `checkToken` throws.
 *
 * @returns what is answered in the handler's place: 427, or the answer that this very submit was given before; undefined
 *   where the handler answers.
 */
export async function checkFlowToken(input: GateInput, deps: TokenGateDeps): Promise<RenderedAnswer | undefined> {
  const { flow, request, appSecrets, context } = input;
  const signature = await verifyTokenSignature(request, flow.tokenSignature, {
    secrets: appSecrets,
    clock: deps.clock,
  });
  if (!signature.ok) return dead(`signature_${signature.reason}`, input, deps);
  const minted = await deps.facilities.tokens.check(context.scope, request, flow.tokens);
  if (minted.state === 'dead') return dead(minted.reason, input, deps);
  if (minted.state === 'answered') return { status: 200, kind: 'complete', text: minted.text };
  context.liveToken = minted.state === 'live' ? minted.token : undefined;
  const verdict = flow.checkToken ? await flow.checkToken(request.token, context) : true;
  if (verdict === true) return undefined;
  return dead('app', input, deps, typeof verdict === 'string' ? verdict : undefined);
}

function dead(reason: string, { flow }: GateInput, { metrics }: TokenGateDeps, message = DEAD_TOKEN_MESSAGE) {
  metrics.tokenRefused(flow.name, reason);
  return expiredReply(message);
}

/** A single-use token is used up by the completion of its Flow. @returns what to answer. */
export async function useUp(
  rendered: RenderedAnswer,
  { flow, request, context }: Omit<GateInput, 'appSecrets'>,
  { facilities, metrics }: Omit<TokenGateDeps, 'clock'>,
): Promise<RenderedAnswer> {
  const { liveToken } = context;
  if (!liveToken?.singleUse || rendered.kind !== 'complete') return rendered;
  const text = await facilities.tokens.use(liveToken, request, rendered.text);
  if (text !== undefined) return { ...rendered, text };
  metrics.tokenRefused(flow.name, 'used');
  return expiredReply(DEAD_TOKEN_MESSAGE);
}
