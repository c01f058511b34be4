/** `flowgate serve`: runs an app until it is told to stop. */
import type { Logger } from 'pino';
import { APP, type App } from '../app.ts';
import { loadSettings, type Settings, withOverrides } from '../config/settings.ts';
import { stackOf } from '../errors.ts';
import { createLog } from '../log.ts';
import { startService } from '../service.ts';
import { loadApp } from './load-app.ts';

export interface ServeOptions {
  readonly port?: string;
  readonly host?: string;
  readonly role?: string;
  /** Set by `flowgate dev`: runs under `tsx watch`, with the playground. The file that makes it start again. */
  readonly underDev?: string;
}

/** Resolves when the service has stopped after SIGTERM or SIGINT; a second signal ends the process at once. */
export async function serve(file: string, options: ServeOptions): Promise<void> {
  const { underDev } = options;
  if (underDev) return (await import('./serve-dev.ts')).serveForDevelopment(file, { ...options, underDev });
  const { app, settings, log } = await prepare(file, options);
  const service = await startService(app[APP], { settings, log });
  process.on('SIGHUP', () => void service.reload());
  await stopSignal();
  await service.close();
}

export interface Prepared {
  readonly app: App;
  readonly settings: Settings;
  readonly log: Logger;
}

/** Loads the app and its settings. Rejects with a CliError or `SETTINGS_INVALID`. */
export async function prepare(file: string, { port, host, role, underDev }: ServeOptions): Promise<Prepared> {
  const app = await loadApp(file, { isTsxLoaded: underDev !== undefined });
  const flags = { ...(port && { PORT: port }), ...(host && { HOST: host }), ...(role && { ROLE: role }) };
  const settings = loadSettings(withOverrides({ ...app[APP].settings, ...flags }));
  const log = createLog(settings.config.logLevel);
  logWhatNobodyCaught(log, settings.config.logErrorMessages);
  return { app, settings, log };
}

/**
 * A promise that a handler left alone and that rejects later fails no request, and must end none: it is logged. What is
 * thrown outside of any promise leaves the process in a state that nobody knows: it is logged, and ends it. Node itself
 * would print the error's message, which may quote a user's data.
 */
function logWhatNobodyCaught(log: Logger, logErrorMessages: boolean): void {
  const detailOf = (error: unknown) => ({
    stack: stackOf(error),
    ...(logErrorMessages && error instanceof Error && { thrown: error.message }),
  });
  process.on('unhandledRejection', (error) => {
    log.error({ code: 'REJECTION_UNHANDLED', ...detailOf(error) }, 'a promise that nobody waits for has failed');
  });
  process.on('uncaughtException', (error) => {
    log.fatal(
      { code: 'EXCEPTION_UNCAUGHT', ...detailOf(error) },
      'the process ends: an error was thrown where nobody catches it',
    );
    process.exit(1);
  });
}

export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(1));
        resolve();
      });
    }
  });
}
