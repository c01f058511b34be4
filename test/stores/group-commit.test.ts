import { Worker } from 'node:worker_threads';
import { describe, expect, test, vi } from 'vitest';
import { GroupCommit } from '../../src/stores/group-commit.ts';
import type { ItemRow } from '../../src/stores/sqlite-items.ts';
import { INBOX_TIMEOUT_MS } from '../../src/webhooks/inbox.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { recordingLog } from '../support/log.ts';
import { itemId } from '../support/memory-inbox.ts';
import { Tally, within } from '../support/raw-http.ts';

const MAX_WAITING_CHARS = 64 * 1024 * 1024;
const row = (n: number): ItemRow => [itemId(n), 'event', 'message.text', '{}', 0];

/** On a file in memory, whose thread answers in its own time, and whose clock stands still. */
async function start() {
  const clock = new FakeClock();
  const { log, lines } = recordingLog();
  /** How many calls shared each transaction. */
  const groups: number[] = [];
  const committed = new Tally();
  const onCommit = (calls: number) => {
    groups.push(calls);
    committed.add();
  };
  const commit = await GroupCommit.start({ path: ':memory:', nowMs: 0, lockWaitMs: 0 }, { clock, log, onCommit });
  if (typeof commit === 'string') throw new Error(commit);
  const append = (n: number, chars = 0) => commit.call(chars, 'append', [row(n)], 1_000_000, 0);
  return { clock, lines, groups, committed, commit, append, [Symbol.asyncDispose]: () => commit.close() };
}

const unavailable = (reason: string) => ({
  code: 'INBOX_UNAVAILABLE',
  message: expect.stringContaining(`(${reason})`),
});

test('a call resolves with its own result, whatever stands in its group', async () => {
  await using started = await start();
  const { commit, append } = started;
  const results = await Promise.all([append(1), append(2), append(1), commit.call(0, 'stats', 0)]);
  expect(results).toEqual([[true], [true], [false], expect.objectContaining({ waiting: 2 })]);
});

test('a call goes alone when nothing is under way; what comes meanwhile shares the next transaction, up to 256', async () => {
  await using started = await start();
  const { groups, append } = started;
  await Promise.all(Array.from({ length: 300 }, (_, n) => append(n)));
  expect(groups).toEqual([1, 256, 43]);
});

test('a group that cannot be written is rejected whole, and nothing of it is kept', async () => {
  await using started = await start();
  const { commit, append } = started;
  const first = append(1);
  const group = [append(2), commit.call(0, 'append', [[null as never, 'event', 'x', '{}', 0]], 10, 0), append(3)];
  await first;
  for (const call of group) await expect(call).rejects.toMatchObject(unavailable('SQLITE_CONSTRAINT_NOTNULL'));
  expect(await commit.call(0, 'stats', 0)).toMatchObject({ waiting: 1 });
});

describe('a thread that does not answer in time', () => {
  test('is waited for by nobody: all that was given is rejected', async () => {
    await using started = await start();
    const { clock, append } = started;
    const calls = [append(1), append(2)];
    clock.advance(INBOX_TIMEOUT_MS - 1);
    calls.push(append(3));
    clock.advance(1);
    for (const call of calls) await expect(call).rejects.toMatchObject(unavailable('STALLED'));
  });

  test('is given nothing more until it answers, and then again', async () => {
    await using started = await start();
    const { clock, commit, append, committed } = started;
    const late = append(1);
    clock.advance(INBOX_TIMEOUT_MS);
    await expect(append(2)).rejects.toMatchObject(unavailable('STALLED'));
    await expect(late).rejects.toMatchObject(unavailable('STALLED'));
    await committed.reached(1);
    expect(await append(1)).toEqual([false]); // it was written still
    expect(await commit.call(0, 'stats', 0)).toMatchObject({ waiting: 1 });
  });

  test('is given the rest of its time for a call that waited: it counts from when the call was made', async () => {
    await using started = await start();
    const { clock, append, committed } = started;
    const [first, second] = [append(1), append(2)];
    clock.advance(1_000);
    await first;
    expect(committed.count).toBe(1);
    clock.advance(INBOX_TIMEOUT_MS - 1_001);
    const settled = vi.fn();
    second.catch(settled);
    await Promise.resolve();
    expect(settled).not.toHaveBeenCalled();
    clock.advance(1);
    await expect(second).rejects.toMatchObject(unavailable('STALLED'));
  });

  test('is told of in one line, and in one more when it works again', async () => {
    await using started = await start();
    const { clock, lines, append, committed } = started;
    const calls = Array.from({ length: 20 }, (_, n) => append(n));
    clock.advance(INBOX_TIMEOUT_MS);
    calls.push(append(20), append(21));
    expect((await Promise.allSettled(calls)).map(({ status }) => status)).toEqual(Array(22).fill('rejected'));
    const failing = { level: 50, code: 'INBOX_UNAVAILABLE', reason: 'STALLED' };
    expect(lines).toMatchObject([failing]);
    await committed.reached(1);
    await append(22);
    await append(23);
    expect(lines).toMatchObject([failing, { level: 30, msg: 'the inbox file can be written again' }]);
  });

  test('leaves no timer behind when it does answer', async () => {
    await using started = await start();
    await started.append(1);
    expect(started.clock.pending).toBe(0);
  });
});

describe('the text that waits', () => {
  test('is at most 64 MiB: more is rejected at once, and what waits is written', async () => {
    await using started = await start();
    const { append } = started;
    const first = append(1, (3 * MAX_WAITING_CHARS) / 4); // under way, so it does not wait
    const waiting = [append(2, MAX_WAITING_CHARS - 1), append(3, 1)];
    await expect(append(4, 1)).rejects.toMatchObject(unavailable('TOO_MUCH_WAITS'));
    expect(await append(5)).toEqual([true]);
    expect(await Promise.all([first, ...waiting])).toEqual([[true], [true], [true]]);
    expect(await append(4, MAX_WAITING_CHARS)).toEqual([true]);
  });

  test('is forgotten with the calls that were given up', async () => {
    await using started = await start();
    const { clock, append, committed } = started;
    const calls = [append(1), append(2, MAX_WAITING_CHARS)];
    clock.advance(INBOX_TIMEOUT_MS);
    await Promise.allSettled(calls);
    await committed.reached(1);
    expect(await Promise.all([append(3), append(4, MAX_WAITING_CHARS)])).toEqual([[true], [true]]);
  });
});

describe('close', () => {
  test('waits for what was given, and takes nothing more', async () => {
    const { commit, append, groups } = await start();
    const calls = [append(1), append(2), append(3)];
    const closed = commit.close();
    await expect(append(4)).rejects.toMatchObject(unavailable('CLOSED'));
    expect(await Promise.all(calls)).toEqual([[true], [true], [true]]);
    await within(closed, 'the end of the thread');
    expect(groups).toEqual([1, 2]);
    await expect(append(5)).rejects.toMatchObject(unavailable('CLOSED'));
  });

  test('takes nothing more when the thread answers that was given up', async () => {
    const { clock, commit, append, committed } = await start();
    const call = append(1);
    clock.advance(INBOX_TIMEOUT_MS);
    await expect(call).rejects.toMatchObject(unavailable('STALLED'));
    const closed = commit.close();
    await committed.reached(1);
    await expect(append(2)).rejects.toMatchObject(unavailable('CLOSED'));
    await within(closed, 'the end of the thread');
  });
});

test('a thread that dies takes what it was given with it, and nothing more', async () => {
  const post = vi.spyOn(Worker.prototype, 'postMessage');
  await using started = await start();
  const { append, lines } = started;
  const calls = [append(1), append(2)];
  const [thread] = post.mock.contexts as Worker[];
  post.mockRestore();
  thread?.emit('error', new RangeError('canary'));
  for (const call of calls) await expect(call).rejects.toMatchObject(unavailable('RangeError'));
  await expect(append(3)).rejects.toMatchObject(unavailable('THREAD_DIED'));
  expect(lines).toMatchObject([{ code: 'INBOX_UNAVAILABLE', reason: 'RangeError' }]);
  expect(JSON.stringify(lines)).not.toContain('canary');
});

test('start tells why the file cannot be opened, in a word', async () => {
  const options = { clock: new FakeClock(), log: recordingLog().log };
  const reason = await GroupCommit.start({ path: '/dev/null/inbox.db', nowMs: 0, lockWaitMs: 0 }, options);
  expect(reason).toMatch(/^\w+$/);
});
