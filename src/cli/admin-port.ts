/** The admin port of a server, as the commands ask it. */
import { EnvReader } from '../config/env.ts';
import { CliError, reasonOf } from './cli-error.ts';

/** Longer than a server may take to answer: whoever waits is told by the server why. */
const ANSWER_TIMEOUT_MS = 15_000;

/** Nothing accepts a connection there. */
export class NothingListens extends CliError {}

export interface AdminAnswer {
  readonly status: number;
  /** Parsed; undefined when it is not JSON. */
  readonly body: unknown;
}

/** @param url of the admin port, `http://127.0.0.1:9464`. Rejects with a CliError when nothing answers. */
export async function askAdminPort(url: string, path: string, init: RequestInit = {}): Promise<AdminAnswer> {
  try {
    const response = await fetch(url + path, { ...init, signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    const text = await response.text();
    return { status: response.status, body: isJson ? (JSON.parse(text) as unknown) : undefined };
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === 'ECONNREFUSED') throw new NothingListens(`nothing listens at ${url}`);
    throw new CliError(`${url}: ${reason}`);
  }
}

/** Where the admin port of this machine's server is. @throws FlowgateError `SETTINGS_INVALID`. */
export function adminUrlFromEnv(env: NodeJS.ProcessEnv = process.env): string {
  const read = new EnvReader(env);
  const host = read.string('ADMIN_HOST') ?? '127.0.0.1';
  const port = read.int('ADMIN_PORT', { fallback: 9464, min: 1, max: 65_535 });
  read.throwIfInvalid();
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

/** @param url as a person gave it. @throws CliError. */
export function toAdminUrl(url: string): string {
  if (url.includes('@')) throw new CliError('an admin port asks for no user and password: give --url without them');
  if (/^https?:\/\/[^/?#]/.test(url) && URL.canParse(url)) return url.replace(/\/+$/, '');
  throw new CliError(`${url} is not the address of an admin port: give one like http://127.0.0.1:9464`);
}
