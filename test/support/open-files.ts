/** What a process holds open: how a test sees a temporary file that has no name any more. */
import { readdirSync, readlinkSync } from 'node:fs';

/** Only Linux tells. */
export const canSeeOpenFiles = process.platform === 'linux';

/** Paths of this process's descriptors whose files are, or were, in `directory`. */
export function openFilesIn(directory: string): string[] {
  const descriptors = readdirSync('/proc/self/fd').map((fd) => `/proc/self/fd/${fd}`);
  return descriptors.filter((path) => targetOf(path).startsWith(`${directory}/`));
}

function targetOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // closed since it was listed
  }
}
