/**
 * Gives the server and the generator cores of their own, so that an overload takes nothing from the server but what
 * its requests cost it.
 */
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Until disposed of, then everything is as it was. Processes started meanwhile keep the cores of their start. */
export interface CoreSplit extends Disposable {
  /** For a row's header. */
  readonly description: string;
  /** Call before starting the server: a child inherits the cores of its parent. */
  useServerCores(): void;
  /** Call when the server has started. */
  useGeneratorCore(): void;
}

/** The last core is the generator's, all others are the server's; where that cannot be, all are shared. */
export function splitCores(): CoreSplit {
  const cores = taskset() === undefined ? [] : allowedCores();
  const generator = cores.at(-1);
  if (generator === undefined || cores.length < 2) return sharedCores();
  const server = cores.slice(0, -1);
  return {
    description: `server pinned to ${server.length === 1 ? 'one core' : `${server.length} cores`}, generator to another`,
    useServerCores: () => pin(server),
    useGeneratorCore: () => pin([generator]),
    [Symbol.dispose]: () => pin(cores),
  };
}

/** Whoever is ready runs. */
export function sharedCores(): CoreSplit {
  const description = `generator on the same ${availableParallelism()} cores`;
  return { description, useServerCores() {}, useGeneratorCore() {}, [Symbol.dispose]() {} };
}

/** The cores this process may use, from `pid 7's current affinity list: 0-3,6`. */
function allowedCores(): number[] {
  const list = taskset('-cp', String(process.pid))?.split(': ')[1]?.trim() ?? '';
  return parseCoreList(list);
}

/** `0-3,6` */
export function parseCoreList(list: string): number[] {
  return [...list.matchAll(/(\d+)(?:-(\d+))?/g)].flatMap(([, from = '', to = from]) => {
    const first = Number(from);
    return Array.from({ length: Number(to) - first + 1 }, (_, i) => first + i);
  });
}

/** Every thread of this process. */
function pin(cores: readonly number[]): void {
  taskset('-acp', cores.join(','), String(process.pid));
}

/** @returns what the command prints; undefined where there is none, or it may not. */
function taskset(...args: readonly string[]): string | undefined {
  try {
    return execFileSync('taskset', args.length > 0 ? args : ['--version'], { encoding: 'utf8', stdio: 'pipe' });
  } catch {
    return undefined;
  }
}
