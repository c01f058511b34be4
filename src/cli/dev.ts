/** `flowgate dev`: serves an app with credentials of its own, and starts again when a file it uses changes. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { developmentSettings } from '../config/command-settings.ts';
import { CliError } from './cli-error.ts';
import { developmentCredentials } from './credentials.ts';

/** Resolves with the exit code, once the watcher has ended. */
export async function dev(file: string, { port }: { port?: string }): Promise<number> {
  if (!existsSync(file)) throw new CliError(`there is no file ${file}`);
  const { dataDir, env, usesOwnSecrets } = developmentSettings((directory) => developmentCredentials(directory));
  console.log(`\nFlowgate serves ${file} for development, and again after every change.`);
  if (usesOwnSecrets)
    console.log(`  Keys and secrets: ${dataDir}/ (private.pem, public.pem, app-secret, verify-token)`);
  console.log('  Walk through a Flow in another terminal:\n');

  const tsx = createRequire(import.meta.url).resolve('tsx/cli');
  const main = fileURLToPath(new URL('./main.js', import.meta.url));
  const flags = port ? ['--port', port] : [];
  const args = [tsx, 'watch', '--clear-screen=false', main, 'serve', '--under-dev', ...flags, file];
  const watcher = spawn(process.execPath, args, { stdio: 'inherit', env });
  process.on('SIGTERM', () => watcher.kill('SIGTERM'));
  // A terminal's Ctrl-C reaches the watcher by itself; a second one would make it kill instead of wait.
  process.on('SIGINT', () => process.stdin.isTTY || watcher.kill('SIGINT'));
  return new Promise((resolve) => watcher.once('exit', (code) => resolve(code ?? 0)));
}
