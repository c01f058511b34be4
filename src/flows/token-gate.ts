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
import { DEAD_TOKEN_MESSAGE, type LiveToken } from '../tokens/tokens.ts';
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

export type Verdict =
  | { readonly reply: RenderedAnswer } // 427, or the answer that this very submit was given before
  | { readonly reply: undefined; readonly token: LiveToken | undefined };

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

/** Rejects with `STATE_UNAVAILABLE`, or with what `checkToken` throws. Tells the context who the user is. */
export async function checkFlowToken(input: GateInput, deps: TokenGateDeps): Promise<Verdict> {
  const { flow, request, appSecrets, context } = input;
  const signature = await verifyTokenSignature(request, flow.tokenSignature, {
    secrets: appSecrets,
    clock: deps.clock,
  });
  if (!signature.ok) return dead(`signature_${signature.reason}`, input, deps);
  const minted = await deps.facilities.tokens.check(context.scope, request, flow.tokens);
  if (minted.state === 'dead') return dead(minted.reason, input, deps);
  if (minted.state === 'answered') return { reply: { status: 200, kind: 'complete', text: minted.text } };
  const token = minted.state === 'live' ? minted.token : undefined;
  context.user = token?.user;
  const verdict = flow.checkToken ? await flow.checkToken(request.token, context) : true;
  if (verdict === true) return { reply: undefined, token };
  return dead('app', input, deps, typeof verdict === 'string' ? verdict : undefined);
}

function dead(reason: string, { flow }: GateInput, { metrics }: TokenGateDeps, message = DEAD_TOKEN_MESSAGE): Verdict {
  metrics.tokenRefused(flow.name, reason);
  return { reply: expiredReply(message) };
}

/** A single-use token is used up by the completion of its Flow. @returns what to answer. */
export async function useUp(
  token: LiveToken,
  rendered: RenderedAnswer,
  { flow, request }: GateInput,
  { facilities, metrics }: TokenGateDeps,
): Promise<RenderedAnswer> {
  const text = await facilities.tokens.use(token, request, rendered.text);
  if (text !== undefined) return { ...rendered, text };
  metrics.tokenRefused(flow.name, 'used');
  return expiredReply(DEAD_TOKEN_MESSAGE);
}
