/** Imports the user's app file, JavaScript or TypeScript. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type App, isApp } from '../app.ts';
import { CliError, reasonOf } from './cli-error.ts';

/** What Node says of a module that it takes for CommonJS, since package.json does not tell otherwise. */
const AS_COMMONJS = /import statement outside a module|Unexpected token 'export'|require\(\) ES Module/;

/**
 * Rejects with a CliError that names the file and what is wrong with it.
 *
 * @param isTsxLoaded true under `tsx watch`, whose own loader must see the import to watch the file.
 */
export async function loadApp(file: string, { isTsxLoaded = false } = {}): Promise<App> {
  const path = resolve(file);
  if (!existsSync(path)) throw new CliError(`there is no file ${file}`);
  if (/\.[mc]?tsx?$/.test(path) && !isTsxLoaded) (await import('tsx/esm/api')).register();
  let exports: Record<string, unknown>;
  try {
    exports = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (error) {
    const reason = reasonOf(error);
    const advice = AS_COMMONJS.test(reason) ? ': set "type": "module" in package.json' : '';
    throw new CliError(`${file} cannot be loaded: ${reason}${advice}`, { cause: error });
  }
  // A file that is compiled to CommonJS exports `{ default }` as its default.
  const candidates = [exports['default'], (exports['default'] as Record<string, unknown> | undefined)?.['default']];
  const app = candidates.find(isApp);
  if (!app) throw new CliError(`${file} exports no app: end it with "export default app", the result of createApp()`);
  return app;
}
