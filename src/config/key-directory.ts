/**
 * A directory of private keys, as `KEYS_DIR` names it.
 *
 * Newest first: by the time a file was last written, and by name, descending, among files of one time. A Kubernetes
 * volume writes all its files anew, in no order, whenever one of them changes; there every file has the time of the
 * volume's update, so that the name decides.
 */
import { readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

export interface KeyFile {
  readonly path: string;
  /** Epoch ms. */
  readonly modifiedAtMs: number;
}

/** Begins with a dot: hidden, or the `..data` and `..2026_11_22_...` in which Kubernetes keeps the files of a volume. */
const HIDDEN = /^\./;
const KEY_FILE = /\.(?:pem|key)$/;
/** The directory that a file of a Kubernetes volume is really in. */
const VOLUME_UPDATE = /^\.\.\d/;

/** Links are followed. @throws the system's error, with its `path`, for what cannot be read. */
export function keyFilesIn(directory: string): KeyFile[] {
  const names = readdirSync(directory).filter((name) => KEY_FILE.test(name) && !HIDDEN.test(name));
  const files = names.map((name) => join(directory, name)).filter((path) => statSync(path).isFile());
  return files.map((path) => ({ path, modifiedAtMs: writtenAtMs(path) })).sort(newestFirst);
}

function newestFirst(a: KeyFile, b: KeyFile): number {
  return b.modifiedAtMs - a.modifiedAtMs || (a.path < b.path ? 1 : -1);
}

function writtenAtMs(path: string): number {
  const parent = dirname(realpathSync(path));
  return statSync(VOLUME_UPDATE.test(basename(parent)) ? parent : path).mtimeMs;
}
