/** Hosts a handler behind the web standard `Request` and `Response`, for Express, Fastify, Hono or a test. */
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { FlowgateError } from '../errors.ts';
import { declaredLength, replyOf, tooLarge } from './exchange.ts';
import type { HttpHandler, HttpRequest } from './server.ts';

export interface FetchDeps {
  readonly clock: Clock;
  readonly log: Logger;
}

/** Never rejects: what goes wrong is a status. The host keeps its own time limits and connections. */
export async function answerFetch(
  handler: HttpHandler,
  request: Request,
  { clock, log }: FetchDeps,
): Promise<Response> {
  const arrived = fromFetch(request, clock);
  let reply: Awaited<ReturnType<HttpHandler>>;
  try {
    reply = await handler(arrived);
  } catch (error) {
    reply = replyOf(error, log, arrived);
  }
  return new Response(reply.body ?? null, { status: reply.status, headers: { ...reply.headers } });
}

function fromFetch(request: Request, clock: Clock): HttpRequest {
  const { pathname, search } = new URL(request.url);
  return {
    method: request.method,
    path: pathname,
    query: search.slice(1),
    receivedAtMs: clock.nowMs(),
    get aborted() {
      return request.signal.aborted;
    },
    header: (name) => request.headers.get(name) ?? undefined,
    body: (maxBytes) => readBody(request, maxBytes),
    onAbort(listener) {
      if (request.signal.aborted) listener();
      else request.signal.addEventListener('abort', listener, { once: true });
    },
  };
}

async function readBody(request: Request, maxBytes: number): Promise<Buffer> {
  if ((declaredLength(request.headers.get('content-length') ?? undefined) ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request.body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) break; // leaving the loop cancels the stream
      chunks.push(chunk);
    }
  } catch (error) {
    throw new FlowgateError('CLIENT_GONE', 'the body ended early', { cause: error });
  }
  if (bytes > maxBytes) throw tooLarge(maxBytes);
  return Buffer.concat(chunks, bytes);
}
