/** `flowgate dev`: serves an app with credentials of its own, and starts again when a file it uses changes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { adminAddressFromEnv, developmentSettings } from '../config/command-settings.ts';
import { CliError } from './cli-error.ts';
import { developmentCredentials } from './credentials.ts';

/** Resolves with the exit code, once the watcher has ended. */
export async function dev(file: string, { port }: { port?: string }): Promise<number> {
  if (!existsSync(file)) throw new CliError(`there is no file ${file}`);
  const adminPort = await freeAdminPort();
  const { dataDir, env, usesOwnSecrets } = developmentSettings((directory) => developmentCredentials(directory));
  console.log(`\nFlowgate serves ${file} for development, and again after every change.`);
  if (usesOwnSecrets)
    console.log(`  Keys and secrets: ${dataDir}/ (private.pem, public.pem, app-secret, verify-token)`);

  const tsx = createRequire(import.meta.url).resolve('tsx/cli');
  const main = fileURLToPath(new URL('./main.js', import.meta.url));
  const flags = port ? ['--port', port] : [];
  const directory = mkdtempSync(join(tmpdir(), 'flowgate-dev-'));
  const restartFile = join(directory, 'restart');
  const watching = [tsx, 'watch', '--clear-screen=false', '--include', restartFile];
  const args = [...watching, main, 'serve', '--under-dev', restartFile, ...flags, file];
  const watcher = spawn(process.execPath, args, { stdio: 'inherit', env: { ...env, ADMIN_PORT: String(adminPort) } });
  process.on('SIGTERM', () => watcher.kill('SIGTERM'));
  // A terminal's Ctrl-C reaches the watcher by itself; a second one would make it kill instead of wait.
  process.on('SIGINT', () => process.stdin.isTTY || watcher.kill('SIGINT'));
  const [code] = (await once(watcher, 'exit')) as [number | null];
  rmSync(directory, { recursive: true, force: true });
  return code ?? 0;
}

/** Where the playground will be, at every start the same: port 0 is settled here. @throws CliError when it is taken. */
async function freeAdminPort(): Promise<number> {
  const { adminHost: host, adminPort } = adminAddressFromEnv();
  const server = createServer().listen({ host, port: adminPort, exclusive: true });
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE') throw new CliError(`cannot listen on ${host}:${adminPort}: ${code}`);
    const why = `port ${adminPort}, where the playground would be, is taken: does another "flowgate dev" run?`;
    throw new CliError(`${why} Set ADMIN_PORT to one that is free`);
  }
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
