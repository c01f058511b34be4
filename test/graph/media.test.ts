import { describe, expect, test } from 'vitest';
import { createGraphClient, type GraphClient } from '../../src/graph/client.ts';
import { FakeGraph, GRAPH_TOKEN, PHONE_NUMBER_ID } from '../support/fake-graph.ts';
import { graphFailureOf } from '../support/graph-failure.ts';

const MEDIA = { url: 'https://lookaside.example/1', mime_type: 'image/jpeg', sha256: 'ab12', file_size: 303_833 };

const clientOf = ({ url }: { url: string }): GraphClient =>
  createGraphClient({ baseUrl: url, token: GRAPH_TOKEN, phoneNumberId: PHONE_NUMBER_ID, tries: 1 });

describe('mediaInfo', () => {
  test('tells where media can be downloaded, of what type, hash and size', async () => {
    await using graph = await FakeGraph.start();
    graph.media.set('77', MEDIA);
    expect(await clientOf(graph).mediaInfo('77')).toEqual({
      authorization: `Bearer ${GRAPH_TOKEN}`,
      url: 'https://lookaside.example/1',
      mimeType: 'image/jpeg',
      sha256: 'ab12',
      sizeBytes: 303_833,
    });
  });

  test('asks as the number that received it: Meta refuses media of another one', async () => {
    await using graph = await FakeGraph.start();
    graph.media.set('77', MEDIA);
    const other = createGraphClient({ baseUrl: graph.url, token: GRAPH_TOKEN, phoneNumberId: '1', tries: 1 });
    const failure = await graphFailureOf(other.mediaInfo('77'), GRAPH_TOKEN);
    expect(failure.message).toContain('there is no media of this id, or the access token may not see it');
  });

  test('reads a size that is a text', async () => {
    await using graph = await FakeGraph.start();
    graph.media.set('77', { ...MEDIA, file_size: '0' });
    expect(await clientOf(graph).mediaInfo('77')).toMatchObject({ sizeBytes: 0 });
  });

  test.each([
    ['no URL', { url: '' }],
    ['a URL that is none', { url: 'canary' }],
    ['a URL of another scheme', { url: 'file:///canary' }],
    ['a URL that is no text', { url: ['https://canary'] }],
    ['no type', { mime_type: '' }],
    ['no hash', { sha256: 7 }],
    ['no size', { file_size: '' }],
    ['a negative size', { file_size: -1 }],
    ['half a byte', { file_size: 0.5 }],
    ['a size that is a formula', { file_size: '1e3' }],
  ])('rejects a reply with %s', async (_, change) => {
    await using graph = await FakeGraph.start();
    graph.media.set('77', { ...MEDIA, ...change });
    const failure = await graphFailureOf(clientOf(graph).mediaInfo('77'), GRAPH_TOKEN, 'canary');
    expect(failure).toMatchObject({ kind: 'unreadable', status: 200, isTransient: true, isUncertain: false });
  });

  test('rejects a download in the clear, but for a Graph API that is asked so', async () => {
    const plain = { ...MEDIA, url: 'http://lookaside.example/1' };
    const answer: typeof fetch = async () => Response.json(plain);
    const own = { token: GRAPH_TOKEN, phoneNumberId: '1', fetch: answer, tries: 1 };
    await graphFailureOf(createGraphClient(own).mediaInfo('77'));
    const local = createGraphClient({ ...own, baseUrl: 'http://127.0.0.1:1' });
    expect(await local.mediaInfo('77')).toMatchObject({ url: plain.url });
  });

  test.each(['', '1/../2', '1?x=1', '1#', 'a b', '..', '1'.repeat(129), 7 as never])(
    'refuses the id %j with a TypeError, and asks nothing',
    async (id) => {
      await using graph = await FakeGraph.start();
      await expect(clientOf(graph).mediaInfo(id)).rejects.toThrow(TypeError);
      expect(graph.calls.count).toBe(0);
    },
  );
});
