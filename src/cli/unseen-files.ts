/**
 * Starts the app again for files that `tsx watch` does not know of: JSON that a CommonJS module requires, and what was
 * missing when the app was loaded.
 *
 * The watcher is told through a file that it watches besides.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../clock.ts';
import { watchFiles } from '../config/watch-files.ts';

/** @param restartFile which the watcher watches. */
export function restartOnChange(paths: readonly string[], restartFile: string): void {
  if (paths.length > 0) watchFiles(paths, () => writeFileSync(restartFile, `${Date.now()}`), systemClock);
}

/** Of the app that was loaded. */
export function requiredJson(): string[] {
  const loaded = Object.keys(createRequire(import.meta.url).cache);
  return loaded.filter((path) => path.endsWith('.json') && !/[\\/]node_modules[\\/]/.test(path));
}

/** What may mend an app that could not be loaded: a file that was missing, and those beside the app. */
export function whatMayMend(file: string, error: unknown): string[] {
  const directory = dirname(resolve(file));
  const beside = readdirSync(directory).filter((name) => SOURCE.test(name));
  return [...new Set([...beside.map((name) => join(directory, name)), ...requiredJson(), ...missingPaths(error)])];
}

/** Not the directory itself: what is printed may go to a file in it. */
const SOURCE = /\.(?:[cm]?[jt]sx?|json)$/;
/** An import may leave its file's ending out. */
const ENDINGS = ['', '.ts', '.js', '.json'];

function missingPaths(error: unknown): string[] {
  const path = missingPath((error ?? {}) as LoadError);
  return path === undefined ? [] : ENDINGS.map((ending) => path + ending);
}

type LoadError = Partial<NodeJS.ErrnoException> & { readonly requireStack?: readonly string[] };

/** Of a file that was read, or of a module by its URL, its path, or as CommonJS wrote it. */
function missingPath({ message = '', path, requireStack = [] }: LoadError): string | undefined {
  if (typeof path === 'string') return resolve(path);
  const name = /^Cannot find module '([^']+)'/.exec(message)?.[1];
  if (name?.startsWith('file:')) return fileURLToPath(name);
  return name && /^[./]|^[a-z]:\\/i.test(name) ? resolve(dirname(requireStack[0] ?? ''), name) : undefined;
}
