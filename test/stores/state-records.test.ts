/** The table itself, called as its thread calls it. */
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { describe, expect, test } from 'vitest';
import { SqliteRecords } from '../../src/stores/sqlite-state-records.ts';
import { temporaryDirectory } from '../support/command.ts';

const MIB = 1024 * 1024;
const NO_BOUND = Number.MAX_SAFE_INTEGER;

/** Opens the table of one file. */
function tableAt(path: string, nowMs: number) {
  const records = new SqliteRecords(path, { nowMs, lockWaitMs: 0 });
  const inTransaction = <T>(call: () => T): T => {
    records.begin();
    const result = call();
    records.commit();
    return result;
  };
  return {
    records,
    put: (key: string, value: string, ttlMs: number, atMs: number, maxBytes = NO_BOUND) =>
      inTransaction(() => records.put(key, value, ttlMs, undefined, maxBytes, atMs)),
    get: (key: string, atMs: number) => inTransaction(() => records.get(key, atMs)?.value),
    purge: (atMs: number) => inTransaction(() => records.purge(atMs)),
    [Symbol.dispose]: () => records.close(),
  };
}

/** What is in the file. */
function look(path: string): { keys: string[]; bytes: number; sum: number } {
  const db = new Database(copyOf(path));
  try {
    const keys = db.prepare('SELECT key FROM record ORDER BY key').all() as { key: string }[];
    const { bytes } = db.prepare('SELECT bytes FROM tally').get() as { bytes: number };
    const { sum } = db.prepare('SELECT coalesce(sum(bytes), 0) AS sum FROM record').get() as { sum: number };
    return { keys: keys.map(({ key }) => key), bytes, sum };
  } finally {
    db.close();
  }
}

/** The same file for another to open: the thread that had one holds it until it ends. */
function copyOf(path: string): string {
  const copy = newPath();
  for (const suffix of ['', '-wal']) if (existsSync(path + suffix)) cpSync(path + suffix, copy + suffix);
  return copy;
}

const newPath = () => join(temporaryDirectory(), 'state.db');

describe('purge', () => {
  test('forgets what has expired, and nothing else', () => {
    const path = newPath();
    {
      using table = tableAt(path, 0);
      table.put('a', 'one', 10, 0);
      table.put('b', 'one', 11, 0);
      expect(table.purge(10)).toBe(false);
    }
    expect(look(path).keys).toEqual(['b']);
  });

  test('forgets 200 records in one go, and tells that there may be more', () => {
    using table = tableAt(':memory:', 0);
    for (let i = 0; i < 401; i++) table.put(`${i}`, 'one', 10, 0);
    expect([table.purge(10), table.purge(10), table.purge(10)]).toEqual([true, true, false]);
  });

  test('forgets no more than 4 MiB and a record in one go', () => {
    using table = tableAt(':memory:', 0);
    for (const key of ['a', 'b', 'c', 'd', 'e']) table.put(key, 'x'.repeat(2 * MIB), 10, 0);
    expect([table.purge(10), table.purge(10), table.purge(10)]).toEqual([true, true, false]);
  });
});

describe('the bytes in the file', () => {
  test('are counted along, whatever is written, overwritten, deleted, purged or rolled back', () => {
    const path = newPath();
    {
      using table = tableAt(path, 0);
      const { records, put } = table;
      put('a', 'x'.repeat(1_000), 10, 0);
      put('a', 'ü'.repeat(100), 10, 0);
      put('b', 'a\0b', 10, 0);
      put('c', 'one', 5, 0);
      put('d', 'one', 10, 0);
      records.begin();
      records.put('e', 'one', 10, undefined, NO_BOUND, 0);
      records.rollback();
      records.begin();
      records.delete('d', undefined, 0);
      records.commit();
      table.purge(5);
    }
    const { keys, bytes, sum } = look(path);
    expect(keys).toEqual(['a', 'b']);
    expect(bytes).toBe(sum);
    expect(bytes).toBeGreaterThan(200);
  });

  test('have a bound: at it a record may shrink, go, or take the place of what has expired', () => {
    using table = tableAt(':memory:', 0);
    const { records, put, get } = table;
    const maxBytes = 2_000;
    put('a', 'x'.repeat(600), 10, 0, maxBytes);
    put('b', 'x'.repeat(600), 20, 0, maxBytes);
    expect(put('c', 'x'.repeat(600), 20, 0, maxBytes)).toBe('FULL');
    expect(put('b', 'x'.repeat(1_200), 20, 0, maxBytes)).toBe('FULL');
    expect(get('b', 0)).toHaveLength(600);
    expect(put('b', 'x'.repeat(599), 20, 0, 100)).toBe(3); // the bound was lowered
    expect(put('b', 'x'.repeat(500), 20, 0, maxBytes)).toBe(4);
    expect(put('c', 'x'.repeat(600), 20, 10, maxBytes)).toBe(5); // 'a' has expired
    records.begin();
    records.delete('c', undefined, 10);
    records.commit();
    expect(put('d', 'x'.repeat(600), 20, 10, maxBytes)).toBe(6);
  });
});

describe('a clock', () => {
  test('set back makes nothing live again, and ends nothing that is written after it', () => {
    const path = newPath();
    {
      using table = tableAt(path, 100_000);
      table.put('expired', 'one', 10, 100_000);
      table.put('live', 'one', 5_000, 100_000);
      table.put('last', 'one', 5_000, 101_000);
      expect(table.get('expired', 101_000)).toBeUndefined();
    }
    using table = tableAt(copyOf(path), 0); // the battery of the clock is empty
    expect(table.get('expired', 0)).toBeUndefined();
    expect(table.get('live', 0)).toBe('one');
    expect(table.get('live', 3_999)).toBe('one');
    expect(table.get('live', 4_000)).toBeUndefined();
    table.put('new', 'one', 10, 4_000);
    expect(table.get('new', 4_009)).toBe('one');
    expect(table.get('new', 4_010)).toBeUndefined();
  });

  test('that was too late, and is right again, ends nothing early', () => {
    const path = newPath();
    {
      using table = tableAt(path, 1_000_000);
      table.put('a', 'one', 5_000, 1_000_000);
    }
    using table = tableAt(copyOf(path), 10);
    expect(table.get('a', 10)).toBe('one');
    expect(table.get('a', 5_009)).toBe('one');
    expect(table.get('a', 5_010)).toBeUndefined();
  });
});

test('no version comes twice in a file, whoever writes', () => {
  let path = newPath();
  const versions: unknown[] = [];
  for (const round of [1, 2]) {
    path = copyOf(path);
    using table = tableAt(path, 0);
    versions.push(table.put('a', `${round}`, 10, 0), table.put('b', `${round}`, 10, 0));
    table.records.begin();
    table.records.delete('a', undefined, 0);
    table.records.commit();
    versions.push(table.put('a', `${round}`, 10, 0));
  }
  expect(versions).toEqual([1, 2, 3, 4, 5, 6]);
});
