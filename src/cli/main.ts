#!/usr/bin/env node
/** The command line: parses, dispatches, and turns every failure into one sentence and an exit code. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { FlowgateError } from '../errors.ts';
import { DEFAULT_LISTED, MAX_LISTED } from '../webhooks/admin.ts';
import { type Inbox, ITEM_STATES } from '../webhooks/inbox.ts';
import { CliError, reasonOf } from './cli-error.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
/** For what was printed to leave the process. */
const LEFT_OPEN_MS = 500;

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
  .addOption(new Option('--role <role>', 'what this process does, instead of ROLE').choices(['all', 'web', 'worker']))
  .addOption(new Option('--under-dev <restart-file>').hideHelp())
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

command('doctor [app]', 'check everything between Meta and your handlers; exit code 1 if something is to be mended')
  .option('--url <url>', 'what Meta has as the endpoint, e.g. https://flows.example.com')
  .option('--admin <url>', 'admin port of the running server; by default the one that ADMIN_HOST and ADMIN_PORT name')
  .option('--json', 'print JSON, for scripts')
  .action(async (app, options) => {
    process.exitCode = await (await import('./doctor.ts')).doctor(app, options);
    setTimeout(() => process.exit(), LEFT_OPEN_MS).unref(); // an app may have opened what keeps a process alive
  });

const keys = program.command('keys').description('the key pair of an endpoint: make it, give it to Meta, replace it');
configure(keys.command('generate').description('write private.pem and public.pem; encrypted when PASSPHRASE is set'))
  .option('-o, --out <directory>', 'where to write them', '.')
  .action(async (options) => (await import('./keys.ts')).generateKeys(options));
serversCommand('upload', 'give Meta the public key for PHONE_NUMBER_ID, and see that it arrived')
  .option('--key <file>', 'private key it belongs to; by default the newest of the settings')
  .option('--force', 'even if a server does not hold it')
  .action(async (options) => (await import('./keys.ts')).uploadKey(options));
configure(
  keys.command('status').description('which key Meta has for PHONE_NUMBER_ID, and whether it is one of ours'),
).action(async () => (await import('./keys.ts')).showKeyStatus());
serversCommand('rotate', 'make a new key, wait until every server holds it, then give it to Meta')
  .option('-o, --out <directory>', 'where to write it: the KEYS_DIR of the servers, or a place you copy it from')
  .option('--wait <seconds>', 'how long to wait for the servers', wholeNumber(1, 86_400), 300)
  .action(async (options) => (await import('./rotate.ts')).rotateKeys(options));

const inbox = program.command('inbox').description('look into the inbox of a server, and settle what was given up');
inboxCommand('stats', 'how many items wait, are at work, done or dead').action(async (options) =>
  console.log(await (await inboxCommands()).stats({ ...options, openInbox })),
);
inboxCommand('list', 'the newest items in one state')
  .addOption(new Option('--state <state>', 'which').choices(ITEM_STATES).default('dead'))
  .option('--limit <count>', 'how many at most', wholeNumber(1, MAX_LISTED), DEFAULT_LISTED)
  .action(async (options) => console.log(await (await inboxCommands()).list({ ...options, openInbox })));
inboxCommand('show <id>', 'one item with its payload').action(async (id, options) =>
  console.log(await (await inboxCommands()).show(id, { ...options, openInbox })),
);
inboxCommand('replay [id]', 'make a dead item due again, with its attempts counted anew')
  .option('--all', 'all dead items')
  .action(async (id, options) => console.log(await (await inboxCommands()).replay(id, { ...options, openInbox })));
inboxCommand('purge [id]', 'forget a dead item for good')
  .option('--all', 'all dead items')
  .action(async (id, options) => console.log(await (await inboxCommands()).purge(id, { ...options, openInbox })));

const flow = program.command('flow').description('what a Flow JSON says, without a server, an app or Meta');
flowCommand('check <file>', 'find what Meta or a phone would refuse, and show which screen leads where')
  .addOption(new Option('--mermaid', 'print the routes as a Mermaid flowchart, for documentation').conflicts('json'))
  .option('--json', 'print the problems as JSON, for scripts')
  .action(async (file, options) => {
    process.exitCode = await (await import('./flow.ts')).checkFlow(file, options);
  });
flowCommand('types <file>', 'write the TypeScript types of its screens and moves, for app.flow')
  .option('--name <name>', "what the types begin with; by default the file's name", typeName)
  .option('-o, --out <file>', 'where to write them; by default they are printed')
  .action(async (file, options) => (await import('./flow.ts')).writeTypes(file, options));

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

function inboxCommand(usage: string, description: string): Command {
  return configure(inbox.command(usage).description(description))
    .option('--url <url>', 'admin port of the server; by default the one that ADMIN_HOST and ADMIN_PORT name')
    .option('--json', 'print JSON, for scripts');
}

function serversCommand(usage: string, description: string): Command {
  const url = new Option('--url <url>', 'admin port of a server, once for each')
    .argParser((given: string, others: readonly string[]) => [...others, given])
    .default([], 'the servers on REDIS_URL, or the one of this machine');
  return configure(keys.command(usage).description(description)).addOption(url);
}

function flowCommand(usage: string, description: string): Command {
  return configure(flow.command(usage).description(description)).addHelpText(
    'after',
    '\n<file> is a Flow JSON, or - for standard input.',
  );
}

function inboxCommands(): Promise<typeof import('./inbox.ts')> {
  return import('./inbox.ts');
}

/** For when no server runs: loaded late, since a store brings its engine along. */
async function openInbox(): Promise<Inbox> {
  return (await import('../stores/open-inbox.ts')).openInboxFromEnv();
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

function typeName(text: string): string {
  if (/^[A-Za-z_$][\w$]{0,63}$/.test(text)) return text;
  throw new InvalidArgumentError('It must begin with a letter, and have letters and digits only, up to 64.');
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE; // commander has said why
  const isKnown = error instanceof FlowgateError || error instanceof CliError;
  console.error(`flowgate: ${isKnown ? error.message : `unexpected failure: ${reasonOf(error)}`}`);
  return EXIT_FAILED;
}
