import { describe, expect, test } from 'vitest';
import { createGraphClient } from '../../src/graph/client.ts';
import { createGraphFlows } from '../../src/graph/flows.ts';
import type { RetryOptions } from '../../src/graph/retry.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { BUSINESS_ACCOUNT_ID, FakeGraph, GRAPH_TOKEN, PHONE_NUMBER_ID } from '../support/fake-graph.ts';
import { graphFailureOf } from '../support/graph-failure.ts';

const TO = { to: '15550109988' };
const SECRETS = [GRAPH_TOKEN, TO.to, PHONE_NUMBER_ID, BUSINESS_ACCOUNT_ID, 'canary'];

interface Asked extends RetryOptions {
  readonly url: string;
  readonly token?: string;
  readonly clock?: FakeClock;
  readonly signal?: AbortSignal;
}

const client = ({ url, signal: _, ...options }: Asked) =>
  createGraphClient({ baseUrl: url, token: GRAPH_TOKEN, phoneNumberId: PHONE_NUMBER_ID, tries: 1, ...options });
const flows = ({ url, signal: _, ...options }: Asked) =>
  createGraphFlows({ baseUrl: url, token: GRAPH_TOKEN, businessAccountId: BUSINESS_ACCOUNT_ID, tries: 1, ...options });

/** Each call: what it is called in a failure, how to make it, whether it may be made twice, and its time limit. */
const CALLS: readonly [string, (asked: Asked) => Promise<unknown>, { isRepeatable: boolean; timeoutMs: number }][] = [
  [
    'send the message',
    (asked) => {
      const flow = { token: 'flow-token-canary', data: { secret: 'canary' } };
      const template = { name: 'template_canary', language: 'en', flow };
      return client(asked).sendTemplate(TO, template, { signal: asked.signal });
    },
    { isRepeatable: false, timeoutMs: 10_000 },
  ],
  [
    'mark the message read',
    (asked) => client(asked).markRead('wamid.canary', { typing: true, signal: asked.signal }),
    { isRepeatable: true, timeoutMs: 10_000 },
  ],
  [
    'look up the media',
    (asked) => client(asked).mediaInfo('media-canary', asked.signal),
    { isRepeatable: true, timeoutMs: 10_000 },
  ],
  [
    'create the Flow',
    (asked) => {
      const flow = { name: 'canary', categories: ['OTHER'] as const, json: '{"a":"canary"}' };
      return flows(asked).create(flow, asked.signal);
    },
    { isRepeatable: false, timeoutMs: 30_000 },
  ],
  [
    'upload the Flow JSON',
    (asked) => flows(asked).uploadJson('1', '{"a":"canary"}', asked.signal),
    { isRepeatable: true, timeoutMs: 30_000 },
  ],
  ['publish the Flow', (asked) => flows(asked).publish('1', asked.signal), { isRepeatable: false, timeoutMs: 30_000 }],
  [
    'deprecate the Flow',
    (asked) => flows(asked).deprecate('1', asked.signal),
    { isRepeatable: false, timeoutMs: 30_000 },
  ],
  [
    'set the endpoint of the Flow',
    (asked) => flows(asked).setEndpoint('1', { endpointUri: 'https://canary.example' }, asked.signal),
    { isRepeatable: true, timeoutMs: 30_000 },
  ],
  ['read the Flow', (asked) => flows(asked).read('1', asked.signal), { isRepeatable: true, timeoutMs: 30_000 }],
];

describe.each(CALLS)('to %s', (label, call, { isRepeatable, timeoutMs }) => {
  test('tells a refusal by its numbers, and nothing of what was sent', async () => {
    await using graph = await FakeGraph.start();
    graph.failNext(1, { status: 400, code: 100, subcode: 2494010 });
    const failure = await graphFailureOf(call({ url: graph.url }), ...SECRETS);
    expect(failure).toMatchObject({ kind: 'refused', status: 400, graphCode: 100, subcode: 2494010 });
    expect(failure).toMatchObject({ isTransient: false, isUncertain: false });
    expect(failure.message).toMatch(`the Graph API refused to ${label}: HTTP 400, code 100`);
  });

  test('tells a token that Meta does not take', async () => {
    await using graph = await FakeGraph.start();
    const failure = await graphFailureOf(call({ url: graph.url, token: 'EAAcanary' }), ...SECRETS);
    expect(failure).toMatchObject({ status: 401, graphCode: 190, isTransient: false });
  });

  test('after a 5xx is uncertain unless it may be made twice', async () => {
    await using graph = await FakeGraph.start();
    graph.failNext(1, { status: 503, code: 2 });
    expect(await graphFailureOf(call({ url: graph.url }), ...SECRETS)).toMatchObject({
      isTransient: true,
      isUncertain: !isRepeatable,
    });
  });

  test.each(['', 'canary', '["canary"]', '{"canary":1}', '{"id":"","success":"yes","url":7}', 'null'])(
    'takes %j for no answer',
    async (body) => {
      await using graph = await FakeGraph.start();
      graph.answerNext({ body });
      const failure = await graphFailureOf(call({ url: graph.url }), ...SECRETS);
      expect(failure).toMatchObject({ kind: 'unreadable', status: 200, isUncertain: !isRepeatable });
      expect(failure.message).toMatch(`the Graph API was asked to ${label} and answered HTTP 200 without`);
    },
  );

  test('reads no reply over 1 MiB', async () => {
    await using graph = await FakeGraph.start();
    graph.answerNext({ body: `{"success":true,"id":"1","name":"n","more":"${'x'.repeat(1024 * 1024)}"}` });
    expect(await graphFailureOf(call({ url: graph.url }), ...SECRETS)).toMatchObject({ kind: 'unreadable' });
  });

  test('follows a redirect nowhere: the token would go along', async () => {
    await using graph = await FakeGraph.start();
    graph.answerNext({ status: 302, headers: { Location: `${graph.url}/canary` } });
    expect(await graphFailureOf(call({ url: graph.url }), ...SECRETS)).toMatchObject({ kind: 'refused', status: 302 });
    expect(graph.calls.count).toBe(1);
  });

  test('gives up after its time limit, and not before', async () => {
    await using graph = await FakeGraph.start();
    const clock = new FakeClock();
    graph.hangNext();
    const failure = graphFailureOf(call({ url: graph.url, clock }), ...SECRETS);
    await graph.calls.reached(1);
    clock.advance(timeoutMs - 1);
    expect(clock.pending).toBe(1);
    clock.advance(1);
    expect(await failure).toMatchObject({ kind: 'timeout', isTransient: true, isUncertain: !isRepeatable });
    expect((await failure).message).toContain(`did not answer in ${timeoutMs / 1_000} s`);
  });

  test('gives up when its signal is aborted', async () => {
    await using graph = await FakeGraph.start();
    const clock = new FakeClock();
    const controller = new AbortController();
    const reason = new Error('the worker stops');
    graph.hangNext();
    const rejected = expect(call({ url: graph.url, clock, signal: controller.signal })).rejects.toBe(reason);
    await graph.calls.reached(1);
    controller.abort(reason);
    await rejected;
    await expect(call({ url: graph.url, signal: controller.signal })).rejects.toBe(reason);
    expect(graph.calls.count).toBe(1);
    expect(clock.pending).toBe(0);
  });
});
