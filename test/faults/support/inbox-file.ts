/** A look into the inbox file that no process has. */
import { hash } from 'node:crypto';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { ITEM_STATES, type ItemState } from '../../../src/webhooks/inbox.ts';
import { temporaryDirectory } from '../../support/command.ts';

export interface StoredItem {
  readonly state: ItemState;
  readonly error: string | null;
}

export interface InboxFile {
  /** What SQLite finds wrong with the file, and what the counts in it say of other numbers than there are. */
  readonly problems: readonly string[];
  /** By id. */
  readonly items: ReadonlyMap<string, StoredItem>;
}

/** Reads a copy: it is for the next process, and not for this look, to recover what the last one left. */
export function readInboxFile(dataDir: string): InboxFile {
  const copy = temporaryDirectory();
  try {
    cpSync(dataDir, copy, { recursive: true });
    return read(join(copy, 'inbox.db'));
  } finally {
    rmSync(copy, { recursive: true });
  }
}

function read(path: string): InboxFile {
  const db = new Database(path);
  try {
    const checks = db.prepare('PRAGMA integrity_check').all() as { integrity_check: string }[];
    const problems = checks.map((check) => check.integrity_check).filter((text) => text !== 'ok');
    const rows = db.prepare('SELECT id, state, error FROM item').all() as ItemRow[];
    const items = rows.map(({ id, state, error }) => [id, { state: ITEM_STATES[state] ?? 'dead', error }] as const);
    const tally = db.prepare('SELECT * FROM tally').get() as Record<ItemState, number>;
    for (const state of ITEM_STATES) {
      const count = items.filter(([, item]) => item.state === state).length;
      if (tally[state] !== count) problems.push(`${count} items are ${state}, and the tally says ${tally[state]}`);
    }
    return { problems, items: new Map(items) };
  } finally {
    db.close();
  }
}

interface ItemRow {
  readonly id: string;
  readonly state: number;
  readonly error: string | null;
}

/** Under which a message is stored, whatever delivery brings it. */
export function itemIdOf(messageId: string): string {
  return `evt_${hash('sha256', `m:${messageId}`, 'hex').slice(0, 32)}`;
}
