import { readFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { CALL_TIMEOUT_MS } from '../../src/graph/call.ts';
import { createGraphClient, type GraphClient } from '../../src/graph/client.ts';
import { againOf } from '../../src/graph/error-codes.ts';
import { createGraphFlows, type GraphFlowsOptions } from '../../src/graph/flows.ts';
import { DEFAULT_TRIES, ROOM_FOR_A_TRY_MS } from '../../src/graph/retry.ts';
import { MAX_PAIRS, PAIR_BURST, PAIR_INTERVAL_MS } from '../../src/graph/send-limits.ts';
import { textMessage } from '../../src/testing/index.ts';
import { Attempts } from '../support/attempts.ts';
import { BUSINESS_ACCOUNT_ID, FakeGraph, GRAPH_TOKEN, PHONE_NUMBER_ID } from '../support/fake-graph.ts';

const page = readFileSync('docs/graph.md', 'utf8');
const examples = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map(([, source = '']) =>
  source.replace(/^import .*$/m, ''),
);

/** Runs an example with what it names. @returns the value of `result`, an expression over its names. */
function run(example: string | undefined, names: Record<string, unknown>, result = 'undefined'): Promise<unknown> {
  const body = `return (async () => { ${example}; return ${result}; })()`;
  return new Function(...Object.keys(names), body)(...Object.values(names)) as Promise<unknown>;
}

describe('the examples of docs/graph.md', () => {
  const clientOf = (graph: FakeGraph): GraphClient =>
    createGraphClient({ baseUrl: graph.url, token: GRAPH_TOKEN, phoneNumberId: PHONE_NUMBER_ID });

  test('are three', () => expect(examples).toHaveLength(3));

  test('answer, and show that they do', async () => {
    await using graph = await FakeGraph.start();
    const attempts = new Attempts({ graphFor: () => clientOf(graph) });
    await run(examples[0], { app: attempts.app });
    await attempts.store(textMessage('hello'));
    await (await attempts.begin()).ended;
    expect(attempts.ended).toMatchObject([{ outcome: 'done' }]);
    expect(graph.reads).toMatchObject([{ typing_indicator: { type: 'text' } }]);
    expect(graph.messages).toMatchObject([{ body: { text: { body: 'You said: hello' } } }]);
  });

  test('open a Flow from a template', async () => {
    await using graph = await FakeGraph.start();
    await run(examples[1], { c: { graph: clientOf(graph) } });
    expect(graph.messages).toMatchObject([{ body: { type: 'template', template: { name: 'booking_reminder' } } }]);
  });

  test('publish a Flow, or tell what is wrong with it', async () => {
    await using graph = await FakeGraph.start();
    const error = vi.fn();
    const names = {
      createGraphFlows: (options: GraphFlowsOptions) => createGraphFlows({ ...options, baseUrl: graph.url }),
      token: GRAPH_TOKEN,
      businessAccountId: BUSINESS_ACCOUNT_ID,
      applicationId: '9',
      flowJson: '{"version":"7.3"}',
      console: { error },
    };
    expect(await run(examples[2], names, '({ status, health })')).toMatchObject({
      status: 'PUBLISHED',
      health: { canSendMessage: 'AVAILABLE' },
    });
    graph.flows.all.pop();
    graph.flows.validationErrors = [{ error: 'INVALID', message: 'no screens', line_start: 1 }];
    expect(await run(examples[2], names, 'status')).toBe('DRAFT');
    expect(error).toHaveBeenCalledExactlyOnceWith('line 1: no screens');
  });
});

describe('the tables of docs/graph.md', () => {
  const rows = [...page.matchAll(/^\| ([\d, ]+) \| .+ \| (soon|later|no) \|$/gm)];

  test('tell of each code whether it is tried again, as the code does', () => {
    expect(rows.length).toBeGreaterThan(8);
    for (const [, codes = '', again] of rows) {
      for (const code of codes.split(', ')) expect(againOf(Number(code)) ?? 'no', code).toBe(again);
    }
  });

  test('name every code that is tried again', () => {
    const named = new Set(rows.flatMap(([, codes = '']) => codes.split(', ').map(Number)));
    const transient = Array.from({ length: 140_000 }, (_, code) => code).filter((code) => againOf(code) !== undefined);
    expect(transient.filter((code) => !named.has(code))).toEqual([]);
  });

  test('tell the bounds there are', () => {
    expect([DEFAULT_TRIES, CALL_TIMEOUT_MS, ROOM_FOR_A_TRY_MS]).toEqual([3, 10_000, 2_000]);
    expect([PAIR_BURST, PAIR_INTERVAL_MS, MAX_PAIRS]).toEqual([45, 6_000, 10_000]);
  });
});
