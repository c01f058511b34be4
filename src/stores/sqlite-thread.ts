/**
 * The thread that owns one file, of the inbox or of the state: takes groups of calls, runs each group in one transaction,
 * and answers when that is on the disk. So one sync of the disk serves everyone who waits, and the event loop waits for none.
 *
 * What it answers are plain objects: an error that crosses a thread loses its class and its code.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { NewerSchemaError } from './sqlite-file.ts';
import { SqliteItems } from './sqlite-items.ts';
import { SqliteRecords } from './sqlite-state-records.ts';

/** What a thread may own, and what opens it. */
const FILES = { inbox: SqliteItems, state: SqliteRecords } as const;

export type FileKind = keyof typeof FILES;

export interface ThreadData<Kind extends FileKind = FileKind> {
  /** Left out, the inbox. */
  readonly kind?: Kind;
  readonly path: string;
  readonly nowMs: number;
  readonly lockWaitMs: number;
}

type OwnFile = InstanceType<(typeof FILES)[FileKind]>;
/** The calls that can be made to a file of this kind. */
export type Calls<Kind extends FileKind> = Omit<
  InstanceType<(typeof FILES)[Kind]>,
  'begin' | 'commit' | 'rollback' | 'close'
>;
export type CallArguments<Call> = Call extends (...args: infer Arguments) => unknown ? Arguments : never;
export type CallResult<Call> = Call extends (...args: never[]) => infer Result ? Result : never;

/** The calls of one transaction, in order. */
export type Group = readonly (readonly [name: string, ...args: unknown[]])[];

export type GroupReply =
  | { readonly ok: true; readonly results: readonly unknown[]; readonly busyMs: number }
  | { readonly ok: false; readonly reason: string };

/** The first message, once the file is open or cannot be. */
export type OpenReply = { readonly ok: true } | { readonly ok: false; readonly reason: string };

const port = parentPort;
if (!port) throw new Error('sqlite-thread runs as a worker thread');

try {
  const file = open(workerData as ThreadData);
  port.on('message', (group: Group | 'close') => {
    if (group !== 'close') {
      port.postMessage(run(file, group));
      return;
    }
    file.close();
    port.close();
  });
  port.postMessage({ ok: true } satisfies OpenReply);
} catch (error) {
  port.postMessage({ ok: false, reason: reasonOf(error) } satisfies OpenReply);
  port.close();
}

function open({ kind = 'inbox', path, nowMs, lockWaitMs }: ThreadData): OwnFile {
  return new FILES[kind](path, { nowMs, lockWaitMs });
}

function run(file: OwnFile, group: Group): GroupReply {
  const startedMs = performance.now();
  try {
    file.begin();
    const calls = file as unknown as Record<string, (...args: unknown[]) => unknown>;
    const results = group.map(([name, ...args]) => calls[name]?.(...args));
    file.commit();
    return { ok: true, results, busyMs: performance.now() - startedMs };
  } catch (error) {
    return { ok: false, reason: rollback(file) ?? reasonOf(error) };
  }
}

/** @returns why it failed, if it did: then nothing else is worth saying. */
function rollback(file: OwnFile): string | undefined {
  try {
    file.rollback();
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
