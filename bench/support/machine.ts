/** Where figures come from: without this line beside them they say nothing. */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, release, type } from 'node:os';

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly node: string;
  readonly kernel: string;
  /** ISO, the day the run began. */
  readonly date: string;
}

export function thisMachine(now = new Date()): Machine {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown CPU',
    node: process.version,
    kernel: `${type()} ${release()}`,
    date: now.toISOString().slice(0, 10),
  };
}

export function machineLine({ cores, cpu, node, kernel, date }: Machine): string {
  return `${cores} ${cores === 1 ? 'core' : 'cores'}, ${cpu}, Node ${node}, ${kernel}, ${date}`;
}

/** Files, sockets included, that a process here may have open. Node raises its soft limit to the hard one by itself. */
export function openFileLimit(): number {
  try {
    const text = execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim();
    return text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text);
  } catch {
    return Number.POSITIVE_INFINITY; // no shell: no such limit either
  }
}
