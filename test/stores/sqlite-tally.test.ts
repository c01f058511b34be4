import { expect, test } from 'vitest';
import { SqliteFile } from '../../src/stores/sqlite-file.ts';
import { SqliteTally } from '../../src/stores/sqlite-tally.ts';

const SCHEMA = `
  CREATE TABLE tally (rows INTEGER NOT NULL, bytes INTEGER NOT NULL);
  INSERT INTO tally VALUES (2, 30);
  PRAGMA user_version = 1;
`;
const NAMES = ['rows', 'bytes'] as const;

/** With a transaction open, as it is given to a store. */
function open() {
  const file = new SqliteFile(':memory:', SCHEMA, 1, { lockWaitMs: 0 });
  return { file, tally: new SqliteTally(file, NAMES) };
}

const stored = (file: SqliteFile) => {
  const { rows, bytes } = file.get<{ rows: number; bytes: number }>('SELECT * FROM tally') ?? {};
  return { rows, bytes };
};

test('begins with what the file has, and nothing else that its row may have', () => {
  const { tally } = open();
  expect(tally.counts).toEqual({ rows: 2, bytes: 30 });
  expect(structuredClone(tally.counts)).toEqual({ rows: 2, bytes: 30 }); // it crosses to another thread
});

test('a change counts at once, and is in the file with the commit', () => {
  const { file, tally } = open();
  tally.change({ bytes: 31 });
  expect(tally.counts).toEqual({ rows: 2, bytes: 31 });
  expect(stored(file)).toEqual({ rows: 2, bytes: 30 });
  tally.change({ rows: 3 });
  tally.commit();
  file.begin(); // throws in a transaction that is still open
  expect(stored(file)).toEqual({ rows: 3, bytes: 31 });
});

test('whoever opens the file next finds what was committed, and no more', () => {
  const { file, tally } = open();
  tally.change({ rows: 3, bytes: 31 });
  tally.commit();
  file.begin();
  tally.change({ rows: 4 });
  file.rollback(); // as after a crash
  expect(new SqliteTally(file, NAMES).counts).toEqual({ rows: 3, bytes: 31 });
});

test('a rollback takes the counts back, and the next commit does not bring them again', () => {
  const { file, tally } = open();
  tally.commit();
  file.begin();
  tally.change({ rows: 9 });
  tally.rollback();
  expect(tally.counts).toEqual({ rows: 2, bytes: 30 });
  file.begin();
  file.run('UPDATE tally SET rows = 5');
  tally.commit(); // nothing changed: it writes nothing
  expect(stored(file)).toEqual({ rows: 5, bytes: 30 });
});

test('is written once for a change, not with every commit', () => {
  const { file, tally } = open();
  tally.change({ rows: 3 });
  tally.commit();
  file.begin();
  file.run('UPDATE tally SET rows = 5');
  tally.commit();
  expect(stored(file)).toEqual({ rows: 5, bytes: 30 });
});
