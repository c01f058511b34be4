/** Something in front of a server, as helpful or harmful as a test wants it. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface Rewriting {
  readonly body?: (body: Buffer) => Buffer | string;
  readonly path?: (path: string) => string;
  /** Not passed on. */
  readonly withoutHeader?: string;
  readonly reply?: (body: string) => string;
}

export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
}

/** PEM. */
export interface TestTls {
  readonly cert: string;
  readonly key: string;
}

export function startProxy(target: string, rewriting: Rewriting = {}, tls?: TestTls): Promise<TestServer> {
  return startServer((incoming, response) => void pass(incoming, response, target, rewriting), tls);
}

/** Every request gets this answer. */
export function startAnswering(
  status: number,
  { headers = {}, body = '' }: { headers?: Record<string, string>; body?: string } = {},
): Promise<TestServer> {
  return startServer((_, response) => response.writeHead(status, headers).end(body));
}

/** An address where nothing listens. */
export async function closedUrl(): Promise<string> {
  const server = await startAnswering(200);
  await server[Symbol.asyncDispose]();
  return server.url;
}

export async function startServer(
  handle: (incoming: IncomingMessage, response: ServerResponse) => void,
  tls?: TestTls,
): Promise<TestServer> {
  const server = tls ? createTlsServer(tls, handle) : createServer(handle);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

async function pass(
  incoming: IncomingMessage,
  response: ServerResponse,
  target: string,
  { body: rewrite = (body) => body, path = (text) => text, withoutHeader, reply = (text) => text }: Rewriting,
): Promise<void> {
  const received = await buffer(incoming);
  const body = received.length > 0 ? Buffer.from(rewrite(received)) : received;
  const { host, 'content-length': length, 'transfer-encoding': encoding, ...headers } = incoming.headers;
  if (withoutHeader !== undefined) delete headers[withoutHeader];
  const url = new URL(path(incoming.url ?? '/'), target);
  const outgoing = request(url, { method: incoming.method ?? 'GET', headers, agent: false }, async (answer) => {
    const text = reply((await buffer(answer)).toString());
    response.writeHead(answer.statusCode ?? 502).end(text);
  });
  outgoing.on('error', () => response.writeHead(502).end());
  outgoing.end(body);
}
