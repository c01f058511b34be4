/** Everything under `/playground` of the admin port: the page, and the calls it makes. */

import type { Route } from '../http/router.ts';
import type { HttpReply, HttpRequest } from '../http/server.ts';
import { checkAccess } from './access.ts';
import type { ApiFailure } from './api.ts';
import { ApiError, toApiError } from './api-error.ts';
import type { Call } from './calls.ts';
import { type FindFile, SECURITY_HEADERS } from './page-files.ts';

export interface PlaygroundRoutesOptions {
  readonly adminHost: string;
  readonly findFile: FindFile;
  /** Undefined until the app runs. */
  readonly calls: () => ReadonlyMap<string, Call> | undefined;
}

const ROOT = '/playground';
const API = `${ROOT}/api/`;
const TO_PAGE: HttpReply = { status: 302, headers: { ...SECURITY_HEADERS, Location: `${ROOT}/` } };
const JSON_HEADERS = { ...SECURITY_HEADERS, 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };

/** @returns undefined for a path that is not the playground's. */
export function playgroundRoutes(options: PlaygroundRoutesOptions): (path: string) => Route | undefined {
  const guarded = (answer: (request: HttpRequest) => HttpReply | Promise<HttpReply>, methods: string[]): Route => ({
    methods,
    handler: (request) => orRefused(request, options, answer),
  });
  const page = (reply: HttpReply) => guarded(() => reply, ['GET', 'HEAD']);
  return (path) => {
    if (path === ROOT) return page(TO_PAGE);
    if (path.startsWith(API)) return guarded((request) => call(request, options), ['GET', 'POST']);
    const file = options.findFile(path);
    return file && page(file);
  };
}

async function orRefused(
  request: HttpRequest,
  { adminHost }: PlaygroundRoutesOptions,
  answer: (request: HttpRequest) => HttpReply | Promise<HttpReply>,
): Promise<HttpReply> {
  try {
    checkAccess(request, adminHost);
    return await answer(request);
  } catch (error) {
    const refusal = toApiError(error);
    if (!refusal) throw error;
    const { status, message } = refusal;
    const failure: ApiFailure = { error: message };
    return { ...json(status, failure), close: status === 413 }; // the rest of the body is still on its way
  }
}

async function call(request: HttpRequest, { calls }: PlaygroundRoutesOptions): Promise<HttpReply> {
  const [name = '', ...rest] = request.path.slice(API.length).split('/');
  const known = calls();
  if (!known) throw new ApiError(503, 'the app is starting');
  const called = known.get(name);
  if (!called) throw new ApiError(404, 'there is no such call, or there is no app to answer it');
  if (called.method !== request.method) throw new ApiError(405, `this call is a ${called.method}`);
  const input = { query: new URLSearchParams(request.query), rest: decode(rest.join('/')) };
  const body = called.method === 'POST' ? await request.body(called.maxBytes) : Buffer.alloc(0);
  return json(200, await called.answer({ ...input, body }));
}

/** What is not percent-encoded well is the name of nothing. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

function json(status: number, value: object): HttpReply {
  let body = written.get(value);
  if (body === undefined) {
    body = JSON.stringify(value);
    written.set(value, body);
  }
  return { status, headers: JSON_HEADERS, body };
}

/** The page asks every second for the report of the app, which is always the same one and may be a megabyte. */
const written = new WeakMap<object, string>();
