/** What the disk takes to keep something: whatever is durable waits for it, alone or in company. */
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Durations } from './statistics.ts';

const PAGE = Buffer.alloc(4_096, 1);
/** Of a file system in memory: tmpfs and ramfs. */
const IN_MEMORY = new Set([0x01021994, 0x858458f6]);

export interface Disk {
  /** For a row's header. */
  readonly description: string;
  /** What a reader must know, if anything. */
  readonly notes: readonly string[];
}

/** The one that temporary files are on. Blocks for `durationMs`. */
export function measureDisk(durationMs: number): Disk {
  const directory = mkdtempSync(join(tmpdir(), 'flowgate-bench-disk-'));
  try {
    const isInMemory = IN_MEMORY.has(statfsSync(directory).type);
    return {
      description: `a lone sync of 4 KB takes ${measureSyncMicros(join(directory, 'probe'), durationMs).toFixed(0)} us`,
      notes: isInMemory ? ['temporary files are in memory here, nothing is durable: set TMPDIR to a disk'] : [],
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The median over appends to one file, each brought to the disk. */
function measureSyncMicros(path: string, durationMs: number): number {
  const syncs = new Durations();
  const file = openSync(path, 'w');
  try {
    const endMs = performance.now() + durationMs;
    do {
      const startedMs = performance.now();
      writeSync(file, PAGE);
      fsyncSync(file);
      syncs.add(performance.now() - startedMs);
    } while (performance.now() < endMs);
  } finally {
    closeSync(file);
  }
  return syncs.percentile(0.5) * 1_000;
}
