/** What every HttpServer promises, checked over real sockets with a clock that only the test moves. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { FlowgateError } from '../../src/errors.ts';
import type { Certificate } from '../../src/http/certificate.ts';
import { createHttpServer } from '../../src/http/create-server.ts';
import { createRouter } from '../../src/http/router.ts';
import type { HttpHandler, HttpReply, HttpRequest, HttpServerName } from '../../src/http/server.ts';
import { TestAuthority } from '../support/certificates.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { httpServers } from '../support/http-servers.ts';
import { recordingLog } from '../support/log.ts';
import { chunk, chunked, RawClient, type RawResponse, requestText, Tally, within } from '../support/raw-http.ts';

const CAP = 1_000;
const EXCHANGE_TIMEOUT_MS = 5_000;
const GRACE_MS = 3_000;
const OK: HttpReply = { status: 200, body: 'ok' };
/** What tells an attacker which list of weaknesses to look up. */
const PRODUCT = /^(server|x-powered-by):|uwebsockets|flowgate|node/im;
const CHUNKED = { headers: ['Transfer-Encoding: chunked'] };

const authority = new TestAuthority();
const tls = authority.certificate('flows.example.com');

interface ServerKind {
  readonly name: HttpServerName;
  readonly tls: Certificate | undefined;
}

const kinds = httpServers.flatMap((name): [string, ServerKind][] => [
  [name, { name, tls: undefined }],
  [`${name} over TLS`, { name, tls }],
]);

/** A server in front of `handler`; it answers `/ok` itself, to show that it still serves. */
async function serve({ name, tls }: ServerKind, handler: HttpHandler, onPort = 0) {
  const clock = new FakeClock();
  const { log, lines } = recordingLog();
  const server = createHttpServer(name, {
    tls,
    handler: (request) => (request.path === '/ok' ? OK : handler(request)),
    exchangeTimeoutMs: EXCHANGE_TIMEOUT_MS,
    clock,
    log,
  });
  const port = await server.listen({ host: '127.0.0.1', port: onPort });
  const close = async () => {
    let isClosed = false;
    void server.close(0).then(() => (isClosed = true));
    for (; !isClosed; await nextTurn()) clock.advance(1);
  };
  const connect = () => RawClient.connect(port, tls && { ca: authority.ca });
  return { server, port, connect, clock, lines, [Symbol.asyncDispose]: close };
}

type RunningServer = Awaited<ReturnType<typeof serve>>;

async function exchange(server: RunningServer, text: string): Promise<RawResponse> {
  using client = await server.connect();
  client.send(text);
  return await client.response(); // not sooner: the client leaves at the end of its scope
}

async function expectToServe(server: RunningServer): Promise<void> {
  expect(await exchange(server, requestText('GET /ok'))).toMatchObject({ status: 200, body: 'ok' });
}

const echo: HttpHandler = async (request) => ({ status: 200, body: (await request.body(CAP)).toString('latin1') });

/** A handler that waits, whatever becomes of its client, until the test lets it answer; it keeps what it saw. */
class WaitingHandler {
  readonly entered = new Tally();
  readonly aborted = new Tally();
  readonly answered = new Tally();
  readonly #leave = new Tally();
  readonly requests: HttpRequest[] = [];

  readonly handle: HttpHandler = async (request) => {
    this.requests.push(request);
    request.onAbort(this.aborted.add);
    this.entered.add();
    await this.#leave.reached(1);
    this.answered.add();
    return { status: 200, body: 'worth the wait' };
  };

  readonly letGo = this.#leave.add;
}

describe.each(kinds)('the HTTP server on %s', (_, kind) => {
  describe('reading a request', () => {
    test('gives the handler method, path, query and headers as they were sent', async () => {
      const seen: unknown[] = [];
      await using server = await serve(kind, (request) => {
        const { method, path, query, receivedAtMs } = request;
        seen.push({
          method,
          path,
          query,
          receivedAtMs,
          thing: request.header('x-thing'),
          none: request.header('none'),
        });
        return OK;
      });
      await exchange(server, requestText('DELETE /a%20b/C?d=%20e&f=?g', { headers: ['X-Thing: Tea Pot'] }));
      await exchange(server, requestText('GET /a'));
      const common = { receivedAtMs: server.clock.nowMs(), none: undefined };
      expect(seen).toEqual([
        { ...common, method: 'DELETE', path: '/a%20b/C', query: 'd=%20e&f=?g', thing: 'Tea Pot' },
        { ...common, method: 'GET', path: '/a', query: '', thing: undefined },
      ]);
    });

    test('joins a header that was sent twice', async () => {
      await using server = await serve(kind, (request) => ({ status: 200, body: request.header('x-thing') ?? '' }));
      const headers = ['X-Thing: one', 'X-Other: between', 'x-thing: two'];
      expect(await exchange(server, requestText('GET /', { headers }))).toMatchObject({ body: 'one, two' });
    });

    test.each([
      ['sent at once', requestText('POST /', { body: 'a body' }), 'a body'],
      ['in chunks', requestText('POST /', CHUNKED) + chunked('a ', 'bo', 'dy'), 'a body'],
      ['of no bytes', requestText('POST /', { headers: ['Content-Length: 0'] }), ''],
      ['of no chunks', requestText('POST /', CHUNKED) + chunked(), ''],
      ['exactly as long as the cap', requestText('POST /', { body: 'x'.repeat(CAP) }), 'x'.repeat(CAP)],
      ['in chunks that add up to the cap', requestText('POST /', CHUNKED) + chunked('x'.repeat(CAP)), 'x'.repeat(CAP)],
    ])('reads a body %s', async (_, text, body) => {
      await using server = await serve(kind, echo);
      expect(await exchange(server, text)).toMatchObject({ status: 200, body });
    });

    test.each([
      ['of a known length', requestText('POST /', { body: 'one by one' })],
      ['in chunks', requestText('POST /', CHUNKED) + chunked('one by', ' one')],
    ])('reads a body %s that arrives byte by byte', async (_, text) => {
      await using server = await serve(kind, echo);
      using client = await server.connect();
      const lineEnd = text.indexOf('\r\n') + 2; // uWebSockets.js answers 505 when the first line comes in pieces
      client.send(text.slice(0, lineEnd));
      await client.sendBytewise(text.slice(lineEnd));
      expect(await client.response()).toMatchObject({ status: 200, body: 'one by one' });
    });
  });

  describe('a body over the cap', () => {
    test.each([
      [
        'its declared length, before a byte of it is sent',
        requestText('POST /', { headers: [`Content-Length: ${CAP + 1}`] }),
      ],
      ['counting its chunks, before they end', requestText('POST /', CHUNKED) + chunk('x'.repeat(CAP)) + chunk('x')],
    ])('is answered 413 by %s, and the connection is closed', async (_, text) => {
      await using server = await serve(kind, echo);
      using client = await server.connect();
      client.send(text);
      const { status, headers, body } = await client.response();
      expect({ status, connection: headers.get('connection'), body }).toEqual({
        status: 413,
        connection: 'close',
        body: '',
      });
      expect(await client.closed()).toBe('');
      await expectToServe(server);
    });
  });

  describe('a handler that fails', () => {
    const thrown = (): never => {
      throw new Error('the card number is 4111');
    };
    const rejected = async (): Promise<never> => thrown();
    const withLines = (): never => {
      throw new Error('no such card:\n    at 4111');
    };
    const withoutFrames = (): never => {
      const error = new Error('the card number is 4111');
      error.stack = String(error); // as native code leaves it, e.g. what a callback of node:fs gets
      throw error;
    };

    test.each([
      ['throws', thrown],
      ['rejects', rejected],
      ['throws an error without stack frames', withoutFrames],
      ['throws an error whose message looks like a stack', withLines],
    ])('is answered 500 without a word of its message when it %s', async (_, handler) => {
      await using server = await serve(kind, handler);
      expect(await exchange(server, requestText('GET /'))).toMatchObject({ status: 500, body: '' });
      expect(server.lines).toMatchObject([{ code: 'INTERNAL' }]);
      expect(JSON.stringify(server.lines)).not.toContain('4111');
      await expectToServe(server);
    });

    test.each([
      ['SIGNATURE_INVALID', 432, {}],
      ['DECRYPTION_FAILED', 421, {}],
      ['POOL_SATURATED', 503, { 'retry-after': '1' }],
    ] as const)(
      'is answered by the status of %s, bodiless and unlogged, on a connection that lives on',
      async (code, status, headers) => {
        await using server = await serve(kind, () => {
          throw new FlowgateError(code, 'for the log');
        });
        using client = await server.connect();
        client.send(requestText('GET /'));
        const reply = await client.response();
        expect(reply).toMatchObject({ status, body: '' });
        expect(Object.fromEntries(reply.headers)).toMatchObject(headers);
        expect(server.lines).toEqual([]);
        client.send(requestText('GET /ok'));
        expect(await client.response()).toMatchObject(OK);
      },
    );
  });

  describe('a connection', () => {
    test('serves one request after another', async () => {
      await using server = await serve(kind, echo);
      using client = await server.connect();
      for (const body of ['first', 'second']) {
        client.send(requestText('POST /', { body }));
        expect(await client.response()).toMatchObject({ status: 200, body });
      }
    });

    test.each([
      ['404', 'POST /nowhere', requestText('POST /nowhere', { body: 'nobody reads this' }), {}],
      ['405', 'POST /known', requestText('POST /known', { body: 'nobody reads this' }), { allow: 'GET, HEAD' }],
      ['404', 'POST /nowhere in chunks', requestText('POST /nowhere', CHUNKED) + chunked('nobody', 'reads'), {}],
    ])('stays usable after a %s for %s', async (status, _, text, headers) => {
      const route = { methods: ['GET', 'HEAD'], handler: () => OK };
      const router = createRouter((path) => (path === '/known' ? route : undefined));
      await using server = await serve(kind, router);
      using client = await server.connect();
      client.send(text);
      const reply = await client.response();
      expect(reply).toMatchObject({ status: Number(status), body: '' });
      expect(Object.fromEntries(reply.headers)).toMatchObject(headers);
      client.send(requestText('GET /known'));
      expect(await client.response()).toMatchObject(OK);
    });

    test('stays usable when the body comes after its 404', async () => {
      await using server = await serve(
        kind,
        createRouter(() => undefined),
      );
      using client = await server.connect();
      client.send(requestText('POST /nowhere', { headers: ['Content-Length: 4'] }));
      expect(await client.response()).toMatchObject({ status: 404 });
      client.send(`late${requestText('GET /ok')}`);
      expect(await client.response()).toMatchObject(OK);
    });

    test('is closed after a reply that asks for it, which says so once', async () => {
      await using server = await serve(kind, () => ({ ...OK, close: true }));
      using client = await server.connect();
      client.send(requestText('GET /'));
      const { headers } = await client.response();
      expect(headers.get('connection')).toBe('close');
      expect(await client.closed()).toBe('');
    });
  });

  describe('an answer', () => {
    test('has the status, headers and body of the reply', async () => {
      const reply = { status: 427, headers: { 'Content-Type': 'text/plain', 'X-Thing': 'tea' }, body: 'Grüße' };
      await using server = await serve(kind, () => reply);
      const { status, headers, body } = await exchange(server, requestText('GET /'));
      expect({ status, body: Buffer.from(body, 'latin1').toString() }).toEqual({ status: 427, body: 'Grüße' });
      expect(Object.fromEntries(headers)).toMatchObject({ 'content-type': 'text/plain', 'x-thing': 'tea' });
    });

    test('to HEAD tells the length of the body without sending it', async () => {
      await using server = await serve(kind, () => OK);
      using client = await server.connect();
      client.send(requestText('HEAD /'));
      const { status, headers } = await client.response({ toHead: true });
      expect({ status, length: headers.get('content-length') }).toEqual({ status: 200, length: '2' });
      client.send(requestText('GET /'));
      expect(await client.response()).toMatchObject(OK);
    });

    test('to HEAD has no body before the connection closes', async () => {
      await using server = await serve(kind, () => ({ ...OK, close: true }));
      using client = await server.connect();
      client.send(requestText('HEAD /'));
      expect(await client.response({ toHead: true })).toMatchObject({ status: 200 });
      expect(await client.closed()).toBe('');
    });

    test.each([
      ['a good request', requestText('GET /ok')],
      ['a request for nothing known', requestText('POST /nowhere', { body: 'x' })],
      ['a failing handler', requestText('GET /fails')],
    ])('to %s names no product', async (_, text) => {
      await using server = await serve(kind, ({ path }) => {
        throw path === '/fails' ? new Error('no') : new FlowgateError('PATH_UNKNOWN', 'no such path');
      });
      const { head } = await exchange(server, text);
      expect(head).not.toMatch(PRODUCT);
    });

    // Only in the head: uWebSockets.js has its name compiled into the page it sends for what is not HTTP/1.1.
    test.each([
      ['is not HTTP', 'hello\r\n\r\n'],
      ['speaks HTTP/1.0', 'GET /ok HTTP/1.0\r\nHost: localhost\r\n\r\n'],
      ['has no sound length', requestText('POST /ok', { headers: ['Content-Length: x'] })],
    ])('to what %s names no product in its head', async (_, text) => {
      await using server = await serve(kind, echo);
      using client = await server.connect();
      client.send(text);
      const [head] = (await client.closed()).split('\r\n\r\n');
      expect(head).toMatch(/^HTTP\/1\.1 /);
      expect(head).not.toMatch(PRODUCT);
      await expectToServe(server);
    });
  });

  describe('a client that leaves', () => {
    test('mid-body ends the wait for the body, tells the listener once and gets nothing of the answer', async () => {
      const started = new Tally();
      const aborted = new Tally();
      const ended = new Tally();
      const seen: unknown[] = [];
      await using server = await serve(kind, async (request) => {
        request.onAbort(aborted.add);
        const body = request.body(CAP);
        started.add();
        seen.push(await body.catch((error: FlowgateError) => error.code), request.aborted);
        ended.add();
        return OK;
      });
      using client = await server.connect();
      client.send(`${requestText('POST /', { headers: ['Content-Length: 10'] })}half`);
      await started.reached(1);
      client.end();
      expect(await client.closed()).not.toContain(OK.body);
      await ended.reached(1);
      await expectToServe(server);
      expect(seen).toEqual(['CLIENT_GONE', true]);
      expect(aborted.count).toBe(1);
    });

    test.each(['end', 'reset'] as const)(
      'before the answer (%s) tells the listener once and is sent nothing',
      async (leave) => {
        const waiting = new WaitingHandler();
        await using server = await serve(kind, waiting.handle);
        using client = await server.connect();
        client.send(requestText('GET /'));
        await waiting.entered.reached(1);
        client[leave]();
        await waiting.aborted.reached(1);
        waiting.letGo();
        await waiting.answered.reached(1);
        expect(await client.closed()).toBe('');
        await expectToServe(server);
        expect(waiting.aborted.count).toBe(1);
        expect(waiting.requests[0]?.aborted).toBe(true);
      },
    );

    test('tells a listener at once that comes after it has left', async () => {
      const waiting = new WaitingHandler();
      await using server = await serve(kind, waiting.handle);
      using client = await server.connect();
      client.send(requestText('GET /'));
      await waiting.entered.reached(1);
      client.reset();
      await waiting.aborted.reached(1);
      const late = new Tally();
      waiting.requests[0]?.onAbort(late.add);
      expect(late.count).toBe(1);
    });

    test('after the answer tells no listener', async () => {
      const aborted = new Tally();
      await using server = await serve(kind, (request) => {
        request.onAbort(aborted.add);
        return OK;
      });
      await exchange(server, requestText('GET /'));
      await within(server.server.close(GRACE_MS), 'the end of the server');
      expect(aborted.count).toBe(0);
    });

    test('as one of 200 at once leaves nothing in flight', async () => {
      const waiting = new WaitingHandler();
      await using server = await serve(kind, waiting.handle);
      const clients = await Promise.all(Array.from({ length: 200 }, () => server.connect()));
      for (const client of clients) client.send(requestText('POST /', { body: 'patience' }));
      await waiting.entered.reached(200);
      for (const client of clients) client.reset();
      await waiting.aborted.reached(200);
      await expectToServe(server);
      expect(waiting.requests.every(({ aborted }) => aborted)).toBe(true);
      expect(server.clock.pending).toBe(0);
      await within(server.server.close(GRACE_MS), 'the end of the server'); // time stands still: no grace is waited for
    });
  });

  describe('an exchange that takes too long', () => {
    test('is answered 503, logged and closed when the handler never answers', async () => {
      const waiting = new WaitingHandler();
      await using server = await serve(kind, waiting.handle);
      using client = await server.connect();
      client.send(requestText('POST /', { body: 'anything' }));
      await waiting.entered.reached(1);
      server.clock.advance(EXCHANGE_TIMEOUT_MS - 1);
      expect(server.clock.pending).toBe(1);
      server.clock.advance(1);
      expect(await client.response()).toMatchObject({ status: 503, body: '' });
      expect(await client.closed()).toBe('');
      expect(server.lines).toMatchObject([{ code: 'EXCHANGE_TIMEOUT' }]);
      waiting.letGo();
      await waiting.answered.reached(1);
      await expectToServe(server);
    });

    test('is answered 408 and closed when the body never completes', async () => {
      const started = new Tally();
      await using server = await serve(kind, (request) => {
        const reply = echo(request);
        started.add();
        return reply;
      });
      using client = await server.connect();
      client.send(`${requestText('POST /', { headers: ['Content-Length: 10'] })}half`);
      await started.reached(1);
      server.clock.advance(EXCHANGE_TIMEOUT_MS);
      expect(await client.response()).toMatchObject({ status: 408, body: '' });
      expect(await client.closed()).toBe('');
      expect(server.lines).toEqual([]);
      await expectToServe(server);
    });

    test('has no timer left once it is answered', async () => {
      await using server = await serve(kind, echo);
      await exchange(server, requestText('POST /', { body: 'quick' }));
      expect(server.clock.pending).toBe(0);
    });
  });

  describe('close()', () => {
    test('answers what is in flight with "Connection: close", refuses new connections, then resolves', async () => {
      const waiting = new WaitingHandler();
      await using server = await serve(kind, waiting.handle);
      using client = await server.connect();
      client.send(requestText('GET /'));
      await waiting.entered.reached(1);
      const closing = server.server.close(GRACE_MS);
      await expect(server.connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      waiting.letGo();
      const { status, headers, body } = await client.response();
      expect({ status, connection: headers.get('connection'), body }).toEqual({
        status: 200,
        connection: 'close',
        body: 'worth the wait',
      });
      expect(await client.closed()).toBe('');
      await within(closing, 'the end of the server');
    });

    test('ends idle connections without waiting for the grace', async () => {
      await using server = await serve(kind, echo);
      using client = await server.connect();
      client.send(requestText('GET /ok'));
      await client.response();
      await within(server.server.close(GRACE_MS), 'the end of the server');
      expect(await client.closed()).toBe('');
    });

    test('sends the whole of an answer that is larger than the buffers on its way', async () => {
      const waiting = new WaitingHandler();
      const body = 'x'.repeat(16 * 1024 * 1024);
      await using server = await serve(kind, async (request) => ({ ...(await waiting.handle(request)), body }));
      using client = await server.connect();
      client.send(requestText('GET /'));
      await waiting.entered.reached(1);
      const closing = server.server.close(GRACE_MS);
      waiting.letGo();
      expect((await client.response()).body.length).toBe(body.length);
      await within(closing, 'the end of the server');
    });

    test('cuts off a request that outlasts the grace', async () => {
      const waiting = new WaitingHandler();
      await using server = await serve(kind, waiting.handle);
      using client = await server.connect();
      client.send(requestText('GET /'));
      await waiting.entered.reached(1);
      const closing = server.server.close(GRACE_MS);
      server.clock.advance(GRACE_MS);
      expect(await client.closed()).toBe('');
      await within(closing, 'the end of the server');
    });

    test('cuts off a connection that has sent nothing, after the grace at the latest', async () => {
      await using server = await serve(kind, echo);
      using client = await server.connect();
      await expectToServe(server); // by now the server has accepted the silent one too
      const closing = server.server.close(GRACE_MS);
      await nextTurn();
      server.clock.advance(GRACE_MS);
      expect(await client.closed()).toBe('');
      await within(closing, 'the end of the server');
    });
  });

  test('listen() rejects with LISTEN_FAILED for a port that is taken', async () => {
    await using server = await serve(kind, echo);
    await expect(serve(kind, echo, server.port)).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
    await expectToServe(server);
  });
});
