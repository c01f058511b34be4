#!/usr/bin/env node
/** The command line: parses, dispatches, and turns every failure into one sentence and an exit code. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { FlowgateError } from '../errors.ts';
import { CliError, reasonOf } from './cli-error.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const program = new Command('flowgate')
  .description('The server for WhatsApp Flows: encrypted screens, answered before their deadline.')
  .version(version)
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'flowgate: ')) });

command('serve <app>', 'serve an app (settings come from the environment, see the README)')
  .option('-p, --port <port>', 'port to listen on, instead of PORT')
  .option('--host <host>', 'address to listen on, instead of HOST')
  .addOption(new Option('--under-dev').hideHelp())
  .action(async (file, options) => (await import('./serve.ts')).serve(file, options));

command('dev <app>', 'serve an app with credentials of its own, and again after every change')
  .option('-p, --port <port>', 'port to listen on, instead of PORT')
  .action(async (file, options) => {
    process.exitCode = await (await import('./dev.ts')).dev(file, options);
  });

command('demo', 'run the booking example: a walk through its screens, then 1,000 people at once')
  .option('--users <count>', 'people at once', wholeNumber(1, 10_000), 1_000)
  .option('--seconds <seconds>', 'how long', wholeNumber(1, 300), 10)
  .action(async (options) => (await import('./demo.ts')).demo(options));

command('phone <url>', 'walk through a Flow in the terminal, e.g. http://127.0.0.1:3000/flows/booking')
  .option('--public-key <file>', 'public key of the server; by default that of "flowgate dev" in this folder')
  .option('--token <token>', 'flow token to open it with; by default a random one')
  .addOption(new Option('--data-api <version>', 'data API version').choices(['3.0', '4.0']).default('4.0'))
  .action(async (url, { dataApi, ...options }) =>
    (await import('./phone.ts')).walk(url, { ...options, version: dataApi }),
  );

const keys = program.command('keys').description('make the key pair of an endpoint');
configure(keys.command('generate').description('write private.pem and public.pem; encrypted when PASSPHRASE is set'))
  .option('-o, --out <directory>', 'where to write them', '.')
  .action(async (options) => (await import('./keys.ts')).generateKeys(options));

// Whoever reads our output may stop early (`| head`): that ends the command, and is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : EXIT_FAILED));

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

function command(usage: string, description: string): Command {
  return configure(program.command(usage).description(description));
}

/** An argument too many is a typing mistake, not something to ignore. */
function configure(sub: Command): Command {
  return sub.allowExcessArguments(false);
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE; // commander has said why
  const isKnown = error instanceof FlowgateError || error instanceof CliError;
  console.error(`flowgate: ${isKnown ? error.message : `unexpected failure: ${reasonOf(error)}`}`);
  return EXIT_FAILED;
}
