/** Disks of a test's own, for what must not be done to the one that everything is on. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from '../../support/command.ts';
import { makeImage } from '../../support/disk-available.ts';

const PAGE_BYTES = 4_096;

abstract class Disk implements Disposable {
  readonly path = temporaryDirectory();
  #isMounted = false;

  constructor() {
    onTestFinished(() => this[Symbol.dispose]()); // a test that has timed out leaves no scope
  }

  protected mount(...args: readonly string[]): void {
    execFileSync('mount', [...args, this.path]);
    this.#isMounted = true;
  }

  /** Processes that have files on it must have ended. */
  [Symbol.dispose](): void {
    if (this.#isMounted) execFileSync('umount', ['--lazy', this.path]);
    this.#isMounted = false;
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Two megabytes, to be filled, freed, enlarged and made read-only. */
export class SmallDisk extends Disk {
  readonly #filler = join(this.path, 'filler');

  constructor() {
    super();
    this.mount('-t', 'tmpfs', '-o', 'size=2m', 'tmpfs');
  }

  /** Leaves not a page free. */
  fill(): void {
    const file = openSync(this.#filler, 'a');
    try {
      for (;;) writeSync(file, Buffer.alloc(PAGE_BYTES));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  free(): void {
    rmSync(this.#filler);
  }

  enlarge(): void {
    this.mount('-o', 'remount,size=64m');
  }

  /** Fails while a file on it is open for writing. */
  makeReadOnly(): void {
    this.mount('-o', 'remount,ro');
  }

  makeWritable(): void {
    this.mount('-o', 'remount,rw');
  }
}

/** One on which every write hangs, from `freeze` to `thaw`, like a network disk whose network is gone. */
export class HangingDisk extends Disk {
  readonly #image = `${this.path}.image`;
  #isFrozen = false;

  constructor() {
    super();
    makeImage(this.#image);
    execFileSync('mkfs.ext4', ['-q', '-F', this.#image]);
    this.mount('-o', 'loop', this.#image);
  }

  freeze(): void {
    execFileSync('fsfreeze', ['--freeze', this.path]);
    this.#isFrozen = true;
  }

  thaw(): void {
    execFileSync('fsfreeze', ['--unfreeze', this.path]);
    this.#isFrozen = false;
  }

  override [Symbol.dispose](): void {
    if (this.#isFrozen) this.thaw();
    super[Symbol.dispose]();
    rmSync(this.#image, { force: true });
  }
}
