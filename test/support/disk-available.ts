/** What a test can do to disks on this machine: most of it is for root alone, and not in every container. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const succeeds = (command: string, ...args: string[]) => spawnSync(command, args).status === 0;
const isRoot = process.getuid?.() === 0;

/** Mount a small one of its own. */
export const canMount: boolean = isRoot && mounts('-t', 'tmpfs', '-o', 'size=64k', 'tmpfs');

/** Mount one that can be made to hang. */
export const canFreeze: boolean = canMount && succeeds('fsfreeze', '--version') && mountsImage();

/** Limit how large the files of another process may become. */
export const canLimitFiles: boolean = succeeds('prlimit', '--version');

function mountsImage(): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'flowgate-test-'));
  const image = join(directory, 'image');
  makeImage(image);
  const isMounted = succeeds('mkfs.ext4', '-q', '-F', image) && mounts('-o', 'loop', image);
  rmSync(directory, { recursive: true });
  return isMounted;
}

/** A file for `mkfs.ext4` to make a disk of 16 megabytes of. */
export function makeImage(path: string): void {
  writeFileSync(path, '');
  truncateSync(path, 16 * 1024 * 1024);
}

function mounts(...args: string[]): boolean {
  const path = mkdtempSync(join(tmpdir(), 'flowgate-test-'));
  const isMounted = succeeds('mount', ...args, path) && succeeds('umount', path);
  rmSync(path, { recursive: true });
  return isMounted;
}
