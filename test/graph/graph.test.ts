import { describe, expect, test } from 'vitest';
import { createGraph } from '../../src/graph/graph.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeGraph, GRAPH_TOKEN, PHONE_NUMBER_ID } from '../support/fake-graph.ts';
import { graphFailureOf } from '../support/graph-failure.ts';

const settings = { token: GRAPH_TOKEN, phoneNumberId: PHONE_NUMBER_ID, baseUrl: undefined };

describe('createGraph', () => {
  test('has one client for each number, and so one pace', async () => {
    await using graph = await FakeGraph.start();
    const limits = { messagesPerSecond: 1, maxWaiting: 0 };
    const graphFor = createGraph({ ...settings, baseUrl: graph.url }, new FakeClock(), limits);
    expect(graphFor()).toBe(graphFor(PHONE_NUMBER_ID));
    expect(graphFor()).not.toBe(graphFor('2'));
    await graphFor().sendText({ to: '1' }, 'one');
    expect(await graphFailureOf(graphFor(PHONE_NUMBER_ID).sendText({ to: '2' }, 'two'))).toMatchObject({
      kind: 'unsent',
    });
  });

  test('keeps the 1,000 clients that were used last', () => {
    const graphFor = createGraph(settings, new FakeClock());
    const first = graphFor('1');
    const second = graphFor('2');
    for (let number = 3; number <= 1_000; number++) graphFor(`${number}`);
    expect(graphFor('1')).toBe(first);
    graphFor('1001');
    expect(graphFor('1')).toBe(first);
    expect(graphFor('2')).not.toBe(second);
  });

  test('tells which setting is missing', () => {
    expect(() => createGraph(undefined, new FakeClock())('1')).toThrow('GRAPH_TOKEN is not set');
    expect(createGraph({ ...settings, phoneNumberId: undefined }, new FakeClock())).toThrow(
      'PHONE_NUMBER_ID is not set',
    );
  });
});
