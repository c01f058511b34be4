/** The calls of the page, as `api.ts` has them: what each takes, and what it does with it. */
import type { App } from '../app.ts';
import type { FlowDefinition } from '../flows/flow-definition.ts';
import type { Inbox } from '../webhooks/inbox.ts';
import type { AppReport, MediaReport, PublicKeyReport, TokenReport, TokenSignatureReport } from './api.ts';
import { ApiError, badRequest } from './api-error.ts';
import { type Cdn, MAX_FILE_BYTES } from './cdn.ts';
import type { Credentials } from './credentials.ts';
import type { Deferrals } from './deferrals.ts';
import { deliver, type ExchangeDeps, exchange } from './exchange.ts';
import type { GraphStandIn } from './graph/stand-in.ts';
import { viewInbox } from './inbox-view.ts';
import { readAfter, readJson, readToken, readTokenRequest, readWebhookRequest } from './read-request.ts';
import type { SentReport } from './sent.ts';

/** Twice what the endpoint takes, so that its own refusal can be seen. */
export const MAX_ENVELOPE_BYTES = 2 * 1024 * 1024;
/** As large as the answer may be that it comes from; escaped, it may be more than the webhook takes. */
export const MAX_WEBHOOK_BYTES = 1024 * 1024;
export const MAX_CALL_BYTES = 16 * 1024;
export const MAX_FILE_NAME_CHARS = 255;

export interface Call {
  readonly method: 'GET' | 'POST';
  /** Of its body. */
  readonly maxBytes: number;
  /** Rejects with an ApiError, or with a FlowgateError of a store. */
  answer(input: CallInput): object | Promise<object>;
}

export interface CallInput {
  readonly body: Buffer;
  readonly query: URLSearchParams;
  /** What follows the call's name in the path, percent-decoded. */
  readonly rest: string;
}

export interface CallDeps extends ExchangeDeps {
  readonly app: Pick<App, 'tokens'>;
  readonly flows: ReadonlyMap<string, FlowDefinition>;
  readonly credentials: Credentials;
  readonly inbox: Inbox;
  readonly deferrals: Deferrals;
  readonly cdn: Cdn;
  /** Undefined where the real one is called. */
  readonly graph: GraphStandIn | undefined;
  readonly report: AppReport;
}

/** Of an app that could not be loaded there is this to tell. */
export function reportCall(report: AppReport): ReadonlyMap<string, Call> {
  return new Map([['app', { method: 'GET', maxBytes: 0, answer: () => report }]]);
}

export function callsOf(deps: CallDeps): ReadonlyMap<string, Call> {
  return new Map<string, Call>([
    ...reportCall(deps.report),
    ['public-key', get(({ query }) => publicKey(query, deps))],
    ['sent', get(({ query }) => sentAfter(query, deps))],
    ['inbox', get(() => viewInbox(deps.inbox, deps.deferrals))],
    [
      'exchange',
      post(MAX_ENVELOPE_BYTES, ({ body, rest }) => exchange(flowCalled(rest, deps), body.toString('utf8'), deps)),
    ],
    ['token', post(MAX_CALL_BYTES, ({ body }) => mint(body, deps))],
    ['token-signature', post(MAX_CALL_BYTES, ({ body }) => signToken(body, deps))],
    ['webhook', post(MAX_WEBHOOK_BYTES, ({ body }) => deliver(readWebhookRequest(readJson(body)), deps))],
    ['media', post(MAX_FILE_BYTES, (input) => keepFile(input, deps))],
  ]);
}

function get(answer: Call['answer']): Call {
  return { method: 'GET', maxBytes: 0, answer };
}

function post(maxBytes: number, answer: Call['answer']): Call {
  return { method: 'POST', maxBytes, answer };
}

async function publicKey(query: URLSearchParams, { credentials, flows }: CallDeps): Promise<PublicKeyReport> {
  if (query.has('retired')) return { pem: await credentials.retiredPublicKey() };
  return { pem: credentials.publicKey(flows.get(query.get('flow') ?? '')) };
}

/** Where the real Graph API is called, nothing is known of what was sent. */
function sentAfter(query: URLSearchParams, { graph, report }: CallDeps): SentReport {
  if (!graph) throw new ApiError(404, 'GRAPH_TOKEN is set: what handlers send goes to the Graph API');
  return { bootId: report.bootId, ...graph.sentAfter(readAfter(query)) };
}

function flowCalled(name: string, { flows }: CallDeps): FlowDefinition {
  const flow = flows.get(name);
  if (flow) return flow;
  throw new ApiError(404, 'the app has no Flow of this name');
}

async function mint(body: Buffer, deps: CallDeps): Promise<TokenReport> {
  const wanted = readTokenRequest(readJson(body));
  const { tenant } = flowCalled(wanted.flow, deps).credentials;
  return { token: await deps.app.tokens.mint({ ...wanted, ...(tenant !== undefined && { tenant }) }) };
}

async function signToken(body: Buffer, { credentials }: CallDeps): Promise<TokenSignatureReport> {
  return { signature: await credentials.signToken(readToken(readJson(body))) };
}

function keepFile({ body, query }: CallInput, { cdn }: CallDeps): MediaReport {
  const name = query.get('name') ?? '';
  if (name === '' || name.length > MAX_FILE_NAME_CHARS) {
    throw badRequest(`name must be a text of 1 to ${MAX_FILE_NAME_CHARS} characters`);
  }
  return { ...cdn.put(body, name) } as unknown as MediaReport;
}
