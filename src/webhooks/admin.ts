/**
 * The inbox over HTTP, on the admin port: for `flowgate inbox`, and whatever else an operator points at it.
 *
 * Items hold what people wrote, so no answer is to be cached. A POST must be JSON: a web page in a browser on that
 * machine can send one only after a CORS preflight, and nothing here grants any.
 */
import { FlowgateError, statusOf } from '../errors.ts';
import type { Route } from '../http/router.ts';
import type { HttpReply, HttpRequest } from '../http/server.ts';
import { type Inbox, type InboxStats, ITEM_STATES } from './inbox.ts';

export const ITEM_ID = /^(?:evt|job)_[0-9a-f]{32}$/;
/** Most records a list has. */
export const MAX_LISTED = 1_000;
export const DEFAULT_LISTED = 50;
const MAX_BODY_BYTES = 1_024;

/** The answer to `GET /inbox`. */
export interface InboxReport extends InboxStats {
  readonly engine: Inbox['engine'];
}

/** The answer to every POST. `replay` and `purge` of all take 1,000 a call: repeat them until it is 0. */
export interface Count {
  readonly count: number;
}

export async function reportOf(inbox: Inbox): Promise<InboxReport> {
  return { engine: inbox.engine, ...(await inbox.stats()) };
}

export function inboxRoutes(inbox: Inbox): (path: string) => Route | undefined {
  const routes = new Map<string, Route>([
    ['/inbox', get(async () => json(200, await reportOf(inbox)))],
    ['/inbox/items', get(({ query }) => list(inbox, new URLSearchParams(query)))],
    ['/inbox/replay', post(() => inbox.replay())],
    ['/inbox/purge', post(() => inbox.purge())],
  ]);
  return (path) => routes.get(path) ?? itemRoute(inbox, path);
}

const ITEM_PATH = /^\/inbox\/items\/([^/]+)(?:\/(replay|purge))?$/;

function itemRoute(inbox: Inbox, path: string): Route | undefined {
  const [, id, action] = ITEM_PATH.exec(path) ?? [];
  if (id === undefined) return undefined;
  if (!ITEM_ID.test(id)) return { methods: ['GET', 'POST'], handler: () => BAD_ID };
  if (action === 'replay') return post(() => inbox.replay(id));
  if (action === 'purge') return post(() => inbox.purge(id));
  return get(async () => {
    const record = await inbox.find(id);
    return record ? json(200, record) : json(404, { error: `the inbox has no item ${id}` });
  });
}

async function list(inbox: Inbox, query: URLSearchParams): Promise<HttpReply> {
  const wanted = query.get('state') ?? 'dead';
  const state = ITEM_STATES.find((candidate) => candidate === wanted);
  if (!state) return badRequest(`state must be one of ${ITEM_STATES.join(', ')}`);
  const text = query.get('limit') ?? String(DEFAULT_LISTED);
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_LISTED) return badRequest(`limit must be a whole number from 1 to ${MAX_LISTED}`);
  return json(200, await inbox.list(state, limit));
}

function get(answer: (request: HttpRequest) => Promise<HttpReply>): Route {
  return { methods: ['GET'], handler: (request) => orUnavailable(answer(request)) };
}

function post(act: () => Promise<number>): Route {
  const answer = async (request: HttpRequest): Promise<HttpReply> => {
    if (!isJson(request)) return json(415, { error: 'send this with Content-Type: application/json' });
    await request.body(MAX_BODY_BYTES); // nothing in it matters
    const answer: Count = { count: await act() };
    return json(200, answer);
  };
  return { methods: ['POST'], handler: (request) => orUnavailable(answer(request)) };
}

/** What types a page may send without a preflight is the browser's rule: only exactly this one is none of them. */
function isJson(request: HttpRequest): boolean {
  const [type = ''] = (request.header('content-type') ?? '').split(';');
  return type.trim().toLowerCase() === 'application/json';
}

/** An inbox that cannot be reached is told in a sentence; every other failure is the server's to answer. */
async function orUnavailable(answer: Promise<HttpReply>): Promise<HttpReply> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof FlowgateError) || error.code !== 'INBOX_UNAVAILABLE') throw error;
    return json(statusOf(error), { error: error.message });
  }
}

const JSON_HEADERS = {
  'Content-Type': 'application/json',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
};

function json(status: number, value: object): HttpReply {
  return { status, headers: JSON_HEADERS, body: JSON.stringify(value) };
}

function badRequest(error: string): HttpReply {
  return json(400, { error });
}

const BAD_ID = badRequest('an item id is evt_ or job_ and 32 hex digits in lower case');
