import { context, SpanKind, trace } from '@opentelemetry/api';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type App, createApp } from '../../src/app.ts';
import { createPhone } from '../../src/testing/index.ts';
import { sealRequest } from '../../src/testing/wire.ts';
import { httpServers } from '../support/http-servers.ts';
import { makeKeyPair } from '../support/keys.ts';
import { APP_SECRET, post, seal, startTestService } from '../support/service.ts';
import {
  childrenOf,
  endedSpans,
  endOf,
  everythingSaid,
  idsOf,
  registerSdk,
  resetSpans,
  spanNamed,
  startOf,
  statusOf,
} from './spans.ts';

const REQUEST = 'POST /flows/demo';
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT_ID = 'b7ad6b7169203331';

beforeAll(registerSdk);
afterEach(resetSpans);

const init = { version: '3.0', action: 'INIT', flow_token: 'token', data: {} };
const submit = { version: '3.0', action: 'data_exchange', screen: 'FIRST', flow_token: 'token', data: {} };

/** What a library of the app's would do: a span of its own, wherever it is called. */
async function query(): Promise<void> {
  const span = trace.getTracer('database').startSpan('query');
  await new Promise((resolve) => setTimeout(resolve, 5));
  span.end();
}

/** Answers one request, signed rightly. @returns its status. */
async function ask(app: App, payload: object | string, { settings = {}, headers = {} } = {}): Promise<number> {
  await using service = await startTestService(app, settings);
  const { body, signature } = await seal(payload);
  const response = await post(`${service.url}/flows/demo`, body, { 'X-Hub-Signature-256': signature, ...headers });
  return response.status;
}

describe.each(httpServers)('a Flow request on %s', (HTTP_SERVER) => {
  test('is a span, with one for each of its parts, and those of the app under that of the handler', async () => {
    const app = createApp();
    app.flow('demo').on('FIRST', async (c) => {
      await query();
      return c.screen('SECOND');
    });
    expect(await ask(app, submit, { settings: { HTTP_SERVER } })).toBe(200);
    const request = await spanNamed(REQUEST);
    expect(request.kind).toBe(SpanKind.SERVER);
    expect(request.parentSpanContext).toBeUndefined();
    expect(request.attributes).toEqual({
      'http.request.method': 'POST',
      'http.route': '/flows/demo',
      'http.response.status_code': 200,
      'flowgate.flow': 'demo',
      'flowgate.action': 'data_exchange',
      'flowgate.outcome': 'ok',
    });
    const parts = childrenOf(request);
    expect(parts.map(({ name }) => name)).toEqual(['decrypt.queue', 'decrypt.rsa', 'handler', 'seal']);
    expect(parts.map(({ kind }) => kind)).toEqual(parts.map(() => SpanKind.INTERNAL));
    expect(parts.map(({ attributes }) => attributes)).toEqual([
      {},
      { 'flowgate.batch_size': 1 },
      { 'flowgate.flow': 'demo', 'flowgate.screen': 'FIRST' },
      {},
    ]);
    expect(childrenOf(await spanNamed('handler')).map(({ name }) => name)).toEqual(['query']);
    expect(endedSpans()).toHaveLength(6);
    expect(endedSpans().map(statusOf)).toEqual(endedSpans().map(() => 'unset'));
  });

  test('has its parts one after the other, within its own time', async () => {
    const app = createApp();
    app.flow('demo').init((c) => c.screen('FIRST'));
    await ask(app, init, { settings: { HTTP_SERVER } });
    const request = await spanNamed(REQUEST);
    const times = childrenOf(request).flatMap((part) => [startOf(part), endOf(part)]);
    const inOrder = [startOf(request), ...times, endOf(request)];
    expect(times).toHaveLength(8);
    expect(inOrder).toEqual(inOrder.toSorted((a, b) => a - b));
    expect(endOf(await spanNamed('decrypt.rsa'))).toBeGreaterThan(startOf(await spanNamed('decrypt.rsa')));
    expect(Math.abs(endOf(request) - Date.now())).toBeLessThan(60_000);
  });

  test('continues the trace of its traceparent', async () => {
    const app = createApp();
    app.flow('demo').init((c) => c.screen('FIRST'));
    const headers = { traceparent: `00-${TRACE_ID}-${PARENT_ID}-01` };
    await ask(app, init, { settings: { HTTP_SERVER }, headers });
    const request = await spanNamed(REQUEST);
    expect(request.parentSpanContext).toMatchObject({ traceId: TRACE_ID, spanId: PARENT_ID });
    expect(new Set(endedSpans().map((span) => span.spanContext().traceId))).toEqual(new Set([TRACE_ID]));
  });

  test('is no span when its traceparent says that it is not sampled', async () => {
    const app = createApp();
    app.flow('demo').init(async (c) => {
      await query();
      return c.screen('FIRST');
    });
    const headers = { traceparent: `00-${TRACE_ID}-${PARENT_ID}-00` };
    expect(await ask(app, init, { settings: { HTTP_SERVER }, headers })).toBe(200);
    expect(endedSpans()).toEqual([]);
  });

  test('begins a trace of its own where there is a traceparent that is none', async () => {
    const app = createApp();
    app.flow('demo').init((c) => c.screen('FIRST'));
    expect(await ask(app, init, { settings: { HTTP_SERVER }, headers: { traceparent: `00-${TRACE_ID}` } })).toBe(200);
    expect((await spanNamed(REQUEST)).parentSpanContext).toBeUndefined();
  });
});

describe('what goes wrong', () => {
  const fail = () => {
    throw new Error('no database');
  };
  const attributesOf = async () => {
    const { attributes } = await spanNamed(REQUEST);
    return [attributes['flowgate.outcome'], attributes['http.response.status_code'], attributes['flowgate.action']];
  };

  test('in a handler is an error of its span and of the request', async () => {
    const app = createApp();
    app.flow('demo').init(fail);
    expect(await ask(app, init)).toBe(500);
    expect(await attributesOf()).toEqual(['handler_failed', 500, 'INIT']);
    expect(statusOf(await spanNamed(REQUEST))).toBe('error: handler_failed');
    expect(statusOf(await spanNamed('handler'))).toBe('error: handler_failed');
    expect((await spanNamed('handler')).attributes['error.type']).toBe('handler_failed');
  });

  test('is told of the handler alone when the fallback answered', async () => {
    const app = createApp();
    app
      .flow('demo')
      .init(fail)
      .fallback(async (c) => {
        await query();
        return c.screen('SORRY');
      });
    expect(await ask(app, init)).toBe(200);
    expect(await attributesOf()).toEqual(['ok', 200, 'INIT']);
    expect(statusOf(await spanNamed(REQUEST))).toBe('unset');
    expect(statusOf(await spanNamed('handler'))).toBe('error: handler_failed');
    expect(statusOf(await spanNamed('fallback'))).toBe('unset');
    expect(childrenOf(await spanNamed('fallback')).map(({ name }) => name)).toEqual(['query']);
  });

  test('by being late ends the span of a handler that never ends', async () => {
    const app = createApp();
    app.flow('demo').init(() => new Promise(() => {}));
    expect(await ask(app, init, { settings: { FLOW_DEADLINE_MS: 200 } })).toBe(500);
    expect(await attributesOf()).toEqual(['handler_late', 500, 'INIT']);
    expect(statusOf(await spanNamed('handler'))).toBe('error: handler_late');
  });

  test('for want of a handler has no span of one', async () => {
    const app = createApp();
    app.flow('demo').init(fail);
    expect(await ask(app, submit)).toBe(500);
    expect(await attributesOf()).toEqual(['handler_missing', 500, 'data_exchange']);
    expect(endedSpans().map(({ name }) => name)).toEqual(['decrypt.queue', 'decrypt.rsa', REQUEST]);
  });

  test('on the side of the client is no error', async () => {
    const app = createApp();
    app.flow('demo', { checkToken: () => false }).init(fail);
    await using service = await startTestService(app);
    const url = `${service.url}/flows/demo`;
    const foreign = await sealRequest(init, { publicKeyPem: makeKeyPair().publicKey, appSecret: APP_SECRET });
    const expired = await seal(init);
    const answers = [
      await post(url, '{}', {}),
      await post(url, '{}'),
      await post(url, foreign.body),
      await post(url, expired.body),
    ];
    expect(answers.map(({ status }) => status)).toEqual([432, 400, 421, 427]);
    const requests = endedSpans().filter(({ name }) => name === REQUEST);
    const outcomes = requests.map(({ attributes }) => attributes['flowgate.outcome']);
    // `fetch` asks once more by itself when it is answered 421.
    const refused = ['signature_invalid', 'envelope_malformed', 'decryption_failed', 'decryption_failed'];
    expect(outcomes).toEqual([...refused, 'expired']);
    expect(requests.map(statusOf)).toEqual(requests.map(() => 'unset'));
  });

  test('at the door costs no span', async () => {
    const app = createApp();
    app.flow('demo').init(fail);
    const saturated = {
      isSaturated: true,
      unwrap: () => Promise.reject(new Error('never asked')),
      close: async () => {},
    };
    await using service = await startTestService(app, {}, undefined, { startDecryption: async () => saturated });
    expect((await post(`${service.url}/flows/demo`, '{}')).status).toBe(503);
    expect(endedSpans()).toEqual([]);
  });
});

test('a ping is a span without a handler', async () => {
  const app = createApp();
  app.flow('demo').init((c) => c.screen('FIRST'));
  expect(await ask(app, { version: '3.0', action: 'ping' })).toBe(200);
  expect(childrenOf(await spanNamed(REQUEST)).map(({ name }) => name)).toEqual([
    'decrypt.queue',
    'decrypt.rsa',
    'seal',
  ]);
  expect((await spanNamed(REQUEST)).attributes['flowgate.action']).toBe('ping');
});

test('a host that is traced itself and calls app.fetch is the parent', async () => {
  const app = createApp();
  app.flow('demo').init((c) => c.screen('FIRST'));
  await using phone = createPhone(app);
  const host = trace.getTracer('express').startSpan('host');
  await context.with(trace.setSpan(context.active(), host), () => phone.open('demo'));
  host.end();
  expect((await spanNamed(REQUEST)).parentSpanContext).toMatchObject(idsOf(host.spanContext()));
});

test('nothing that a user sent, and no message of an error, is in any span', async () => {
  const canary = 'canary-4711';
  const app = createApp();
  app
    .flow('demo')
    .init(() => {
      throw new Error(`no row for ${canary}`);
    })
    .on('FIRST', z.object({ name: z.string() }), (c, { name }) => c.screen('SECOND', { name }))
    .on('SECOND', (c) => c.complete({ said: String(c.data['name']) }))
    .fallback((c) => c.error(`sorry, ${canary}`, {}));
  const said = { flow_token: canary, data: { name: canary, number: '+49 151 4711' } };
  for (const payload of [init, submit, { ...submit, screen: 'SECOND' }, { ...submit, screen: canary }]) {
    await ask(app, { ...payload, ...said });
  }
  await ask(app, { ...submit, ...said, action: canary });
  await ask(app, { ...submit, ...said, data: { error: 'timeout', error_message: canary } });
  await ask(app, canary);
  expect(endedSpans().filter(({ name }) => name === REQUEST)).toHaveLength(7);
  expect(everythingSaid()).not.toMatch(/canary|4711/);
});
