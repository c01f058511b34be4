import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { createNodeServer } from '../../src/http/node.ts';
import { createRouter } from '../../src/http/router.ts';
import type { HttpServer } from '../../src/http/server.ts';
import { inboxRoutes } from '../../src/webhooks/admin.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { silentLog } from '../support/log.ts';
import { giveUp, itemId, MemoryInbox, newItem } from '../support/memory-inbox.ts';

let clock: FakeClock;
let inbox: MemoryInbox;
let server: HttpServer;
let url: string;

beforeEach(async () => {
  clock = new FakeClock();
  inbox = new MemoryInbox(clock);
  const handler = createRouter(inboxRoutes(inbox));
  server = createNodeServer({ handler, exchangeTimeoutMs: 5_000, clock: systemClock, log: silentLog });
  url = `http://127.0.0.1:${await server.listen({ host: '127.0.0.1', port: 0 })}`;
});
afterEach(() => server.close(0));

const JSON_TYPE = { 'Content-Type': 'application/json' };

async function get(path: string) {
  const response = await fetch(url + path);
  return { status: response.status, body: (await response.json()) as unknown };
}

async function post(path: string, headers: Record<string, string> = JSON_TYPE, body = '{}') {
  const response = await fetch(url + path, { method: 'POST', headers, body });
  return { status: response.status, body: (await response.json()) as unknown };
}

const claimAll = () => inbox.claim(1_000, new AbortController().signal);

describe('reading', () => {
  test('GET /inbox tells the engine, how many are in each state, and how long the oldest has been due', async () => {
    await giveUp(inbox, [newItem(1)]);
    await inbox.append([newItem(2), newItem(3, { delayMs: 60_000 })]);
    clock.advance(2_500);
    expect(await get('/inbox')).toEqual({
      status: 200,
      body: { engine: 'sqlite', waiting: 2, leased: 0, done: 0, dead: 1, oldestDueMs: 2_500 },
    });
  });

  test('GET /inbox/items lists the dead ones, newest first and without payloads', async () => {
    await giveUp(inbox, [newItem(1), newItem(2)], 'HANDLER_FAILED: no database');
    await inbox.append([newItem(3)]);
    const { status, body } = await get('/inbox/items');
    expect(status).toBe(200);
    expect(body).toEqual([
      expect.objectContaining({ id: itemId(2), state: 'dead', attempts: 1, error: 'HANDLER_FAILED: no database' }),
      expect.objectContaining({ id: itemId(1), kind: 'event', type: 'message.text' }),
    ]);
    expect(JSON.stringify(body)).not.toContain('payload');
  });

  test('GET /inbox/items takes a state and a limit', async () => {
    await inbox.append([newItem(1), newItem(2), newItem(3)]);
    const { body } = await get('/inbox/items?state=waiting&limit=2');
    expect(body).toMatchObject([{ id: itemId(3) }, { id: itemId(2) }]);
  });

  test('lists 50 unless told otherwise, and 1,000 at most', async () => {
    await inbox.append(Array.from({ length: 1_001 }, (_, n) => newItem(n)));
    expect((await get('/inbox/items?state=waiting')).body).toHaveLength(50);
    expect((await get('/inbox/items?state=waiting&limit=1000')).body).toHaveLength(1_000);
  });

  test.each([
    ['state=gone', 'state must be one of waiting, leased, done, dead'],
    ['state=', 'state must be one of waiting, leased, done, dead'],
    ...['0', '1001', '-1', '1.5', '1e2', '', 'x', '%00'].map((limit) => [
      `limit=${limit}`,
      'limit must be a whole number from 1 to 1000',
    ]),
  ])('answers 400 and one sentence to /inbox/items?%s', async (query, error) => {
    expect(await get(`/inbox/items?${query}`)).toEqual({ status: 400, body: { error } });
  });

  test('GET /inbox/items/<id> gives one record with its payload', async () => {
    await inbox.append([newItem(1, { kind: 'job', type: 'invoice', payload: { to: 'Ada', total: 7 } })]);
    const { status, body } = await get(`/inbox/items/${itemId(1, 'job')}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ kind: 'job', type: 'invoice', state: 'waiting', payload: { to: 'Ada', total: 7 } });
  });

  test('answers 404 for an id that the inbox does not know', async () => {
    expect(await get(`/inbox/items/${itemId(9)}`)).toEqual({
      status: 404,
      body: { error: `the inbox has no item ${itemId(9)}` },
    });
  });

  test.each(['x', 'evt_1', `evt_${'A'.repeat(32)}`, `msg_${'a'.repeat(32)}`, `${itemId(1)}0`, '%2f..', '*'])(
    'answers 400 for %s, which is no id',
    async (id) => {
      for (const answer of [get(`/inbox/items/${id}`), post(`/inbox/items/${id}/purge`)]) {
        expect(await answer).toMatchObject({ status: 400, body: { error: expect.stringContaining('32 hex digits') } });
      }
    },
  );

  test('keeps every answer out of caches, and from being taken for a page', async () => {
    for (const path of ['/inbox', '/inbox/items', '/inbox/items/x', '/inbox/items?limit=x']) {
      const { headers } = await fetch(url + path);
      expect(headers.get('content-type')).toBe('application/json');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
  });
});

describe('settling', () => {
  test('replay makes one dead item due again', async () => {
    await giveUp(inbox, [newItem(1), newItem(2)]);
    expect(await post(`/inbox/items/${itemId(1)}/replay`)).toEqual({ status: 200, body: { count: 1 } });
    expect(await claimAll()).toMatchObject([{ id: itemId(1), attempt: 1, payload: { n: 1 } }]);
    expect(await inbox.stats()).toMatchObject({ dead: 1 });
  });

  test('replay and purge of an item that is not dead count 0', async () => {
    await inbox.append([newItem(1)]);
    for (const action of ['replay', 'purge']) {
      for (const id of [itemId(1), itemId(9)]) {
        expect((await post(`/inbox/items/${id}/${action}`)).body).toEqual({ count: 0 });
      }
    }
    expect(await inbox.stats()).toMatchObject({ waiting: 1 });
  });

  test('purge forgets one dead item, so that its id may come again', async () => {
    await giveUp(inbox, [newItem(1), newItem(2)]);
    expect(await post(`/inbox/items/${itemId(1)}/purge`)).toEqual({ status: 200, body: { count: 1 } });
    expect(await inbox.append([newItem(1), newItem(2)])).toEqual([true, false]);
  });

  test.each(['replay', 'purge'])('POST /inbox/%s takes 1,000 a call, until nothing is dead', async (action) => {
    await giveUp(
      inbox,
      Array.from({ length: 1_500 }, (_, n) => newItem(n)),
    );
    const counts = [];
    for (let i = 0; i < 3; i++) counts.push((await post(`/inbox/${action}`)).body);
    expect(counts).toEqual([{ count: 1_000 }, { count: 500 }, { count: 0 }]);
    expect(await inbox.stats()).toMatchObject({ dead: 0, waiting: action === 'replay' ? 1_500 : 0 });
  });

  test.each([
    { 'Content-Type': 'text/plain' },
    { 'Content-Type': 'application/x-www-form-urlencoded' },
    { 'Content-Type': 'multipart/form-data; boundary=application/json' },
    { 'Content-Type': 'text/plain; application/json' },
    { 'Content-Type': 'application/json-seq' },
  ])('refuses a POST that a web page could send without asking: %j', async (headers) => {
    await giveUp(inbox, [newItem(1)]);
    for (const path of ['/inbox/replay', '/inbox/purge', `/inbox/items/${itemId(1)}/purge`]) {
      expect(await post(path, headers)).toMatchObject({ status: 415 });
    }
    expect(await inbox.stats()).toMatchObject({ dead: 1 });
  });

  test('grants no page the right to ask', async () => {
    const response = await fetch(`${url}/inbox/purge`, {
      method: 'OPTIONS',
      headers: { Origin: 'http://evil.example', 'Access-Control-Request-Method': 'POST' },
    });
    expect(response.status).toBe(405);
    expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  test('takes JSON with a charset, and a body of any content up to 1 KB', async () => {
    const headers = { 'Content-Type': 'Application/JSON; charset=utf-8' };
    expect(await post('/inbox/replay', headers, 'x'.repeat(1_024))).toEqual({ status: 200, body: { count: 0 } });
    const tooLarge = await fetch(`${url}/inbox/replay`, { method: 'POST', headers, body: 'x'.repeat(1_025) });
    expect(tooLarge.status).toBe(413);
  });
});

test('an inbox that cannot be reached answers 503 and why', async () => {
  inbox.failure = 'the inbox is too slow';
  const answer = { status: 503, body: { error: 'the inbox is too slow' } };
  for (const path of ['/inbox', '/inbox/items', `/inbox/items/${itemId(1)}`]) expect(await get(path)).toEqual(answer);
  expect(await post('/inbox/replay')).toEqual(answer);
});

test.each([
  ['GET', '/inbox/replay', 405, 'POST'],
  ['POST', '/inbox', 405, 'GET'],
  ['DELETE', `/inbox/items/${itemId(1)}`, 405, 'GET'],
  ['GET', `/inbox/items/${itemId(1)}/purge`, 405, 'POST'],
  ['GET', '/inbox/', 404, null],
  ['GET', '/inbox/items/', 404, null],
  ['POST', `/inbox/items/${itemId(1)}/keep`, 404, null],
])('%s %s answers %i without a body', async (method, path, status, allow) => {
  const response = await fetch(url + path, { method });
  expect({ status: response.status, allow: response.headers.get('allow') }).toEqual({ status, allow });
  expect(await response.text()).toBe('');
});
