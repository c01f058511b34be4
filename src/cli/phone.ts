/** `flowgate phone URL`: walks through a Flow in the terminal, printing every screen as it decrypts. */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { appSecretFromEnv, dataDirFromEnv } from '../config/command-settings.ts';
import { createPhone, type Phone } from '../testing/phone.ts';
import { PhoneError } from '../testing/phone-error.ts';
import { CliError, reasonOf } from './cli-error.ts';
import { keyFilesIn, readAppSecret } from './credentials.ts';
import { formatScreen } from './format.ts';

export interface PhoneCommandOptions {
  readonly publicKey?: string;
  readonly token?: string;
  readonly version: '3.0' | '4.0';
}

const HELP = `  submit name=Ada email=ada@example.org   submit the screen with these fields
  submit {"guests": 2}                    the same, as JSON
  back                                    go back from this screen
  go TERMS                                navigate on the phone alone
  open                                    open the Flow anew
  ping                                    Meta's health check
  error payload-schema-error              report an error to the server
  quit`;

/** Ends when the Flow is completed, at end of input, or on `quit`. */
export async function walk(url: string, options: PhoneCommandOptions): Promise<void> {
  const { base, flow } = splitUrl(url);
  const directory = dataDirFromEnv();
  const publicKeyFile = options.publicKey ?? keyFilesIn(directory).publicKeyFile;
  const target = {
    url: base,
    publicKey: () => readPublicKey(publicKeyFile),
    appSecret: appSecretFromEnv() ?? readAppSecret(directory),
  };
  const phone = createPhone(target, { version: options.version });
  const open = () => phone.open(flow, options.token === undefined ? {} : { token: options.token });
  console.log(formatScreen(await reach(open(), url)));
  console.log(`\n${HELP}\n`);
  // Not before now: a line that arrives while nobody iterates is lost.
  const lines = createInterface({ input: process.stdin, output: process.stdout, terminal: process.stdin.isTTY });
  try {
    let isOpen = true;
    lines.once('close', () => {
      isOpen = false; // the input may end while a command runs
    });
    const prompt = () => isOpen && process.stdin.isTTY && lines.prompt();
    prompt();
    for await (const line of lines) {
      const [, command = '', rest = ''] = /^\s*(\S*)\s*(.*?)\s*$/.exec(line) ?? [];
      if (command === 'quit' || command === 'exit') break;
      console.log(await reach(tell(phone, command, rest, open), url));
      if (phone.completed) break;
      prompt();
    }
  } finally {
    lines.close();
  }
}

/** Runs one command; what goes wrong on the server's side is an answer too. */
async function tell(
  phone: Phone,
  command: string,
  rest: string,
  open: () => ReturnType<Phone['open']>,
): Promise<string> {
  try {
    switch (command) {
      case 'submit':
        return formatScreen(await phone.submit(parseFields(rest)), phone.completed);
      case 'back':
        return formatScreen(await phone.back());
      case 'open':
        return formatScreen(await open());
      case 'go':
        phone.navigate(rest);
        return `  now on ${rest}`;
      case 'ping':
        return (await phone.ping()) ? '  active' : '  the ping was not answered as Meta wants';
      case 'error':
        return (await phone.reportError(rest || 'payload-schema-error')) ? '  acknowledged' : '  not acknowledged';
      default:
        return HELP;
    }
  } catch (error) {
    if (error instanceof PhoneError || error instanceof FieldsError) return `  ${error.message}`;
    throw error;
  }
}

class FieldsError extends Error {}

/** `{"a": 1}`, or `name=value` pairs whose values are JSON where they can be (`true`, `2`, `["x"]`), else text. */
function parseFields(text: string): object {
  if (text.startsWith('{')) {
    try {
      return JSON.parse(text) as object;
    } catch {
      throw new FieldsError('that is not valid JSON');
    }
  }
  const pairs = text.match(/[^\s=]+=(?:"[^"]*"|\S*)/g) ?? [];
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at), fieldValue(pair.slice(at + 1))];
    }),
  );
}

function fieldValue(text: string): unknown {
  if (!/^(true|false|".*"|\[.*\])$/.test(text)) return text; // digits stay text, as a Flow's inputs send them
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function splitUrl(url: string): { base: string; flow: string } {
  const match = /^(https?:\/\/[^/]+(?:\/.*)?)\/flows\/([a-z0-9-]+)\/?$/.exec(url);
  if (!match)
    throw new CliError(`${url} is not the address of a Flow: give one like http://127.0.0.1:3000/flows/booking`);
  const [, base = '', flow = ''] = match;
  return { base, flow };
}

function readPublicKey(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new CliError(`cannot read the public key ${path}: run "flowgate dev" here first, or give --public-key`);
  }
}

/** A server that cannot be reached is a sentence, not a stack. */
async function reach<T>(work: Promise<T>, url: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof CliError) throw error;
    if (error instanceof PhoneError) throw new CliError(`${url}: ${error.message}`);
    throw new CliError(`${url}: ${reasonOf(error)}`);
  }
}
