import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { deadlineAt } from '../../src/clock.ts';
import { parseRetryAfter } from '../../src/graph/call.ts';
import { createGraphClient, type GraphClient, GraphError, type GraphOptions } from '../../src/graph/client.ts';
import { pauseAfter } from '../../src/graph/retry.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeGraph, GRAPH_TOKEN, PHONE_NUMBER_ID } from '../support/fake-graph.ts';
import { graphFailureOf } from '../support/graph-failure.ts';

const TO = { to: '15550109988' };
const SECRETS = [GRAPH_TOKEN, TO.to, PHONE_NUMBER_ID, 'canary'];
const RATE = { status: 400, code: 130429 };
const PAIR = { status: 400, code: 131056 };

interface SetUp extends AsyncDisposable {
  readonly graph: FakeGraph;
  readonly clock: FakeClock;
  readonly client: GraphClient;
  /** Told pauses, in ms. */
  readonly pauses: number[];
}

async function setUp(options: Partial<GraphOptions> = {}): Promise<SetUp> {
  const graph = await FakeGraph.start();
  const clock = new FakeClock();
  const pauses: number[] = [];
  const onRetry = (_: GraphError, pauseMs: number) => void pauses.push(pauseMs);
  const own = { baseUrl: graph.url, token: GRAPH_TOKEN, phoneNumberId: PHONE_NUMBER_ID, clock, random: () => 0 };
  const client = createGraphClient({ ...own, onRetry, ...options });
  return {
    graph,
    clock,
    client,
    pauses,
    [Symbol.asyncDispose]: () => graph[Symbol.asyncDispose](),
  };
}

/** After each call, a pause of that length. */
async function passAll(clock: FakeClock, graph: FakeGraph, ...pausesMs: readonly number[]): Promise<void> {
  for (const [i, ms] of pausesMs.entries()) {
    await graph.calls.reached(i + 1);
    await eventually(() => expect(clock.nextInMs).toBe(ms));
    clock.advance(ms);
  }
}

describe('a message that was certainly not sent', () => {
  test('is sent again after 1 s and 2 s, and arrives once', async () => {
    await using set = await setUp();
    const { graph, clock, client, pauses } = set;
    graph.failNext(2, RATE);
    const sent = client.sendText(TO, 'Hi');
    await passAll(clock, graph, 1_000, 2_000);
    expect(await sent).toEqual({ messageId: graph.messages[0]?.id });
    expect(graph.messages).toHaveLength(1);
    expect(graph.calls.count).toBe(3);
    expect(pauses).toEqual([1_000, 2_000]);
    expect(clock.pending).toBe(0);
  });

  test('is sent again after 1 s, 4 s and 16 s when the user had too many', async () => {
    await using set = await setUp({ tries: 4, maxWait: '30s' });
    const { graph, clock, client } = set;
    graph.failNext(3, PAIR);
    const sent = client.sendText(TO, 'Hi');
    await passAll(clock, graph, 1_000, 4_000, 16_000);
    expect(await sent).toEqual({ messageId: graph.messages[0]?.id });
  });

  test('fails with what the last of three tries met', async () => {
    await using set = await setUp();
    const { graph, clock, client } = set;
    graph.failNext(2, RATE);
    graph.failNext(1, { status: 429, code: 131016 });
    const failure = graphFailureOf(client.sendText(TO, 'canary'), ...SECRETS);
    await passAll(clock, graph, 1_000, 2_000);
    expect(await failure).toMatchObject({ status: 429, graphCode: 131016, isTransient: true, isUncertain: false });
    expect(graph.calls.count).toBe(3);
  });

  test('waits as long as Retry-After asks, where that is longer', async () => {
    await using set = await setUp();
    const { graph, clock, client } = set;
    graph.failNext(1, { ...RATE, retryAfter: '7' });
    const sent = client.sendText(TO, 'Hi');
    await passAll(clock, graph, 7_000);
    await sent;
  });

  test('spreads the tries of those who failed together', async () => {
    await using set = await setUp({ random: () => 0.5 });
    const { graph, clock, client } = set;
    graph.failNext(1, RATE);
    const sent = client.sendText(TO, 'Hi');
    await passAll(clock, graph, 1_250);
    await sent;
  });

  test('takes a turn again with each try', async () => {
    await using set = await setUp({ messagesPerSecond: 1, random: () => 0 });
    const { graph, clock, client } = set;
    graph.failNext(1, RATE);
    const first = client.sendText(TO, 'one');
    await graph.calls.reached(1);
    const second = client.sendText(TO, 'two');
    await eventually(() => expect(clock.pending).toBe(2)); // a pause, and a turn
    clock.advance(1_000); // for both: one of them goes, the other waits for its turn
    await graph.calls.reached(2);
    await eventually(() => expect(clock.nextInMs).toBe(1_000));
    clock.advance(1_000);
    await Promise.all([first, second]);
    expect(graph.calls.count).toBe(3);
  });
});

describe('at once fails', () => {
  test.each([
    ['what may have been sent', { status: 500, code: 131000 }],
    ['what Meta will never take', { status: 400, code: 131047 }],
    ['a quota of the app, counted by the hour', { status: 400, code: 4 }],
    ['a quota of the business account', { status: 400, code: 80007 }],
    ['a throttled Flow', { status: 400, code: 132069 }],
    ['a pause beyond what a call may wait', { ...RATE, retryAfter: '21' }],
    ['a quota that will take an hour', { status: 400, code: 80007, retryAfter: '3600' }],
  ])('%s', async (_, failure) => {
    await using set = await setUp();
    const { graph, clock, client, pauses } = set;
    graph.failNext(1, failure);
    const { code } = failure;
    expect(await graphFailureOf(client.sendText(TO, 'canary'), ...SECRETS)).toMatchObject({ graphCode: code });
    expect(graph.calls.count).toBe(1);
    expect(pauses).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  test('a message whose reply broke off', async () => {
    await using set = await setUp();
    set.graph.breakNext();
    expect(await graphFailureOf(set.client.sendText(TO, 'canary'), ...SECRETS)).toMatchObject({
      kind: 'unreached',
      isUncertain: true,
    });
    expect(set.graph.calls.count).toBe(1);
  });

  test('a call of one try', async () => {
    await using set = await setUp({ tries: 1 });
    set.graph.failNext(1, RATE);
    await graphFailureOf(set.client.sendText(TO, 'canary'), ...SECRETS);
    expect(set.graph.calls.count).toBe(1);
  });

  test('a call whose deadline leaves less than 2 s for another try', async () => {
    await using set = await setUp();
    const { graph, clock, client } = set;
    graph.failNext(2, RATE);
    const tooSoon = deadlineAt(clock.nowMs() + 2_999, clock);
    await graphFailureOf(client.sendText(TO, 'canary', { deadline: tooSoon }), ...SECRETS);
    expect(graph.calls.count).toBe(1);
    const inTime = deadlineAt(clock.nowMs() + 3_000, clock);
    const sent = client.sendText(TO, 'Hi', { deadline: inTime });
    await graph.calls.reached(2);
    await eventually(() => expect(clock.nextInMs).toBe(1_000));
    clock.advance(1_000);
    await sent;
  });
});

describe('the time that a call may wait', () => {
  test('is 20 s in all, for pauses and for turns', async () => {
    await using set = await setUp({ tries: 10 });
    const { graph, clock, client, pauses } = set;
    graph.failNext(10, RATE);
    const failure = graphFailureOf(client.sendText(TO, 'canary'), ...SECRETS);
    await passAll(clock, graph, 1_000, 2_000, 4_000, 8_000);
    expect(await failure).toMatchObject({ graphCode: 130429 });
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(graph.calls.count).toBe(5);
  });

  test('does not cut a try short that has begun, and a document has it once for both its calls', async () => {
    await using set = await setUp({ maxWait: '1500ms' });
    const { graph, clock, client } = set;
    graph.failNext(1, RATE);
    graph.passNext(1);
    graph.failNext(1, RATE);
    const document = { data: Buffer.from('%PDF'), filename: 'a.pdf', mimeType: 'application/pdf' };
    const failure = graphFailureOf(client.sendDocument(TO, document), ...SECRETS);
    await passAll(clock, graph, 1_000);
    expect((await failure).message).toContain('refused to send the message');
    expect(graph.calls.count).toBe(3);
  });

  test.each([
    [{ tries: 0 }, 'tries must be a whole number from 1 to 10'],
    [{ tries: 11 }, 'tries'],
    [{ maxWait: '11m' as const }, 'maxWait'],
    [{ maxWait: 'soon' as never }, 'maxWait'],
  ])('and the tries are refused when they are %j', (options, named) => {
    const create = () => createGraphClient({ token: GRAPH_TOKEN, phoneNumberId: '1', ...options });
    expect(create).toThrow(TypeError);
    expect(create).toThrow(named);
  });
});

describe('who gives up', () => {
  test('in a pause hears what the call failed with: it was not sent', async () => {
    await using set = await setUp();
    const { graph, clock, client } = set;
    const controller = new AbortController();
    graph.failNext(1, RATE);
    const failure = graphFailureOf(client.sendText(TO, 'canary', { signal: controller.signal }), ...SECRETS);
    await graph.calls.reached(1);
    await eventually(() => expect(clock.nextInMs).toBe(1_000));
    controller.abort(new Error('canary'));
    expect(await failure).toMatchObject({ graphCode: 130429, isTransient: true, isUncertain: false });
    expect(graph.calls.count).toBe(1);
    expect(clock.pending).toBe(0);
  });

  test('while a message waits for its turn hears that it was not sent', async () => {
    await using set = await setUp({ messagesPerSecond: 1 });
    const { graph, clock, client } = set;
    await client.sendText(TO, 'one');
    const controller = new AbortController();
    const failure = graphFailureOf(client.sendText(TO, 'canary', { signal: controller.signal }), ...SECRETS);
    await eventually(() => expect(clock.nextInMs).toBe(1_000));
    controller.abort(new Error('canary'));
    expect(await failure).toMatchObject({ kind: 'unsent', isTransient: true, isUncertain: false });
    expect(graph.calls.count).toBe(1);
    expect(clock.pending).toBe(0);
  });

  test('at a deadline before its turn hears so at once', async () => {
    await using set = await setUp({ messagesPerSecond: 1 });
    const { graph, clock, client } = set;
    await client.sendText(TO, 'one');
    const deadline = deadlineAt(clock.nowMs() + 2_999, clock);
    expect(await graphFailureOf(client.sendText(TO, 'canary', { deadline }), ...SECRETS)).toMatchObject({
      kind: 'unsent',
      retryAfterMs: 1_000,
    });
    expect(graph.calls.count).toBe(1);
  });

  test('with no time left has a message sent that may go at once', async () => {
    await using set = await setUp();
    const deadline = deadlineAt(set.clock.nowMs() + 10, set.clock);
    await set.client.sendText(TO, 'Hi', { deadline });
    expect(set.graph.messages).toHaveLength(1);
  });
});

describe('what may be done twice', () => {
  test('is tried again after a lost answer, too', async () => {
    await using set = await setUp();
    const { graph, clock, client } = set;
    graph.breakNext();
    const read = client.markRead('wamid.1');
    await passAll(clock, graph, 1_000);
    await read;
    expect(graph.reads).toHaveLength(1);
    expect(graph.calls.count).toBe(2);
  });

  test('is tried again after 5xx, a timeout and a reply without what it is read for', async () => {
    await using set = await setUp({ tries: 4, maxWait: '40s' });
    const { graph, clock, client } = set;
    graph.failNext(1, { status: 503, code: 2 });
    graph.answerNext({ body: '{}' });
    graph.hangNext();
    const read = client.markRead('wamid.1');
    await passAll(clock, graph, 1_000, 2_000, 10_000);
    await eventually(() => expect(clock.nextInMs).toBe(4_000));
    clock.advance(4_000);
    await read;
  });
});

describe('pauseAfter', () => {
  const transient = (more: Partial<GraphError> = {}) =>
    new GraphError('refused', { isTransient: true, isUncertain: false, ...more });

  test('is at least what is asked for and at most half as long again', () => {
    const codes = fc.constantFrom(130429, 131056, 131016, undefined);
    fc.assert(
      fc.property(
        codes,
        fc.integer({ min: 1, max: 9 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.option(fc.nat(86_400_000), { nil: undefined }),
        (graphCode, failures, random, retryAfterMs) => {
          const leastMs = Math.max(1_000 * (graphCode === 131056 ? 4 : 2) ** (failures - 1), retryAfterMs ?? 0);
          const pauseMs = pauseAfter(transient({ graphCode, retryAfterMs }), failures, random);
          expect(pauseMs).toBeGreaterThanOrEqual(leastMs);
          expect(pauseMs).toBeLessThanOrEqual(Math.ceil(leastMs * 1.5));
        },
      ),
    );
  });

  test.each([
    ['an error of somebody else', new Error('declined')],
    ['what is uncertain', transient({ isUncertain: true })],
    ['what no time mends', transient({ isTransient: false })],
    ['a turn that did not come', transient({ kind: 'unsent', retryAfterMs: 10 })],
    ['a quota by the hour', transient({ graphCode: 80007 })],
  ])('is none for %s', (_, error) => {
    expect(pauseAfter(error, 1, 0)).toBeUndefined();
  });

  test('is what Meta says for a quota by the hour that says it', () => {
    expect(pauseAfter(transient({ graphCode: 80007, retryAfterMs: 5_000 }), 1, 0)).toBe(5_000);
  });
});

describe('Retry-After', () => {
  const clock = new FakeClock();
  const inMs = (ms: number) => new Date(clock.epochMs() + ms).toUTCString();

  test.each([
    [null, undefined],
    ['0', 0],
    ['120', 120_000],
    ['999999999', 86_400_000],
    ['soon', undefined],
    ['', undefined],
    [inMs(60_000), 60_000],
    [inMs(-60_000), 0],
    [inMs(10 * 86_400_000), 86_400_000],
  ])('%j is %j ms', (value, expected) => {
    expect(parseRetryAfter(value, clock)).toBe(expected);
  });
});

test('onRetry hears of each failure that is to be tried again, and of no other', async () => {
  const onRetry = vi.fn();
  await using set = await setUp({ onRetry, tries: 2 });
  const { graph, clock, client } = set;
  graph.failNext(2, PAIR);
  const failure = graphFailureOf(client.sendText(TO, 'canary'), ...SECRETS);
  await passAll(clock, graph, 1_000);
  await failure;
  expect(onRetry).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ graphCode: 131056 }), 1_000);
});
