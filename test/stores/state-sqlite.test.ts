/** What is the embedded store's own: its file, its thread, and the time both are given. */
import { spawnSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'libsql';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { STATE_TIMEOUT_MS } from '../../src/state/state-store.ts';
import { openState } from '../../src/stores/open-state.ts';
import { openSqliteState, type SqliteStateOptions } from '../../src/stores/sqlite-state.ts';
import { temporaryDirectory } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { recordingLog, silentLog } from '../support/log.ts';
import { Tally } from '../support/raw-http.ts';

const ttlMs = 60_000;
const real = { clock: systemClock, log: silentLog };

const unavailable = (reason: string) => ({
  code: 'STATE_UNAVAILABLE',
  message: expect.stringContaining(`(${reason})`),
});

/** In memory, on a thread that answers in its own time, with a clock that stands still. */
async function open(options: Partial<SqliteStateOptions> = {}) {
  const clock = new FakeClock();
  const { log, lines } = recordingLog();
  const committed = new Tally();
  const onCommit = () => committed.add();
  const state = await openSqliteState({ path: ':memory:', clock, log, onCommit, ...options });
  return { state, clock, lines, committed, [Symbol.asyncDispose]: () => state.close() };
}

describe('a thread that does not answer', () => {
  test('within 250 ms is waited for by nobody', async () => {
    await using opened = await open();
    const { state, clock, lines, committed } = opened;
    const calls = [state.get('a'), state.put('a', { value: 'one', ttlMs }), state.delete('a')];
    clock.advance(STATE_TIMEOUT_MS - 1);
    const late = state.get('b');
    clock.advance(1);
    for (const call of [...calls, late]) await expect(call).rejects.toMatchObject(unavailable('STALLED'));
    await expect(state.get('a')).rejects.toMatchObject(unavailable('STALLED'));
    expect(lines).toMatchObject([
      { code: 'STATE_UNAVAILABLE', reason: 'STALLED', msg: 'the state file cannot be written' },
    ]);
    await committed.reached(1);
    expect(await eventually(() => state.get('b'))).toBeUndefined();
    expect(lines[1]).toMatchObject({ msg: 'the state file can be written again' });
  });

  test('is given 16 MiB to do, and no more', async () => {
    await using opened = await open();
    const { state } = opened;
    const value = 'x'.repeat(2 * 1024 * 1024);
    const first = state.put('first', { value: '', ttlMs }); // under way, so it does not wait
    const calls = Array.from({ length: 8 }, (_, i) => state.put(`${i}`, { value, ttlMs }));
    await expect(calls[7]).rejects.toMatchObject(unavailable('TOO_MUCH_WAITS'));
    expect(await Promise.all([first, ...calls.slice(0, 7)])).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('is given a bounded number of small calls as well', async () => {
    await using opened = await open();
    const { state } = opened;
    const calls = await Promise.allSettled(Array.from({ length: 60_000 }, () => state.get('a')));
    const refused = calls.filter(({ status }) => status === 'rejected').length;
    expect(refused).toBeGreaterThan(0);
    expect(calls.length - refused).toBeGreaterThan(50_000);
  });
});

test('a file that holds all it may takes nothing more, until something has expired', async () => {
  await using opened = await open({ maxBytes: 2_000 });
  const { state, clock, lines } = opened;
  const value = 'x'.repeat(700);
  await state.put('a', { value, ttlMs: 100 });
  await state.put('b', { value, ttlMs });
  const full = { code: 'STATE_UNAVAILABLE', message: 'the state file holds all it may, 2000 bytes' };
  await expect(state.put('c', { value, ttlMs })).rejects.toMatchObject(full);
  expect(await state.get('b')).toMatchObject({ value });
  clock.advance(100);
  expect(await state.put('c', { value, ttlMs })).toBe(3);
  expect(lines).toEqual([]);
});

test('what has expired is looked for every 10 s, and sooner when there is more of it', async () => {
  await using opened = await open();
  const { state, clock, committed } = opened;
  await Promise.all(Array.from({ length: 250 }, (_, i) => state.put(`${i}`, { value: 'one', ttlMs: 1 })));
  expect(clock.nextInMs).toBe(10_000);
  let commits = committed.count;
  for (const nextMs of [100, 10_000, 10_000]) {
    clock.advance(clock.nextInMs ?? 0);
    commits += 1;
    await committed.reached(commits);
    await eventually(() => expect(clock.nextInMs).toBe(nextMs));
  }
});

test('close leaves no timer behind', async () => {
  const { state, clock } = await open();
  await state.close();
  expect(clock.pending).toBe(0);
});

describe('the file', () => {
  test('is made beside the inbox, for its owner alone', async () => {
    const dataDir = join(temporaryDirectory(), 'new', 'data');
    const state = await openState({ redisUrl: undefined, dataDir, ...real });
    await state.put('a', { value: 'one', ttlMs });
    for (const suffix of ['', '-wal']) expect(statSync(join(dataDir, `state.db${suffix}`)).mode & 0o777).toBe(0o600);
    await state.close();
  });

  test('of another process is refused in one sentence', async () => {
    const path = join(temporaryDirectory(), 'state.db');
    const state = await openSqliteState({ path, ...real });
    await state.put('a', { value: 'one', ttlMs });
    const script = fileURLToPath(new URL('../support/write-state.ts', import.meta.url));
    const { stdout } = spawnSync(process.execPath, ['--import', 'tsx', script, path], { encoding: 'utf8' });
    expect(stdout).toBe(
      `INBOX_LOCKED: ${path} belongs to another process: stop it, or give this one a DATA_DIR of its own; ` +
        'several processes share sessions and tokens through REDIS_URL\n',
    );
    expect(await state.get('a')).toMatchObject({ value: 'one' });
    await state.close();
  });

  test.each([
    ['is no database', (path: string) => writeFileSync(path, 'x'.repeat(5_000)), /\(SQLITE_NOTADB\)/],
    ['is a directory', (path: string) => spawnSync('mkdir', [path]), /\(EISDIR\)/],
    ['is of a newer version', (path: string) => setVersion(path, 99), /\(a newer version of Flowgate wrote it\)/],
  ])('that %s is told of by name', async (_, make, why) => {
    const path = join(temporaryDirectory(), 'state.db');
    make(path);
    const opened = openSqliteState({ path, ...real });
    await expect(opened).rejects.toMatchObject({ code: 'INBOX_OPEN_FAILED', message: expect.stringMatching(why) });
    await expect(opened).rejects.toThrow(`the state file ${path} cannot be opened`);
  });
});

function setVersion(path: string, version: number): void {
  const db = new Database(path);
  db.exec(`PRAGMA user_version = ${version}`);
  db.close();
}
