import { describe, expect, test } from 'vitest';
import { createGraphFlows, type GraphFlows, type GraphFlowsOptions } from '../../src/graph/flows.ts';
import { BUSINESS_ACCOUNT_ID, FakeGraph, GRAPH_TOKEN } from '../support/fake-graph.ts';
import { graphFailureOf } from '../support/graph-failure.ts';

const JSON_FILE = '{\n  "version": "7.3",\n  "data_api_version": "4.0",\n  "screens": []\n}\n';
const NEW = { name: 'booking', categories: ['APPOINTMENT_BOOKING'] } as const;
const INVALID = {
  error: 'INVALID_PROPERTY_VALUE',
  error_type: 'FLOW_JSON_ERROR',
  message: "Invalid value found for property 'type'.",
  line_start: 10,
  line_end: 10,
  column_start: 21,
  column_end: 34,
  pointers: [{ line_start: 10, line_end: 10, column_start: 21, column_end: 34, path: 'screens[0].layout.type' }],
};

const flowsOf = ({ url }: { url: string }, options: Partial<GraphFlowsOptions> = {}): GraphFlows =>
  createGraphFlows({ baseUrl: url, token: GRAPH_TOKEN, businessAccountId: BUSINESS_ACCOUNT_ID, tries: 1, ...options });

/** The life of a Flow up to there. */
async function created(graph: FakeGraph): Promise<string> {
  return (await flowsOf(graph).create(NEW)).flowId;
}

describe('create', () => {
  test('makes a draft of that name, and tells its id', async () => {
    await using graph = await FakeGraph.start();
    const flow = await flowsOf(graph).create({ ...NEW, endpointUri: 'https://flows.example/flows/booking' });
    expect(flow).toEqual({ flowId: graph.flows.all[0]?.id, validationErrors: [] });
    expect(graph.flows.all).toMatchObject([
      { name: 'booking', status: 'DRAFT', categories: ['APPOINTMENT_BOOKING'], json: undefined },
    ]);
    expect(graph.flows.all[0]?.endpointUri).toBe('https://flows.example/flows/booking');
  });

  test('publishes at once with a Flow JSON that is fit, and tells what is wrong with one that is not', async () => {
    await using graph = await FakeGraph.start();
    await flowsOf(graph).create({ ...NEW, json: JSON_FILE, publish: true });
    expect(graph.flows.all[0]).toMatchObject({ status: 'PUBLISHED', json: JSON_FILE });
    graph.flows.validationErrors = [INVALID];
    const second = await flowsOf(graph).create({ ...NEW, name: 'other', json: { version: '7.3' }, publish: true });
    expect(second.validationErrors).toMatchObject([{ error: 'INVALID_PROPERTY_VALUE', lineStart: 10 }]);
    expect(graph.flows.all[1]).toMatchObject({ status: 'DRAFT', json: '{"version":"7.3"}' });
  });

  test.each([
    ['no name', { name: '' }, /name/],
    ['a name of 201 characters', { name: 'n'.repeat(201) }, /200/],
    ['no category', { categories: [] }, /category/],
    ['publish without a Flow JSON', { publish: true }, /json/],
    ['an endpoint that Meta does not call', { endpointUri: 'http://canary' }, /endpointUri/],
    ['an endpoint with a password', { endpointUri: 'https://a:canary@b' }, /endpointUri/],
    ['an id to clone that is a path', { cloneFlowId: '1/canary' }, /cloneFlowId/],
  ])('refuses %s with a TypeError that does not show it', async (_, change, named) => {
    await using graph = await FakeGraph.start();
    const refused = flowsOf(graph).create({ ...NEW, ...change });
    await expect(refused).rejects.toThrow(expect.toSatisfy((error) => error instanceof TypeError));
    await expect(refused).rejects.toThrow(named);
    await expect(refused).rejects.not.toThrow(/canary/);
    expect(graph.calls.count).toBe(0);
  });

  test('is not tried again when its answer is lost: there may be a Flow', async () => {
    await using graph = await FakeGraph.start();
    graph.breakNext();
    const failure = await graphFailureOf(flowsOf(graph, { tries: 3 }).create(NEW), GRAPH_TOKEN);
    expect(failure).toMatchObject({ kind: 'unreached', isUncertain: true });
    expect(graph.calls.count).toBe(1);
  });
});

describe('uploadJson', () => {
  test('replaces the Flow JSON, byte for byte, and a published Flow is a draft again', async () => {
    await using graph = await FakeGraph.start();
    const flowId = await created(graph);
    const flows = flowsOf(graph);
    expect(await flows.uploadJson(flowId, JSON_FILE)).toEqual([]);
    expect(graph.flows.find(flowId)?.json).toBe(JSON_FILE);
    await flows.publish(flowId);
    await flows.uploadJson(flowId, { version: '7.3', screens: [] });
    expect(graph.flows.find(flowId)).toMatchObject({ json: '{"version":"7.3","screens":[]}', status: 'DRAFT' });
  });

  test('tells what Meta finds wrong, typed, though the upload succeeded', async () => {
    await using graph = await FakeGraph.start();
    const flowId = await created(graph);
    graph.flows.validationErrors = [INVALID];
    expect(await flowsOf(graph).uploadJson(flowId, JSON_FILE)).toEqual([
      {
        error: 'INVALID_PROPERTY_VALUE',
        errorType: 'FLOW_JSON_ERROR',
        message: "Invalid value found for property 'type'.",
        lineStart: 10,
        lineEnd: 10,
        columnStart: 21,
        columnEnd: 34,
        pointers: [{ path: 'screens[0].layout.type', lineStart: 10, lineEnd: 10, columnStart: 21, columnEnd: 34 }],
      },
    ]);
  });

  test.each([
    ['a text', '["wrong"]', 'UNKNOWN', 'wrong'],
    ['empty', '[{}]', 'UNKNOWN', ''],
    ['of other types', '[{"error":1,"message":[],"line_start":"x","pointers":[null,7]}]', 'UNKNOWN', ''],
    ['null', '[null]', 'UNKNOWN', ''],
  ])('keeps a validation error that is %s', async (_, errors, error, message) => {
    await using graph = await FakeGraph.start();
    graph.answerNext({ body: `{"success":true,"validation_errors":${errors}}` });
    expect(await flowsOf(graph).uploadJson('1', JSON_FILE)).toMatchObject([{ error, message, pointers: [] }]);
  });

  test('takes errors without a success as told, and neither as no answer', async () => {
    await using graph = await FakeGraph.start();
    graph.answerNext({ body: '{"success":false,"validation_errors":[{"error":"X"}]}' });
    expect(await flowsOf(graph).uploadJson('1', JSON_FILE)).toMatchObject([{ error: 'X' }]);
    graph.answerNext({ body: '{"success":false,"validation_errors":[]}' });
    expect(await graphFailureOf(flowsOf(graph).uploadJson('1', JSON_FILE))).toMatchObject({ kind: 'unreadable' });
  });

  const padded = (bytes: number) => `{"a":"${'x'.repeat(bytes - 8)}"}`;

  test('takes 10 MB', async () => {
    await using graph = await FakeGraph.start();
    const flowId = await created(graph);
    const json = padded(10 * 1024 * 1024);
    await flowsOf(graph).uploadJson(flowId, json);
    expect(graph.flows.find(flowId)?.json).toHaveLength(10 * 1024 * 1024);
  });

  test.each<[string, string | object, RegExp]>([
    ['a byte over 10 MB', padded(10 * 1024 * 1024 + 1), /10 MB/],
    ['characters that are over 10 MB as bytes', `{"a":"${'ü'.repeat(6 * 1024 * 1024)}"}`, /10 MB/],
    ['what is not JSON', '{"canary', /JSON object/],
    ['a list', '["canary"]', /JSON object/],
    ['nothing', '', /JSON object/],
    ['what becomes no JSON', { toJSON: () => undefined }, /JSON object/],
  ])('refuses %s with a TypeError that does not show it', async (_, json, named) => {
    await using graph = await FakeGraph.start();
    const refused = flowsOf(graph).uploadJson('1', json);
    await expect(refused).rejects.toThrow(expect.toSatisfy((error) => error instanceof TypeError));
    await expect(refused).rejects.toThrow(named);
    await expect(refused).rejects.not.toThrow(/canary/);
    expect(graph.calls.count).toBe(0);
  });
});

describe('publish and deprecate', () => {
  test('take a Flow through its life', async () => {
    await using graph = await FakeGraph.start();
    const flowId = await created(graph);
    const flows = flowsOf(graph);
    const status = async () => (await flows.read(flowId)).status;
    await flows.uploadJson(flowId, JSON_FILE);
    expect(await status()).toBe('DRAFT');
    await flows.publish(flowId);
    expect(await status()).toBe('PUBLISHED');
    await flows.deprecate(flowId);
    expect(await status()).toBe('DEPRECATED');
  });

  test('tell why not, in our own words', async () => {
    await using graph = await FakeGraph.start();
    const flowId = await created(graph);
    const flows = flowsOf(graph);
    graph.flows.validationErrors = [INVALID];
    await flows.uploadJson(flowId, '{"a":"canary"}');
    const unfit = await graphFailureOf(flows.publish(flowId), GRAPH_TOKEN, 'canary');
    expect(unfit).toMatchObject({ graphCode: 139002, isTransient: false, isUncertain: false });
    expect(unfit.message).toContain('read its validationErrors and its health');
    const draft = await graphFailureOf(flows.deprecate(flowId), GRAPH_TOKEN, 'canary');
    expect(draft.message).toMatch(/refused to deprecate the Flow: .*code 139003.*not published/);
  });
});

describe('setEndpoint', () => {
  test('sets the URL, and the app when it is given', async () => {
    await using graph = await FakeGraph.start();
    const flowId = await created(graph);
    await flowsOf(graph).setEndpoint(flowId, { endpointUri: 'https://a.example/flows/booking', applicationId: '9' });
    await flowsOf(graph).setEndpoint(flowId, { endpointUri: 'https://b.example/flows/booking' });
    expect(graph.flows.find(flowId)).toMatchObject({
      endpointUri: 'https://b.example/flows/booking',
      applicationId: '9',
    });
  });

  test.each([
    [{ endpointUri: 'ftp://canary' }, /endpointUri/],
    [{ endpointUri: '' }, /endpointUri/],
    [{ endpointUri: 'https://a.example', applicationId: 'canary' }, /applicationId/],
  ])('refuses %j with a TypeError that does not show it', async (settings, named) => {
    await using graph = await FakeGraph.start();
    await expect(flowsOf(graph).setEndpoint('1', settings)).rejects.toThrow(named);
    await expect(flowsOf(graph).setEndpoint('1', settings)).rejects.not.toThrow(/canary/);
    expect(graph.calls.count).toBe(0);
  });
});

describe('read', () => {
  test('tells all there is of a Flow', async () => {
    await using graph = await FakeGraph.start();
    const flowId = await created(graph);
    const flows = flowsOf(graph);
    graph.flows.validationErrors = [INVALID];
    await flows.uploadJson(flowId, JSON_FILE);
    await flows.setEndpoint(flowId, { endpointUri: 'https://a.example/flows/booking', applicationId: '9' });
    expect(await flows.read(flowId)).toEqual({
      flowId,
      name: 'booking',
      status: 'DRAFT',
      categories: ['APPOINTMENT_BOOKING'],
      jsonVersion: '7.3',
      dataApiVersion: '4.0',
      endpointUri: 'https://a.example/flows/booking',
      applicationId: '9',
      validationErrors: [expect.objectContaining({ error: 'INVALID_PROPERTY_VALUE' })],
      health: {
        canSendMessage: 'BLOCKED',
        problems: [
          { entityType: 'FLOW', errorCode: 131000, description: 'The flow is a draft', solution: 'Publish it' },
        ],
      },
    });
  });

  test('tells what there is of a Flow that has little, and names a status it does not know so', async () => {
    await using graph = await FakeGraph.start();
    graph.answerNext({
      body: '{"id":"1","name":"n","status":"SLEEPING","categories":"x","health_status":{"entities":7}}',
    });
    expect(await flowsOf(graph).read('1')).toEqual({
      flowId: '1',
      name: 'n',
      status: 'UNKNOWN',
      categories: [],
      jsonVersion: undefined,
      dataApiVersion: undefined,
      endpointUri: undefined,
      applicationId: undefined,
      validationErrors: [],
      health: { canSendMessage: 'UNKNOWN', problems: [] },
    });
  });

  test.each(['', '1/assets', '1?fields=name', 'x', '../1', 1 as never])(
    'refuses the id %j with a TypeError, and asks nothing',
    async (flowId) => {
      await using graph = await FakeGraph.start();
      const flows = flowsOf(graph);
      for (const call of [flows.read(flowId), flows.publish(flowId), flows.uploadJson(flowId, JSON_FILE)]) {
        await expect(call).rejects.toThrow(/flowId must be digits/);
      }
      expect(graph.calls.count).toBe(0);
    },
  );
});

test.each([
  [{ businessAccountId: 'canary' }, 'businessAccountId must be digits'],
  [{ token: 'canary\n' }, 'token'],
  [{ tries: 0 }, 'tries'],
])('createGraphFlows refuses %j with a TypeError', (options, named) => {
  const create = () => flowsOf({ url: 'https://graph.facebook.com' }, options);
  expect(create).toThrow(TypeError);
  expect(create).toThrow(named);
  expect(create).not.toThrow('canary');
});
