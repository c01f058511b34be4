/**
 * Where the syntax error of a module is. Node tells that when the error ends a process, and only then: an import that is
 * caught has a message and no place. So another process is let end of it.
 */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const TIMEOUT_MS = 10_000;

/**
 * @param file that was imported with this `error`.
 * @returns what a terminal shows of it, with file, line and column; undefined where the error tells its place itself. Modules
 *   of which one cannot be read are not run: nothing of the app happens twice, up to an `import()` of its own.
 */
export function showSyntaxError(file: string, error: unknown): string | undefined {
  if (!(error instanceof SyntaxError) || /file:\/\/|\n {4}at (?:.*\()?(?!node:)[^\s()]*[\\/]/.test(error.stack ?? ''))
    return undefined;
  const url = JSON.stringify(pathToFileURL(resolve(file)).href);
  const args = [...process.execArgv, '--input-type=module', '--eval', `await import(${url})`];
  const { stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: TIMEOUT_MS });
  return stderr.includes(error.message) ? stderr.trim() : undefined;
}
