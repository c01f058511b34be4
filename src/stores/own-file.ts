/** The files under the data directory: made for their owner alone, and why one cannot be opened, in a sentence. */
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { FlowgateError } from '../errors.ts';
import type { FileKind } from './sqlite-thread.ts';

/** A process that ends lets go of its files when its last answers are out: a successor waits this long for each. */
export const LOCK_WAIT_MS = 5_000;

const SHARED = { inbox: 'an inbox', state: 'sessions and tokens' } as const;

/** It will hold what users wrote: for its owner only, and not for git. SQLite gives its log the same mode. */
export function makePrivateFile(path: string, kind: FileKind): void {
  try {
    makeDirectory(dirname(path));
    closeSync(openSync(path, 'a', 0o600));
  } catch (error) {
    throw openFailure(path, (error as NodeJS.ErrnoException).code ?? 'unknown reason', kind);
  }
}

/** On a read-only disk Node says ENOENT when it may make parents as well, and EROFS when it may not. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') mkdirSync(path, { recursive: true });
    else if (code !== 'EEXIST') throw error;
  }
}

/**
 * @param reason SQLite's code, the system's, or `NEWER_SCHEMA`.
 * @returns `INBOX_LOCKED` or `INBOX_OPEN_FAILED`, for either file.
 */
export function openFailure(path: string, reason: string, kind: FileKind): FlowgateError {
  if (reason.startsWith('SQLITE_BUSY')) {
    const fix = `stop it, or give this one a DATA_DIR of its own; several processes share ${SHARED[kind]} through REDIS_URL`;
    return new FlowgateError('INBOX_LOCKED', `${path} belongs to another process: ${fix}`);
  }
  const why = reason === 'NEWER_SCHEMA' ? 'a newer version of Flowgate wrote it' : reason;
  return new FlowgateError('INBOX_OPEN_FAILED', `the ${kind} file ${path} cannot be opened (${why})`);
}
