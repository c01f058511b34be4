import { describe, expect, test } from 'vitest';
import { FlowgateError } from '../../src/errors.ts';
import { answerFetch } from '../../src/http/fetch.ts';
import type { HttpHandler, HttpRequest } from '../../src/http/server.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { silentLog } from '../support/log.ts';

const CAP = 10;
const clock = new FakeClock();
const answer = (handler: HttpHandler, path = '/', init: RequestInit = {}) =>
  answerFetch(handler, new Request(`http://localhost${path}`, init), { clock, log: silentLog });

const echo: HttpHandler = async (request) => ({ status: 200, body: (await request.body(CAP)).toString() });

/** A body that comes in pieces, of a length that nobody tells. */
function streamed(...pieces: string[]) {
  const body = ReadableStream.from(pieces.map((piece) => Buffer.from(piece)));
  return { method: 'POST', body, duplex: 'half' } as const;
}

describe('answerFetch', () => {
  test('gives the handler method, path, query, headers and the time', async () => {
    const seen: unknown[] = [];
    const handler: HttpHandler = (request) => {
      const { method, path, query, receivedAtMs, aborted } = request;
      seen.push({ method, path, query, receivedAtMs, aborted });
      seen.push(request.header('x-thing'), request.header('x-none'));
      return { status: 204 };
    };
    const headers: [string, string][] = [
      ['X-Thing', 'one'],
      ['x-thing', 'two'],
    ];
    await answer(handler, '/a%20b/C?d=e&f', { method: 'POST', headers });
    expect(seen).toEqual([
      { method: 'POST', path: '/a%20b/C', query: 'd=e&f', receivedAtMs: clock.nowMs(), aborted: false },
      'one, two',
      undefined,
    ]);
  });

  test('returns the status, headers and body of the reply', async () => {
    const response = await answer(() => ({ status: 427, headers: { 'Content-Type': 'text/plain' }, body: 'Grüße' }));
    expect(response.status).toBe(427);
    expect(response.headers.get('content-type')).toBe('text/plain');
    expect(await response.text()).toBe('Grüße');
  });

  test.each([
    ['at once', { method: 'POST', body: 'ten bytes.' }, 'ten bytes.'],
    ['in pieces', streamed('ten ', 'bytes', '.'), 'ten bytes.'],
    ['empty', { method: 'POST', body: '' }, ''],
    ['absent', {}, ''],
  ])('reads a body up to the cap that is sent %s', async (_, init, body) => {
    const response = await answer(echo, '/', init);
    expect({ status: response.status, body: await response.text() }).toEqual({ status: 200, body });
  });

  test('answers 413 to a declared length over the cap, without reading', async () => {
    const body = new ReadableStream({ pull: () => expect.unreachable('nothing is to be read') }, { highWaterMark: 0 });
    const headers = { 'Content-Length': '11' };
    const response = await answer(echo, '/', { method: 'POST', body, headers, duplex: 'half' });
    expect({ status: response.status, body: response.body }).toEqual({ status: 413, body: null });
  });

  test('answers 413 as soon as a stream passes the cap, and cancels it', async () => {
    const sent: string[] = [];
    let isCancelled = false;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          sent.push('six...');
          controller.enqueue(Buffer.from('six...'));
        },
        cancel: () => {
          isCancelled = true;
        },
      },
      { highWaterMark: 0 },
    );
    const response = await answer(echo, '/', { method: 'POST', body, duplex: 'half' });
    expect({ status: response.status, body: response.body }).toEqual({ status: 413, body: null });
    expect({ sent: sent.length, isCancelled }).toEqual({ sent: 2, isCancelled: true });
  });

  test('rejects the body with CLIENT_GONE when its stream breaks', async () => {
    const pull = (controller: ReadableStreamDefaultController) => controller.error(new Error('socket hang up'));
    let code: unknown;
    const handler: HttpHandler = async (request) => {
      code = await request.body(CAP).catch((error: FlowgateError) => error.code);
      return { status: 200 };
    };
    await answer(handler, '/', { method: 'POST', body: new ReadableStream({ pull }), duplex: 'half' });
    expect(code).toBe('CLIENT_GONE');
  });

  test.each([
    ['a code', new FlowgateError('DECRYPTION_FAILED', 'secret'), 421],
    ['no code', new Error('secret'), 500],
    ['no status', new FlowgateError('SETTINGS_INVALID', 'secret'), 500],
  ])('answers the bodiless status of an error with %s', async (_, error, status) => {
    const throws = await answer(() => {
      throw error;
    });
    const rejects = await answer(() => Promise.reject(error));
    for (const response of [throws, rejects]) {
      expect({ status: response.status, body: response.body }).toEqual({ status, body: null });
    }
  });

  test('tells an overloaded client when to come back', async () => {
    const response = await answer(() => Promise.reject(new FlowgateError('POOL_SATURATED', 'full')));
    expect({ status: response.status, after: response.headers.get('retry-after') }).toEqual({
      status: 503,
      after: '1',
    });
  });

  test.each(['while it is handled', 'before it is handled'])(
    'tells the listener once of a client that leaves %s',
    async (when) => {
      const leaving = new AbortController();
      const seen: HttpRequest[] = [];
      let calls = 0;
      if (when.startsWith('before')) leaving.abort();
      const handler: HttpHandler = (request) => {
        seen.push(request);
        request.onAbort(() => (calls += 1));
        leaving.abort();
        return { status: 200 };
      };
      await answer(handler, '/', { signal: leaving.signal });
      expect({ calls, aborted: seen[0]?.aborted }).toEqual({ calls: 1, aborted: true });
    },
  );
});
