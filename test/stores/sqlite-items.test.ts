import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { beforeEach, describe, expect, test } from 'vitest';
import { GroupCommit } from '../../src/stores/group-commit.ts';
import { openSqliteInbox } from '../../src/stores/sqlite-inbox.ts';
import { type ItemRow, SqliteItems } from '../../src/stores/sqlite-items.ts';
import { DEDUPE_MS } from '../../src/webhooks/inbox.ts';
import { temporaryDirectory } from '../support/command.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { silentLog } from '../support/log.ts';
import { itemId } from '../support/memory-inbox.ts';

const NOW_MS = 1_800_000_000_000;
const MANY = 1_000_000;
const ROWS = 64;

const row = (n: number, dueAtMs = 0): ItemRow => [itemId(n), 'event', 'message.text', '{}', dueAtMs];
const rows = (count: number, from = 0) => Array.from({ length: count }, (_, i) => row(from + i));

let path: string;
beforeEach(() => {
  path = join(temporaryDirectory(), 'data', 'inbox.db');
});

const open = (lockWaitMs = 0) => openSqliteInbox({ path, clock: new FakeClock(), log: silentLog, lockWaitMs });

describe('what was leased when the process ended', () => {
  beforeEach(() => mkdirSync(join(path, '..')));

  /** The thread on the file as a process has it that starts at `nowMs`. Closing it gives no lease back, as a crash does. */
  async function start(nowMs: number): Promise<GroupCommit & AsyncDisposable> {
    const options = { clock: new FakeClock(), log: silentLog };
    const commit = await GroupCommit.start({ path, nowMs, lockWaitMs: 0 }, options);
    if (typeof commit === 'string') throw new Error(commit);
    return Object.assign(commit, { [Symbol.asyncDispose]: () => commit.close() });
  }

  /** Items that a process had leased for the `attempts`th time when it ended. */
  async function crash(attempts: number): Promise<void> {
    await using commit = await start(NOW_MS);
    await commit.call(0, 'append', rows(ROWS), MANY, NOW_MS);
    for (let i = 0; i < attempts; i++) await commit.call(0, 'claim', ROWS, 0, NOW_MS);
  }

  test('is due at once for the next process, after its first attempt', async () => {
    await crash(1);
    await using commit = await start(NOW_MS + 5_000);
    const { rows: claimed } = await commit.call(0, 'claim', MANY, 1_000, NOW_MS + 5_000);
    expect(claimed).toHaveLength(ROWS);
    expect(new Set(claimed.map(([, , , attempt]) => attempt))).toEqual(new Set([2]));
  });

  test.each([
    [2, 2_000],
    [3, 3_000],
    [100, 60_000],
  ])('comes back apart after attempt %i, within %i ms', async (attempts, withinMs) => {
    await crash(attempts);
    await using commit = await start(NOW_MS);
    const returned = await commit.call(0, 'list', 'waiting', 1_000);
    const delays = returned.map(({ dueAtMs }) => dueAtMs - NOW_MS);
    expect(delays).toHaveLength(ROWS);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...delays)).toBeLessThan(withinMs);
    expect(new Set(delays).size).toBeGreaterThan(1);
    expect(new Set(returned.map((item) => item.attempts))).toEqual(new Set([attempts]));
  });

  test('is nobody’s lease any more, and what was finished stays as it was', async () => {
    {
      await using commit = await start(NOW_MS);
      await commit.call(0, 'append', rows(4), MANY, NOW_MS);
      await commit.call(0, 'claim', 3, 60_000, NOW_MS);
      await commit.call(0, 'settle', { id: itemId(0), attempt: 1 }, '"done"', NOW_MS);
      await commit.call(0, 'dead', { id: itemId(1), attempt: 1 }, 'why', NOW_MS);
    }
    await using commit = await start(NOW_MS);
    expect(await commit.call(0, 'settle', { id: itemId(2), attempt: 1 }, undefined, NOW_MS)).toBe(false);
    expect(await commit.call(0, 'find', itemId(0))).toMatchObject({ state: 'done', result: '"done"' });
    expect(await commit.call(0, 'find', itemId(1))).toMatchObject({ state: 'dead', error: 'why' });
  });

  test('is counted as waiting: the counts are right after a start, and after a group that failed', async () => {
    await crash(1);
    await using commit = await start(NOW_MS);
    const counts = { waiting: ROWS, leased: 0, done: 0, dead: 0, oldestDueMs: 0 };
    expect(await commit.call(0, 'stats', NOW_MS)).toEqual(counts);
    await commit.call(0, 'claim', 10, 60_000, NOW_MS);
    const broken = commit.call(0, 'append', [row(ROWS), [null as never, 'event', 'x', '{}', 0]], MANY, NOW_MS);
    await expect(broken).rejects.toMatchObject({ code: 'INBOX_UNAVAILABLE' });
    expect(await commit.call(0, 'stats', NOW_MS)).toEqual({ ...counts, waiting: ROWS - 10, leased: 10 });
  });
});

describe('forget', () => {
  const old = NOW_MS + DEDUPE_MS + 1;

  /** Items in memory: the first `done` of them settled, one more dead, one more leased, the rest waiting. */
  function store(count: number, done: number): SqliteItems {
    const items = new SqliteItems(':memory:', { nowMs: NOW_MS, lockWaitMs: 0 });
    items.begin();
    items.append(rows(count), MANY, NOW_MS);
    for (const [id] of items.claim(done, 1_000, NOW_MS).rows) items.settle({ id, attempt: 1 }, undefined, NOW_MS);
    const [dead] = items.claim(2, 1_000, NOW_MS).rows;
    if (dead) items.dead({ id: dead[0], attempt: 1 }, 'why', NOW_MS);
    return items;
  }

  test('forgets what is done after 8 days, and not a millisecond before', () => {
    const items = store(5, 3);
    items.forget(NOW_MS + DEDUPE_MS);
    expect(items.stats(NOW_MS)).toMatchObject({ done: 3 });
    items.forget(old);
    expect(items.stats(NOW_MS)).toMatchObject({ waiting: 0, leased: 1, done: 0, dead: 1 });
    expect(items.append(rows(5), MANY, old)).toEqual([true, true, true, false, false]);
    items.close();
  });

  test('looks at 500 at a time, and tells whether there may be more', () => {
    const items = store(1_300, 1_200);
    expect([items.forget(old), items.stats(NOW_MS).done]).toEqual([true, 700]);
    expect([items.forget(old), items.stats(NOW_MS).done]).toEqual([true, 200]);
    expect([items.forget(old), items.stats(NOW_MS)]).toMatchObject([
      false,
      { waiting: 98, leased: 1, done: 0, dead: 1 },
    ]);
    items.close();
  });

  test('passes over what is not done, and finds it the next time round', () => {
    const items = store(1_200, 0);
    expect([items.forget(old), items.forget(old), items.forget(old)]).toEqual([true, true, false]);
    for (const [id] of items.claim(1_100, 1_000, NOW_MS).rows) items.settle({ id, attempt: 1 }, undefined, NOW_MS);
    expect([items.forget(old), items.forget(old), items.forget(old)]).toEqual([true, true, false]);
    expect(items.stats(NOW_MS)).toMatchObject({ done: 0, dead: 1 });
    items.close();
  });

  test('stops at what is younger', () => {
    const items = store(600, 600);
    items.append([row(600)], MANY, NOW_MS + 1);
    expect([items.forget(old), items.forget(old)]).toEqual([true, false]);
    expect(items.find(itemId(600))).toMatchObject({ state: 'waiting' });
    expect(items.stats(NOW_MS)).toMatchObject({ waiting: 1, done: 0 });
    items.close();
  });

  test('takes the effects of what it forgets along', () => {
    const items = store(1, 1);
    const id = itemId(0);
    items.beginEffect(id, 'late', 'one'); // by an attempt that was over
    expect(items.beginEffect(id, 'late', 'two')).toEqual({ state: 'begun' });
    items.forget(old);
    expect(items.beginEffect(id, 'late', 'three')).toEqual({ state: 'new' });
    items.close();
  });
});

describe('the file', () => {
  test('is made with its directory, and is for its owner only, its log too', async () => {
    const inbox = await open();
    const modeOf = (file: string) => statSync(file).mode & 0o777;
    expect([modeOf(path), modeOf(`${path}-wal`)]).toEqual([0o600, 0o600]);
    await inbox.close();
  });

  test('is refused when it is no database, and left as it was', async () => {
    mkdirSync(join(path, '..'));
    const text = 'a letter, not a database. '.repeat(40);
    writeFileSync(path, text);
    await expect(open()).rejects.toMatchObject({
      code: 'INBOX_OPEN_FAILED',
      message: `the inbox file ${path} cannot be opened (SQLITE_NOTADB)`,
    });
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  test('is refused when a newer version wrote it, and opened by that version still', async () => {
    await (await open()).close();
    const database = new Database(path);
    database.exec('PRAGMA user_version = 2');
    database.close();
    await expect(open()).rejects.toMatchObject({
      code: 'INBOX_OPEN_FAILED',
      message: expect.stringContaining('a newer version of Flowgate wrote it'),
    });
    const newer = new Database(path);
    expect(newer.prepare('SELECT count(*) AS count FROM item').get()).toMatchObject({ count: 0 });
    newer.close();
  });

  test.each([
    ['is a directory', () => mkdirSync(path, { recursive: true })],
    ['would lie in a file', () => writeFileSync(join(path, '..'), '')],
  ])('is refused, with the reason of the system, when it %s', async (_, prepare) => {
    prepare();
    const message = expect.stringMatching(/cannot be opened \(E[A-Z]+\)$/);
    await expect(open()).rejects.toMatchObject({ code: 'INBOX_OPEN_FAILED', message });
  });

  test('is refused while another process has it, and opened once that has ended', async () => {
    await (await open()).close();
    const module = new URL('../../dist/stores/sqlite-items.js', import.meta.url).href;
    const code = `
      const { SqliteItems } = await import(${JSON.stringify(module)});
      globalThis.items = new SqliteItems(${JSON.stringify(path)}, { nowMs: 0, lockWaitMs: 0 });
      process.stdout.write('open');
      process.stdin.resume();`;
    const other = spawn(process.execPath, ['--input-type=module', '--eval', code], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(other.stdout, 'data');
    await expect(open()).rejects.toMatchObject({
      code: 'INBOX_LOCKED',
      message: expect.stringContaining('belongs to another process: stop it, or give this one a DATA_DIR of its own'),
    });
    other.kill('SIGKILL');
    await once(other, 'exit');
    await (await open()).close();
  });

  test('is free again when it is closed, and keeps no log beside it', async () => {
    const inbox = await open();
    await expect(open()).rejects.toMatchObject({ code: 'INBOX_LOCKED' });
    await inbox.close();
    expect(existsSync(`${path}-wal`)).toBe(false);
    await (await open()).close();
  });
});
