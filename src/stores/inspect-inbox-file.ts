/** Looks at the file of the embedded inbox from outside: to open it would take it from the server that owns it. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { inboxFileIn } from './open-inbox.ts';

export interface InboxFileInspection {
  /** A server of this user could start with it. */
  readonly isUsable: boolean;
  readonly text: string;
}

/** @param userId of this process; undefined where users have no number. */
export function inspectInboxFile(
  dataDir: string,
  userId: number | undefined,
  isWritable: (path: string) => boolean = mayWrite,
): InboxFileInspection {
  const path = inboxFileIn(dataDir);
  if (!existsSync(path)) return inspectPlace(path, isWritable);
  const { uid, size } = statSync(path);
  const who = uid === userId ? 'this user' : `user ${uid}`;
  const sizes = [size, sizeOf(`${path}-wal`)].filter((bytes) => bytes > 0).map(formatBytes);
  const facts = `${path}, ${sizes.join(' and a log of ') || 'empty'}, owned by ${who}`;
  const locked = [path, dirname(path)].find((place) => !isWritable(place)); // the log beside it is made anew
  if (locked === undefined) return { isUsable: true, text: `${facts}, writable` };
  return { isUsable: false, text: `${facts}, but this user cannot write ${locked}: chown it, or start as user ${uid}` };
}

/** There is no inbox yet: the directory that it, or its own, will be made in. */
function inspectPlace(path: string, isWritable: (path: string) => boolean): InboxFileInspection {
  let place = dirname(resolve(path));
  while (!existsSync(place)) place = dirname(place);
  if (!statSync(place).isDirectory()) {
    return { isUsable: false, text: `${place} is no directory, so ${path} cannot be made: mend DATA_DIR` };
  }
  if (isWritable(place)) return { isUsable: true, text: `${path} will be made at the first start` };
  return {
    isUsable: false,
    text: `${path} cannot be made, since this user cannot write ${place}: mend DATA_DIR, or chown`,
  };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function formatBytes(bytes: number): string {
  return bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
