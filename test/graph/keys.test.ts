import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { GraphError } from '../../src/graph/client.ts';
import { createGraphKeys, type GraphKeys } from '../../src/graph/keys.ts';
import { FakeGraph, GRAPH_TOKEN, PHONE_NUMBER_ID } from '../support/fake-graph.ts';
import { keyPair } from '../support/keys.ts';

const keysOf = (graph: { url: string }, options = {}): GraphKeys =>
  createGraphKeys({ baseUrl: graph.url, token: GRAPH_TOKEN, phoneNumberId: PHONE_NUMBER_ID, ...options });

async function failureOf(call: Promise<unknown>): Promise<GraphError> {
  const error = await call.then(
    () => expect.unreachable('the call must fail'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(GraphError);
  expect(inspect(error, { depth: null, showHidden: true })).not.toContain(GRAPH_TOKEN);
  return error as GraphError;
}

describe('uploadPublicKey', () => {
  test('sends the PEM urlencoded, its line breaks kept', async () => {
    await using graph = await FakeGraph.start();
    await keysOf(graph).uploadPublicKey(keyPair.publicKey);
    expect(graph.publicKey).toBe(keyPair.publicKey);
  });

  test.each([
    ['without success', '{}'],
    ['that says it was none', '{"success":false}'],
  ])('rejects a reply %s', async (_, body) => {
    await using graph = await FakeGraph.start();
    graph.answerNext({ body });
    const error = await failureOf(keysOf(graph).uploadPublicKey(keyPair.publicKey));
    expect(error.message).toContain('asked to upload the public key and answered HTTP 200 without "success": true');
  });

  test('rejects what Meta refuses, and tells by what code', async () => {
    await using graph = await FakeGraph.start();
    const error = await failureOf(keysOf(graph).uploadPublicKey('-----BEGIN PUBLIC KEY-----\nx'));
    expect(error).toMatchObject({ status: 400, graphCode: 100, isTransient: false, isUncertain: false });
    expect(error.message).toMatch(
      /^the Graph API refused to upload the public key: HTTP 400, code 100, OAuthException/,
    );
  });
});

describe('readPublicKey', () => {
  test.each([true, false])('reads the key and its status, with data around it: %s', async (hasDataAroundKey) => {
    await using graph = await FakeGraph.start();
    Object.assign(graph, { hasDataAroundKey, publicKey: keyPair.publicKey, keyStatus: 'MISMATCH' });
    expect(await keysOf(graph).readPublicKey()).toEqual({ pem: keyPair.publicKey, status: 'MISMATCH' });
    graph.keyStatus = 'VALID';
    expect(await keysOf(graph).readPublicKey()).toMatchObject({ status: 'VALID' });
    graph.keyStatus = 'PENDING';
    expect(await keysOf(graph).readPublicKey()).toMatchObject({ status: 'UNKNOWN' });
  });

  test('answers undefined when the number has none', async () => {
    await using graph = await FakeGraph.start();
    expect(await keysOf(graph).readPublicKey()).toBeUndefined();
    graph.answerNext({ body: '{"data":[{}]}' });
    expect(await keysOf(graph).readPublicKey()).toBeUndefined();
  });

  test.each(['{}', '{"data":["x"]}', '[]', '<html>'])('rejects %s, which is no answer', async (body) => {
    await using graph = await FakeGraph.start();
    graph.answerNext({ body });
    expect((await failureOf(keysOf(graph).readPublicKey())).message).toContain('without a key or its absence');
  });
});

describe('both', () => {
  const calls: [string, (keys: GraphKeys) => Promise<unknown>][] = [
    ['uploadPublicKey', (keys) => keys.uploadPublicKey(keyPair.publicKey)],
    ['readPublicKey', (keys) => keys.readPublicKey()],
  ];

  test.each(calls)('%s tells a wrong token, a foreign number, and that Meta is away', async (_, call) => {
    await using graph = await FakeGraph.start();
    const wrongToken = await failureOf(call(keysOf(graph, { token: 'EAAother' })));
    expect(wrongToken).toMatchObject({ status: 401, graphCode: 190, isTransient: false });
    expect(wrongToken.message).toContain('the access token is not valid or has expired');
    const foreign = await failureOf(call(keysOf(graph, { phoneNumberId: '1' })));
    expect(foreign).toMatchObject({ status: 400, graphCode: 100, subcode: 33 });
    expect(foreign.message).toContain('there is no number of this id, or the access token may not see it');
    graph.failNext(1, { status: 503, code: 2 });
    expect(await failureOf(call(keysOf(graph)))).toMatchObject({ status: 503, isTransient: true });
    const { url } = graph;
    await graph[Symbol.asyncDispose]();
    const away = await failureOf(call(keysOf({ url })));
    expect(away.message).toMatch(/could not be reached to \w+ the public key: [A-Z_]+$/);
  });

  test.each(calls)('%s gives up when its signal is aborted', async (_, call) => {
    await using graph = await FakeGraph.start();
    graph.hangNext();
    const signal = AbortSignal.timeout(50);
    const keys = keysOf(graph);
    const wrapped: GraphKeys = {
      uploadPublicKey: (pem) => keys.uploadPublicKey(pem, signal),
      readPublicKey: () => keys.readPublicKey(signal),
    };
    await expect(call(wrapped)).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});
