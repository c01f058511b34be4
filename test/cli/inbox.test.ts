import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { adminUrlFromEnv } from '../../src/cli/admin-port.ts';
import {
  formatAge,
  formatDuration,
  formatItem,
  formatItemCount,
  formatItems,
  formatJson,
  formatStats,
} from '../../src/cli/format-inbox.ts';
import { list, purge, replay, show, stats } from '../../src/cli/inbox.ts';
import { systemClock } from '../../src/clock.ts';
import { FlowgateError } from '../../src/errors.ts';
import { createNodeServer } from '../../src/http/node.ts';
import type { Route } from '../../src/http/router.ts';
import { createRouter } from '../../src/http/router.ts';
import { inboxRoutes } from '../../src/webhooks/admin.ts';
import type { ItemRecord } from '../../src/webhooks/inbox.ts';
import { type Outcome, run } from '../support/command.ts';
import { freePort } from '../support/free-port.ts';
import { silentLog } from '../support/log.ts';
import { giveUp, itemId, MemoryInbox, newItem } from '../support/memory-inbox.ts';

const NOW_MS = Date.UTC(2030, 0, 7, 12);
const record = (n: number, fields: Partial<ItemRecord> = {}): ItemRecord => ({
  id: itemId(n),
  kind: 'event',
  type: 'message.text',
  state: 'dead',
  attempts: 8,
  storedAtMs: NOW_MS - 3_600_000,
  dueAtMs: NOW_MS - 180_000,
  result: undefined,
  error: 'HANDLER_FAILED: no database',
  ...fields,
});

describe('what is printed', () => {
  test.each([
    [0, '0 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [3_599_999, '59 min'],
    [3_600_000, '1 h'],
    [47.9 * 3_600_000, '47 h'],
    [48 * 3_600_000, '2 days'],
  ])('%i ms are %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

  test('an age is told from now, and so is what is to come', () => {
    expect(formatAge(NOW_MS - 180_000, NOW_MS)).toBe('3 min ago');
    expect(formatAge(NOW_MS + 20_000, NOW_MS)).toBe('in 20 s');
    expect(formatAge(NOW_MS - 999, NOW_MS)).toBe('now');
  });

  test('stats are a table', () => {
    const report = { engine: 'redis', waiting: 1_204, leased: 2, done: 30, dead: 1, oldestDueMs: 180_000 } as const;
    expect(`\n${formatStats(report)}\n`).toBe(`
  engine   redis
  waiting  1,204  the oldest due for 3 min
  leased   2
  done     30
  dead     1
`);
    expect(formatStats({ ...report, waiting: 0, oldestDueMs: 0 })).not.toContain('oldest');
  });

  test('a list is a table of one line an item, long errors cut', () => {
    const long = record(2, { type: 'message.interactive', attempts: 12, error: `no\n${'x'.repeat(100)}` });
    expect(`\n${formatItems('dead', [record(1), long], NOW_MS)}\n`).toBe(`
  id                                    type                 attempts  given up   error
  evt_00000000000000000000000000000001  message.text         8         3 min ago  HANDLER_FAILED: no database
  evt_00000000000000000000000000000002  message.interactive  12        3 min ago  no ${'x'.repeat(54)}...
`);
  });

  test('a list of what is done shows results; one of what is leased, when the lease ends', () => {
    const done = record(1, { state: 'done', error: undefined, result: '{"ok":true}' });
    expect(formatItems('done', [done], NOW_MS)).toMatch(/ result\n.* \{"ok":true\}$/);
    expect(formatItems('leased', [record(1, { dueAtMs: NOW_MS + 20_000 })], NOW_MS)).toMatch(
      /lease ends .*\n.* in 20 s/,
    );
  });

  test('a list of nothing is a sentence', () => {
    expect(formatItems('dead', [], NOW_MS)).toBe('No item is dead.');
  });

  test('an item is shown with its times and its payload', () => {
    expect(`\n${formatItem(record(1, { payload: { text: 'Hi' } }), NOW_MS)}\n`).toBe(`
  id        evt_00000000000000000000000000000001
  kind      event
  type      message.text
  state     dead
  attempts  8
  stored    2030-01-07T11:00:00.000Z (1 h ago)
  given up  2030-01-07T11:57:00.000Z (3 min ago)
  error     HANDLER_FAILED: no database
{
  "text": "Hi"
}
`);
  });

  test('counts agree with their noun', () => {
    expect([0, 1, 1_500].map(formatItemCount)).toEqual(['0 items', '1 item', '1,500 items']);
  });

  test('what people wrote cannot steer a terminal or turn the text around, and stays the same JSON', () => {
    const nasty = { text: 'a\u001b[2Jb\u009b31mc\u202ed\u{e0041}e\nf' };
    const item = record(1, { type: `message.\u001b[2J`, error: 'bad \u001b]0;title\u0007', payload: nasty });
    for (const text of [formatItem(item, NOW_MS), formatItems('dead', [item], NOW_MS), formatJson(item)]) {
      expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
    expect(JSON.parse(formatJson(nasty))).toEqual(nasty);
  });
});

test.each([
  [{}, 'http://127.0.0.1:9464'],
  [{ ADMIN_HOST: '0.0.0.0', ADMIN_PORT: '9000' }, 'http://127.0.0.1:9000'],
  [{ ADMIN_HOST: '::' }, 'http://127.0.0.1:9464'],
  [{ ADMIN_HOST: '::1' }, 'http://[::1]:9464'],
  [{ ADMIN_HOST: 'admin.internal' }, 'http://admin.internal:9464'],
])('with %j the admin port is expected at %s', (env, url) => expect(adminUrlFromEnv(env)).toBe(url));

test('an ADMIN_PORT that is none is told in a sentence', () => {
  expect(() => adminUrlFromEnv({ ADMIN_PORT: 'x' })).toThrow('ADMIN_PORT must be a whole number');
});

let inbox: MemoryInbox;
const server = createNodeServer({
  handler: createRouter((path): Route | undefined => inboxRoutes(inbox)(path)),
  exchangeTimeoutMs: 5_000,
  clock: systemClock,
  log: silentLog,
});
let url: string;
beforeAll(async () => {
  url = `http://127.0.0.1:${await server.listen({ host: '127.0.0.1', port: 0 })}`;
});
afterAll(() => server.close(0));
beforeEach(() => {
  inbox = new MemoryInbox(systemClock);
});

const noStore = () => Promise.reject(new FlowgateError('INBOX_UNAVAILABLE', 'there is no inbox here'));

describe.each(['a server', 'the store'])('asking %s', (where) => {
  const options = (json = false) =>
    where === 'a server' ? { url, json, openInbox: noStore } : { json, openInbox: async () => inbox };
  const dead = { state: 'dead', limit: 50 } as const;

  beforeAll(async () => {
    process.env['ADMIN_PORT'] = String(await freePort());
  });
  afterAll(() => {
    delete process.env['ADMIN_PORT'];
  });

  test('stats', async () => {
    await giveUp(inbox, [newItem(1)]);
    expect(await stats(options())).toMatch(/waiting +0\n[\s\S]*dead +1$/);
    expect(JSON.parse(await stats(options(true)))).toMatchObject({ engine: 'sqlite', waiting: 0, dead: 1 });
  });

  test('list', async () => {
    expect(await list({ ...options(), ...dead })).toBe('No item is dead.');
    expect(JSON.parse(await list({ ...options(true), ...dead }))).toEqual([]);
    await giveUp(inbox, [newItem(1), newItem(2)]);
    expect(await list({ ...options(), ...dead })).toMatch(
      new RegExp(`${itemId(2)} .*\\n  ${itemId(1)} .* HANDLER_FAILED$`),
    );
    expect(await list({ ...options(), ...dead, limit: 1 })).toContain('the newest 1: --limit takes up to 1000');
    expect(JSON.parse(await list({ ...options(true), ...dead }))).toMatchObject([{ id: itemId(2) }, { id: itemId(1) }]);
  });

  test('show', async () => {
    await giveUp(inbox, [newItem(1, { payload: { text: 'Hi' } })]);
    expect(await show(itemId(1), options())).toMatch(/state +dead\n[\s\S]*given up .*\(now\)[\s\S]*"text": "Hi"/);
    expect(JSON.parse(await show(itemId(1), options(true)))).toMatchObject({ attempts: 1, payload: { text: 'Hi' } });
    await expect(show(itemId(2), options())).rejects.toThrow(`the inbox has no item ${itemId(2)}`);
  });

  test('replay one, and replay all', async () => {
    await giveUp(
      inbox,
      Array.from({ length: 1_501 }, (_, n) => newItem(n)),
    );
    expect(await replay(itemId(7), options())).toBe('Replayed 1 item.');
    await expect(replay(itemId(7), options())).rejects.toThrow(
      `${itemId(7)} is no dead item: there is nothing to replay`,
    );
    expect(await replay(undefined, { ...options(), all: true })).toBe('Replayed 1,500 items.');
    expect(await replay(undefined, { ...options(), all: true })).toBe('No item is dead: there is nothing to replay.');
    expect(await inbox.stats()).toMatchObject({ waiting: 1_501, dead: 0 });
  });

  test('purge one, and purge all', async () => {
    await giveUp(inbox, [newItem(1), newItem(2), newItem(3)]);
    expect(JSON.parse(await purge(itemId(1), options(true)))).toEqual({ count: 1 });
    expect(JSON.parse(await purge(undefined, { ...options(true), all: true }))).toEqual({ count: 2 });
    expect(JSON.parse(await purge(undefined, { ...options(true), all: true }))).toEqual({ count: 0 });
    expect(await inbox.stats()).toMatchObject({ dead: 0 });
  });

  test('replay and purge want to know which items, and act on none before', async () => {
    await giveUp(inbox, [newItem(1)]);
    await expect(replay(undefined, options())).rejects.toThrow(
      'flowgate inbox replay <id>, or flowgate inbox replay --all',
    );
    await expect(purge(undefined, options())).rejects.toThrow(
      'flowgate inbox purge <id>, or flowgate inbox purge --all',
    );
    await expect(purge(itemId(1), { ...options(), all: true })).rejects.toThrow('give an id or --all, not both');
    await expect(purge('../replay', options())).rejects.toThrow('../replay is no item id');
    expect(await inbox.stats()).toMatchObject({ dead: 1 });
  });

  test('replay --all ends, though items fail again as soon as they are due', async () => {
    await giveUp(inbox, [newItem(1), newItem(2)]);
    const replayOnce = inbox.replay.bind(inbox);
    inbox.replay = async (id) => {
      const count = await replayOnce(id);
      for (const claim of await inbox.claim(10, new AbortController().signal)) await inbox.dead(claim, 'again');
      return count;
    };
    expect(await replay(undefined, { ...options(), all: true })).toBe('Replayed 2 items.');
    expect(await inbox.stats()).toMatchObject({ dead: 2 });
  });

  test('tells why the inbox cannot be asked', async () => {
    inbox.failure = 'the inbox is too slow';
    await expect(stats(options())).rejects.toThrow('the inbox is too slow');
  });

  test('closes the store, and only the store', async () => {
    await stats(options());
    expect(inbox.isClosed).toBe(where === 'the store');
  });
});

describe('when there is no such server', () => {
  test('one sentence says that there is no server and no store', async () => {
    process.env['ADMIN_PORT'] = String(await freePort());
    await expect(stats({ openInbox: noStore })).rejects.toThrow(
      /^no server answers at http:\/\/127\.0\.0\.1:\d+, and the inbox cannot be opened without one: there is no inbox here$/,
    );
    delete process.env['ADMIN_PORT'];
  });

  test('a server asked for by its address is not replaced by the store of this machine', async () => {
    await giveUp(inbox, [newItem(1)]);
    const options = { url: `http://127.0.0.1:${await freePort()}/`, openInbox: async () => inbox, all: true };
    await expect(purge(undefined, options)).rejects.toThrow(/^nothing listens at http:\/\/127\.0\.0\.1:\d+$/);
    expect(await inbox.stats()).toMatchObject({ dead: 1 });
  });

  test.each([
    ['that knows no /inbox', 404, 'text/plain', ''],
    ['of someone else', 200, 'text/html', '<html>'],
  ])('a server %s is no admin port with an inbox', async (_, status, type, body) => {
    const other = createServer((_request, response) => response.writeHead(status, { 'Content-Type': type }).end(body));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    await expect(stats({ url: `http://127.0.0.1:${port}`, openInbox: noStore })).rejects.toThrow('has no inbox');
    other.close();
  });

  test.each(['127.0.0.1:9464', 'ftp://x', 'http://', 'http://a b'])('%s is no address', async (address) => {
    await expect(stats({ url: address, openInbox: noStore })).rejects.toThrow('is not the address of an admin port');
  });
});

describe('the command', () => {
  const inboxCommand = (...args: string[]): Promise<Outcome> => run(['inbox', ...args, '--url', url]);

  test.each(['stats', 'list', 'show', 'replay', 'purge'])('explains itself: inbox %s --help', async (name) => {
    const { code, stdout } = await run(['inbox', name, '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Usage: flowgate inbox ${name} \\[options\\]`));
  });

  test('lists, shows and replays what a served inbox has given up', async () => {
    await giveUp(inbox, [newItem(1, { payload: { text: 'Hi' } })]);
    expect(await inboxCommand('list')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(itemId(1)),
      stderr: '',
    });
    expect((await inboxCommand('show', itemId(1))).stdout).toContain('"text": "Hi"');
    expect(await inboxCommand('replay', '--all')).toEqual({ code: 0, stdout: 'Replayed 1 item.\n', stderr: '' });
    const { stdout } = await inboxCommand('stats', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ waiting: 1, dead: 0 });
    expect((await inboxCommand('list', '--state', 'waiting', '--limit', '1')).stdout).toContain('message.text');
  });

  test.each([
    [['purge'], 1, 'say which items: flowgate inbox purge <id>'],
    [['show', 'x'], 1, 'x is no item id'],
    [['list', '--state', 'gone'], 2, 'Allowed choices are waiting, leased, done, dead'],
    [['list', '--limit', '0'], 2, 'It must be a whole number from 1 to 1000.'],
    [['show'], 2, "missing required argument 'id'"],
  ])('answers %j with code %i and one sentence', async (args, code, sentence) => {
    const outcome = await inboxCommand(...args);
    expect(outcome).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(sentence) });
    expect(outcome.stderr.trim().split('\n')).toHaveLength(1);
  });
});
