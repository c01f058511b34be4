/**
 * Tells when files have changed, however they are replaced: written in place, renamed over, deleted and made anew, or by the
 * swap of a link on the way to them, as Kubernetes updates a volume.
 *
 * The system's events are a hint to look. What counts is what a look finds, and one is taken every minute anyway, for where
 * no event comes: a network file system, a directory that was replaced, no watches left. Contents are not read.
 */
import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Clock } from '../clock.ts';

/** A change is told when two looks this far apart agree: whoever writes is done by then. */
export const SETTLE_MS = 250;
export const RECHECK_MS = 60_000;

/**
 * Calls `onChange` after every change of what `paths` lead to, once for changes that come together.
 *
 * @param paths files, and directories with the files in them (nothing that is written all the time, or no change would ever
 *   be over). Any may be missing, now or later: to appear, and to be gone for longer than a replacement takes, is a change.
 * @param onChange must not throw. What it reads may be newer than the change it is told of.
 */
export function watchFiles(paths: readonly string[], onChange: () => void, clock: Clock): { close(): void } {
  return new FilesWatch(paths, onChange, clock);
}

class FilesWatch {
  readonly #paths: readonly string[];
  readonly #onChange: () => void;
  readonly #clock: Clock;
  readonly #watchers = new Map<string, { readonly watcher: FSWatcher; readonly directory: string }>();
  #told: string;
  #seen: string;
  #isSettling = false;
  #isClosed = false;
  #cancelLook = () => {};

  constructor(paths: readonly string[], onChange: () => void, clock: Clock) {
    this.#paths = paths;
    this.#onChange = onChange;
    this.#clock = clock;
    this.#watchDirectories(); // before the first look, or what happens between the two would go unnoticed for a minute
    this.#told = this.#seen = stateOf(paths);
    this.#lookIn(RECHECK_MS);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelLook();
    for (const { watcher } of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #look(): void {
    this.#watchDirectories();
    const state = stateOf(this.#paths);
    this.#isSettling = state !== this.#seen;
    this.#seen = state;
    this.#lookIn(this.#isSettling ? SETTLE_MS : RECHECK_MS);
    if (this.#isSettling || state === this.#told) return;
    this.#told = state;
    this.#onChange();
  }

  #lookIn(delayMs: number): void {
    this.#cancelLook();
    this.#cancelLook = this.#clock.after(delayMs, () => this.#look());
  }

  readonly #onEvent = () => {
    if (this.#isSettling || this.#isClosed) return; // a busy directory costs a look now and then, not one an event
    this.#isSettling = true;
    this.#lookIn(SETTLE_MS);
  };

  /** Events come from directories: those of a file end with the file. A directory that was replaced is watched anew. */
  #watchDirectories(): void {
    for (const path of new Set(this.#paths.flatMap((path) => [dirname(path), path]))) {
      const directory = directoryAt(path);
      const held = this.#watchers.get(path);
      if (held?.directory === directory) continue;
      held?.watcher.close();
      this.#watchers.delete(path);
      if (directory !== undefined) this.#watchDirectory(path, directory);
    }
  }

  #watchDirectory(path: string, directory: string): void {
    try {
      const watcher = watch(path, this.#onEvent);
      watcher.on('error', () => watcher.close());
      this.#watchers.set(path, { watcher, directory });
    } catch {
      // gone by now, or no watches left: the look every minute has to do
    }
  }
}

/** Differs when anything about what is at `paths` does, other than when it was read. */
function stateOf(paths: readonly string[]): string {
  return paths
    .map((path) => [stamp(path), ...entriesOf(path).map((name) => name + stamp(join(path, name)))])
    .join('\n');
}

/** Links are followed. */
function stamp(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

function entriesOf(path: string): string[] {
  try {
    return readdirSync(path).sort();
  } catch {
    return []; // a file, or nothing
  }
}

/** Which directory is at `path` now, or undefined for none. */
function directoryAt(path: string): string | undefined {
  try {
    const stats = statSync(path, { bigint: true });
    return stats.isDirectory() ? `${stats.dev}:${stats.ino}:${stats.birthtimeNs}` : undefined;
  } catch {
    return undefined;
  }
}
