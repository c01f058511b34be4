/**
 * The thread that owns the inbox file: takes groups of calls, runs each group in one transaction, and answers when that
 * is on the disk. So one sync of the disk serves everyone who waits, and the event loop waits for none.
 *
 * What it answers are plain objects: an error that crosses a thread loses its class and its code.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { NewerSchemaError } from './sqlite-file.ts';
import { SqliteItems } from './sqlite-items.ts';

export interface ThreadData {
  readonly path: string;
  readonly nowMs: number;
  readonly lockWaitMs: number;
}

type Calls = Omit<SqliteItems, 'begin' | 'commit' | 'rollback' | 'close'>;
export type CallName = { [K in keyof Calls]: Calls[K] extends (...args: never[]) => unknown ? K : never }[keyof Calls];
export type CallArguments<K extends CallName> = Parameters<Calls[K]>;
export type CallResult<K extends CallName> = ReturnType<Calls[K]>;

/** The calls of one transaction, in order. */
export type Group = readonly (readonly [name: CallName, ...args: unknown[]])[];

export type GroupReply =
  | { readonly ok: true; readonly results: readonly unknown[]; readonly busyMs: number }
  | { readonly ok: false; readonly reason: string };

/** The first message, once the file is open or cannot be. */
export type OpenReply = { readonly ok: true } | { readonly ok: false; readonly reason: string };

const port = parentPort;
if (!port) throw new Error('sqlite-thread runs as a worker thread');

try {
  const items = open(workerData as ThreadData);
  port.on('message', (group: Group | 'close') => {
    if (group !== 'close') {
      port.postMessage(run(items, group));
      return;
    }
    items.close();
    port.close();
  });
  port.postMessage({ ok: true } satisfies OpenReply);
} catch (error) {
  port.postMessage({ ok: false, reason: reasonOf(error) } satisfies OpenReply);
  port.close();
}

function open({ path, nowMs, lockWaitMs }: ThreadData): SqliteItems {
  return new SqliteItems(path, { nowMs, lockWaitMs });
}

function run(items: SqliteItems, group: Group): GroupReply {
  const startedMs = performance.now();
  try {
    items.begin();
    const results = group.map(([name, ...args]) => (items[name] as (...args: unknown[]) => unknown).apply(items, args));
    items.commit();
    return { ok: true, results, busyMs: performance.now() - startedMs };
  } catch (error) {
    return { ok: false, reason: rollback(items) ?? reasonOf(error) };
  }
}

/** @returns why it failed, if it did: then nothing else is worth saying. */
function rollback(items: SqliteItems): string | undefined {
  try {
    items.rollback();
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/** SQLite's own code, which a file that cannot be opened at all comes without; a message may quote what was stored. */
function reasonOf(error: unknown): string {
  if (error instanceof NewerSchemaError) return 'NEWER_SCHEMA';
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && code !== '' ? code : ((error as Error).name ?? 'unknown');
}
