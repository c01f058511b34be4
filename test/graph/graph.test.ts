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

  describe('for accounts', () => {
    const acme = (token: string) => ({ owner: 'tenant acme', token });
    const globex = { owner: 'tenant globex', token: 'EAAofGlobex' };

    test('sends with the token of each, and needs no token of the settings for it', async () => {
      await using graph = await FakeGraph.start();
      graph.accounts.set('EAAofAcme', '1').set(globex.token, '2');
      for (const token of [GRAPH_TOKEN, undefined]) {
        const graphFor = createGraph({ ...settings, token, baseUrl: graph.url }, new FakeClock());
        await graphFor('1', acme('EAAofAcme')).sendText({ to: '1' }, 'one');
        await graphFor('2', globex).sendText({ to: '1' }, 'two');
      }
      expect(graph.usedTokens).toEqual(['EAAofAcme', globex.token, 'EAAofAcme', globex.token]);
      const alone = createGraph({ ...settings, token: undefined }, new FakeClock());
      expect(() => alone('1', globex)).not.toThrow();
      expect(() => alone('1')).toThrow('GRAPH_TOKEN is not set');
    });

    test('a new token goes on at the pace of the old one, and takes along what waits for its turn', async () => {
      await using graph = await FakeGraph.start();
      graph.accounts.set('old', '1').set('new', '1');
      const clock = new FakeClock();
      const graphFor = createGraph({ ...settings, baseUrl: graph.url }, clock, { messagesPerSecond: 1, maxWaiting: 1 });
      await graphFor('1', acme('old')).sendText({ to: '1' }, 'at once');
      const waiting = graphFor('1', acme('old')).sendText({ to: '2' }, 'in turn');
      const rotated = graphFor('1', acme('new'));
      expect(await graphFailureOf(rotated.sendText({ to: '3' }, 'too many'))).toMatchObject({ kind: 'unsent' });
      clock.advance(1_000);
      await waiting;
      expect(graph.usedTokens).toEqual(['old', 'new']);
    });

    test('the token of media is that of the account, too: of now', async () => {
      await using graph = await FakeGraph.start();
      graph.accounts.set('old', '1').set('new', '1');
      const url = `${graph.url}/file`;
      graph.media.set('m1', { url, mime_type: 'image/png', sha256: 'x', file_size: 1 });
      const graphFor = createGraph({ ...settings, baseUrl: graph.url }, new FakeClock());
      for (const token of ['old', 'new']) {
        expect(await graphFor('1', acme(token)).mediaInfo('m1')).toMatchObject({
          url,
          authorization: `Bearer ${token}`,
        });
      }
      expect(await graphFor().mediaInfo('m1')).toMatchObject({ authorization: `Bearer ${GRAPH_TOKEN}` });
    });

    test('who names the number of another uses up no turn of theirs', async () => {
      await using graph = await FakeGraph.start();
      graph.accounts.set(globex.token, '1').set('EAAofAcme', '2');
      const limits = { messagesPerSecond: 1, maxWaiting: 0 };
      const graphFor = createGraph({ ...settings, baseUrl: graph.url }, new FakeClock(), limits);
      expect(await graphFailureOf(graphFor('1', acme('EAAofAcme')).sendText({ to: '1' }, 'as globex'))).toMatchObject({
        kind: 'refused',
        status: 400,
      });
      await graphFor('1', globex).sendText({ to: '1' }, 'as itself');
      expect(graph.messages).toHaveLength(1);
    });

    test('a number that is none is refused, and not kept', () => {
      const graphFor = createGraph(settings, new FakeClock());
      const kept = graphFor('1', globex);
      for (let i = 0; i < 2_000; i++) expect(() => graphFor(`${i}/x`, globex)).toThrow('phoneNumberId must be digits');
      expect(graphFor('1', globex)).toBe(kept);
    });
  });

  test('tells which setting is missing', () => {
    expect(() => createGraph({ ...settings, token: undefined }, new FakeClock())('1')).toThrow(
      'GRAPH_TOKEN is not set',
    );
    expect(createGraph({ ...settings, phoneNumberId: undefined }, new FakeClock())).toThrow(
      'PHONE_NUMBER_ID is not set',
    );
  });
});
