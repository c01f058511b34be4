/**
 * What runs under `flowgate dev`: the app with its playground or, where it cannot be started, the page that says why.
 *
 * The process stays then, until a file that the app was loaded from is saved and the watcher starts it again.
 */
import { inspect } from 'node:util';
import { APP } from '../app.ts';
import { adminAddressFromEnv } from '../config/command-settings.ts';
import { FlowgateError } from '../errors.ts';
import type { AppFailure } from '../playground/api.ts';
import { type LonePlayground, servePlaygroundAlone, startWithPlayground } from '../playground/playground.ts';
import { CliError, reasonOf } from './cli-error.ts';
import { prepare, type ServeOptions, stopSignal } from './serve.ts';
import { showSyntaxError } from './syntax-error.ts';
import { requiredJson, restartOnChange, whatMayMend } from './unseen-files.ts';

const MAX_DETAILS_CHARS = 20_000;

interface DevelopmentOptions extends ServeOptions {
  readonly underDev: string;
}

/** Ends the process after SIGTERM or SIGINT. Rejects when the admin port cannot be listened on. */
export async function serveForDevelopment(file: string, options: DevelopmentOptions): Promise<void> {
  const running = await start(file, options).catch((error: unknown) => showFailure(file, error, options));
  // A terminal that closes sends SIGHUP too: what was started for development should then end.
  await stopSignal();
  await running.close();
  process.exit(); // whatever the app left open must not hold up the next start
}

async function start(file: string, options: DevelopmentOptions): Promise<LonePlayground> {
  const { app, settings, log } = await prepare(file, options);
  const service = await startWithPlayground(app, { settings, log });
  restartOnChange(requiredJson(), options.underDev);
  console.log(`\n  Play its Flows:\n\n  in a browser      ${service.adminUrl}/playground`);
  for (const flow of app[APP].flows.keys())
    console.log(`  in a terminal     flowgate phone ${service.url}/flows/${flow}`);
  console.log(`  metrics           ${service.adminUrl}/metrics\n`);
  return service;
}

async function showFailure(file: string, error: unknown, { underDev }: DevelopmentOptions): Promise<LonePlayground> {
  const failure = toFailure(file, error);
  restartOnChange(whatMayMend(file, causeOf(error)), underDev);
  console.error(`flowgate: ${failure.message}\n\n${failure.details}\n`);
  // A half-loaded app may still fail in other ways: the page stays.
  for (const event of ['unhandledRejection', 'uncaughtException']) {
    process.removeAllListeners(event).on(event, (another) => console.error(another));
  }
  const playground = await servePlaygroundAlone(failure, adminAddressFromEnv());
  console.log(`  in a browser      ${playground.adminUrl}/playground\n`);
  return playground;
}

function toFailure(file: string, error: unknown): AppFailure {
  const isKnown = error instanceof CliError || error instanceof FlowgateError;
  const message = isKnown ? error.message : `${file} cannot be started: ${reasonOf(error)}`;
  return { file, message, details: detailsOf(file, error).slice(0, MAX_DETAILS_CHARS) };
}

/** The stack of what the app threw. That of a mistake which is told by a sentence of ours shows no line of the app. */
function detailsOf(file: string, error: unknown): string {
  const cause = causeOf(error);
  if (cause === error && (error instanceof CliError || error instanceof FlowgateError)) return error.message;
  return showSyntaxError(file, cause) ?? inspect(cause, { customInspect: false });
}

/** What the app threw while it was loaded. */
function causeOf(error: unknown): unknown {
  return error instanceof CliError && 'cause' in error ? error.cause : error;
}
