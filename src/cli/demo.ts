/**
 * `flowgate demo`: the booking example end to end on this machine, then under load.
 *
 * The service runs in a process of its own, as in production, and every figure about it comes from its /metrics.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { createPhone, type PhoneScreen } from '../testing/phone.ts';
import { CliError } from './cli-error.ts';
import { type Credentials, developmentCredentials } from './credentials.ts';
import { type LoadResult, putLoad } from './demo-load.ts';
import { formatScreen, formatTable } from './format.ts';
import { delta, readMetrics } from './read-metrics.ts';

export interface DemoOptions {
  readonly users: number;
  readonly seconds: number;
}

const EXAMPLE = fileURLToPath(new URL('../../examples/booking/app.ts', import.meta.url));
const START_TIMEOUT_MS = 20_000;
const BOOKING = { department: 'eyes', location: 'north', date: '2030-01-07', time: '09:30' };

export async function demo({ users, seconds }: DemoOptions): Promise<void> {
  await requirePackages();
  const directory = mkdtempSync(join(tmpdir(), 'flowgate-demo-'));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
  // However the demo ends, by a signal or a reader that stops early: nothing of it stays behind.
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const credentials = developmentCredentials(directory);
  console.log(heading('1. A service with a key pair of its own serves examples/booking'));
  const service = await startExample(credentials);
  try {
    console.log(`  ${service.url}/flows/booking\n`);
    console.log(heading('2. A test phone books an appointment: every request and answer is encrypted'));
    await bookAppointment(service.url, credentials);
    console.log(heading(`\n3. ${users} people at once, for ${seconds} seconds`));
    await showLoad(service, credentials, { users, seconds });
    console.log(heading('4. Book by hand: on a phone in your browser, with all that goes over the wire'));
    console.log(`  ${commandName()} dev ${relative('.', EXAMPLE)}\n`);
  } finally {
    service.process.kill('SIGTERM');
  }
}

/** As this command was called itself: installed as a package, or in its own repository. */
function commandName(): string {
  const [, path = ''] = process.argv;
  return basename(path).startsWith('flowgate') ? 'npx flowgate' : `node ${relative('.', path)}`;
}

/** What only the demo uses is not installed with Flowgate. */
async function requirePackages(): Promise<void> {
  try {
    await Promise.all([import('autocannon'), import('zod')]);
  } catch {
    throw new CliError('the demo needs two more packages: npm install --save-dev autocannon zod');
  }
}

interface RunningExample {
  readonly url: string;
  readonly adminUrl: string;
  readonly process: ChildProcess;
}

/** Starts `flowgate serve` on free ports, which its first log line tells. */
async function startExample({ appSecret, verifyToken, privateKeyFile }: Credentials): Promise<RunningExample> {
  const main = fileURLToPath(new URL('./main.js', import.meta.url));
  const settings = {
    APP_SECRET: appSecret,
    VERIFY_TOKEN: verifyToken,
    DATA_DIR: dirname(privateKeyFile),
    PRIVATE_KEY_FILE: privateKeyFile,
    HOST: '127.0.0.1',
    PORT: '0',
    ADMIN_PORT: '0',
  };
  const unset = {
    APP_SECRET_FILE: '',
    VERIFY_TOKEN_FILE: '',
    KEYS_DIR: '',
    PRIVATE_KEY: '',
    ROLE: '',
    REDIS_URL: '',
    REDIS_URL_FILE: '',
  };
  const env = { ...process.env, ...settings, ...unset, LOG_LEVEL: 'info' };
  const child = spawn(process.execPath, [main, 'serve', EXAMPLE], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  process.once('exit', () => child.kill('SIGTERM'));
  const timeout = setTimeout(() => child.kill(), START_TIMEOUT_MS);
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const { port, adminPort, msg } = JSON.parse(line) as { port?: number; adminPort?: number; msg: string };
      if (port === undefined) {
        console.log(`  ${msg}`); // the fallback to node:http says so
        continue;
      }
      child.stdout.resume();
      return { url: `http://127.0.0.1:${port}`, adminUrl: `http://127.0.0.1:${adminPort}`, process: child };
    }
  } finally {
    clearTimeout(timeout);
  }
  throw new CliError('the service did not start');
}

async function bookAppointment(url: string, { appSecret, publicKeyFile }: Credentials): Promise<void> {
  const phone = createPhone({ url, appSecret, publicKey: readFileSync(publicKeyFile, 'utf8') });
  const { department, location, date, time } = BOOKING;
  const show = async (what: string, screen: Promise<PhoneScreen>) => {
    const shown = await screen;
    console.log(styleText('cyan', `  ${what}`));
    console.log(indent(formatScreen(shown, phone.completed)));
  };
  await show('opens the Flow', phone.open('booking'));
  await show('picks a department', phone.submit({ step: 'pick', department }));
  await show('picks a location', phone.submit({ step: 'pick', department, location }));
  await show('picks a day', phone.submit({ step: 'pick', department, location, date }));
  await show('picks a time and continues', phone.submit({ step: 'submit', department, location, date, time }));
  await show(
    'mistypes the e-mail address',
    phone.submit({ ...BOOKING, name: 'Ada Example', email: 'ada', phone: '+1 555 010 9988' }),
  );
  await show(
    'corrects it',
    phone.submit({ ...BOOKING, name: 'Ada Example', email: 'ada@example.org', phone: '+1 555 010 9988' }),
  );
  await show('confirms', phone.submit(BOOKING));
}

async function showLoad(
  { url, adminUrl }: RunningExample,
  credentials: Credentials,
  options: DemoOptions,
): Promise<void> {
  const before = await readMetrics(adminUrl);
  const result = await putLoad(`${url}/flows/booking`, credentials, options);
  const after = await readMetrics(adminUrl);
  const cpuSeconds = delta(before, after, 'process_cpu_seconds_total');
  console.log(`\n${formatTable(tableOf(result, after, cpuSeconds))}\n`);
}

function tableOf(load: LoadResult, metrics: ReadonlyMap<string, number>, cpuSeconds: number): [string, string][] {
  const server = metrics.has('flowgate_http_server_info{server="uws",fallback="false"}')
    ? 'uWebSockets.js'
    : 'node:http';
  const loopDelay = metrics.get('flowgate_event_loop_delay_seconds{percentile="99"}') ?? Number.NaN;
  return [
    ['requests per second', Math.round(load.requestsPerSec).toLocaleString('en')],
    ['latency p50', `${load.p50Ms} ms`],
    ['latency p99', `${load.p99Ms} ms`],
    [
      'failures',
      `${load.failures} of ${load.requests.toLocaleString('en')} (${load.checked.toLocaleString('en')} answers decrypted and checked)`,
    ],
    ['event-loop delay p99', `${(loopDelay * 1000).toFixed(1)} ms`],
    ['server CPU per request', `${Math.round((cpuSeconds / load.requests) * 1e6)} us`],
    ['HTTP server', server],
    ['decrypt workers', String(metrics.get('flowgate_decrypt_workers'))],
    [
      'machine',
      `${availableParallelism()} cores, ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, Node ${process.version}; load generator on the same cores`,
    ],
  ];
}

function heading(text: string): string {
  return styleText('bold', text);
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '    ');
}
