import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadSettings } from '../../src/config/settings.ts';
import { RunningCommand, run, temporaryDirectory } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { keyPair } from '../support/keys.ts';

const secrets = { APP_SECRET: 'secret', VERIFY_TOKEN: 'token', PRIVATE_KEY: keyPair.privateKey };
const ports = { HOST: '127.0.0.1', PORT: '0', ADMIN_PORT: '0', WORKERS: '1' };
const BOOKING = 'examples/booking/app.ts';
const directory = temporaryDirectory();
const appFile = (name: string, source: string) => {
  writeFileSync(join(directory, name), source);
  return join(directory, name);
};
test.each([[], ['serve'], ['dev'], ['demo'], ['phone'], ['doctor'], ['keys'], ['keys', 'generate']])(
  'explains itself: %s %s --help',
  async (...command) => {
    const { code, stdout, stderr } = await run([...command, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: flowgate ${command.join(' ')}`));
  },
);

test.each([
  [['nope'], "unknown command 'nope'"],
  [['serve'], "missing required argument 'app'"],
  [['serve', 'a.js', 'b.js'], 'too many arguments'],
  [['serve', '--unheard-of', 'a.js'], "unknown option '--unheard-of'"],
  [['demo', '--users', '0'], 'It must be a whole number from 1 to 10000.'],
  [['phone', 'http://x/flows/y', '--data-api', '5.0'], 'Allowed choices are 3.0, 4.0'],
])('answers a wrong use with one sentence and exit code 2: %j', async (args, sentence) => {
  const { code, stderr } = await run(args);
  expect(code).toBe(2);
  expect(stderr).toContain(sentence);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});

const busy = createServer().listen(0, '127.0.0.1');
await new Promise((resolve) => busy.once('listening', resolve));
const busyPort = String((busy.address() as AddressInfo).port);

test.each<[string, string[], Record<string, string>, string]>([
  ['a file that is not there', ['serve', 'nowhere.js'], secrets, 'there is no file nowhere.js'],
  ['a file that is not there, in dev', ['dev', 'nowhere.js'], secrets, 'there is no file nowhere.js'],
  ['a file that exports no app', ['serve', appFile('no-app.mjs', 'export default 7;')], secrets, 'exports no app'],
  [
    'a file that throws',
    ['serve', appFile('throws.mjs', "throw new Error('no database');")],
    secrets,
    'cannot be loaded: no database',
  ],
  ['a file with a syntax error', ['serve', appFile('syntax.ts', 'const = 1;')], secrets, 'cannot be loaded: '],
  ['missing secrets', ['serve', BOOKING], {}, 'APP_SECRET is required'],
  ['a wrong key', ['serve', BOOKING], { ...secrets, PRIVATE_KEY: 'x' }, 'PRIVATE_KEY holds no PEM key'],
  [
    'a port that is taken',
    ['serve', BOOKING, '--host', '127.0.0.1', '--port', busyPort],
    secrets,
    `cannot listen on 127.0.0.1:${busyPort}`,
  ],
  [
    'a server that does not answer',
    ['phone', 'http://127.0.0.1:1/flows/x'],
    { DATA_DIR: directory },
    'no app secret in',
  ],
  ['no Flow address', ['phone', 'http://127.0.0.1:1/x'], {}, 'is not the address of a Flow'],
])('answers %s with one sentence and exit code 1', async (_, args, env, sentence) => {
  const { code, stderr } = await run(args, { ...ports, ...env });
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(sentence) });
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(stderr).not.toContain('    at ');
});

test('tells what to set where an app is taken for CommonJS', async () => {
  const folder = temporaryDirectory();
  writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }');
  writeFileSync(join(folder, 'app.js'), "import 'node:os';");
  const { code, stderr } = await run(['serve', join(folder, 'app.js')], { ...ports, ...secrets });
  expect(code).toBe(1);
  expect(stderr).toContain('outside a module: set "type": "module" in package.json'); // Node warns of it besides
});

test.each(['auto', 'node'])(
  'serve runs the booking example on HTTP_SERVER=%s, and ends with 0 on SIGTERM',
  async (server) => {
    const command = new RunningCommand(['serve', BOOKING], { ...ports, ...secrets, HTTP_SERVER: server });
    const [, port] = await command.printed(/"port":(\d+).*flowgate is listening/);
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
    command.process.kill('SIGTERM');
    expect(await command.ended).toMatchObject({ code: 0, stderr: '' });
  },
);

test('keys generate writes a pair that serve takes, readable by its owner alone', async () => {
  const out = join(temporaryDirectory(), 'keys');
  const { code, stdout } = await run(['keys', 'generate', '--out', out]);
  expect(code).toBe(0);
  expect(stdout).toContain(join(out, 'private.pem'));
  expect(stdout).not.toContain('PRIVATE KEY-----');
  expect(statSync(join(out, 'private.pem')).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(out, 'public.pem'), 'utf8')).toContain('BEGIN PUBLIC KEY');
  expect(
    loadSettings({ APP_SECRET: 'x', VERIFY_TOKEN: 'y', PRIVATE_KEY_FILE: join(out, 'private.pem') }).secrets?.keys,
  ).toHaveLength(1);
});

test('keys generate encrypts the key when PASSPHRASE is set', async () => {
  const out = temporaryDirectory();
  await run(['keys', 'generate', '--out', out], { PASSPHRASE: 'correct horse' });
  const env = { APP_SECRET: 'x', VERIFY_TOKEN: 'y', PRIVATE_KEY_FILE: join(out, 'private.pem') };
  expect(() => loadSettings(env)).toThrow('is encrypted: set PASSPHRASE');
  expect(loadSettings({ ...env, PASSPHRASE: 'correct horse' }).secrets?.keys).toHaveLength(1);
});

test('keys generate never overwrites a key', async () => {
  const out = temporaryDirectory();
  await run(['keys', 'generate', '--out', out]);
  const before = readFileSync(join(out, 'private.pem'), 'utf8');
  const { code, stderr } = await run(['keys', 'generate', '--out', out]);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('private.pem is there already') });
  expect(readFileSync(join(out, 'private.pem'), 'utf8')).toBe(before);
});

test('dev makes credentials, serves, lets the phone walk, and serves again after a change', async () => {
  const work = temporaryDirectory();
  const file = join(work, 'app.mjs');
  const source = (hint: string) => `
    import { createApp } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
    const app = createApp();
    app.flow('demo').init((c) => c.screen('A', { hint: '${hint}' })).on('A', (c) => c.complete({ name: c.data.name }));
    export default app;`;
  writeFileSync(file, source('first'));
  const env = { ...ports, DATA_DIR: join(work, 'data'), HOME: work };
  const dev = new RunningCommand(['dev', file], env);
  try {
    const [, url = ''] = await dev.printed(/flowgate phone (http\S+)/);
    const walk = await run(['phone', url], env, 'ping\nnonsense\nsubmit {\nback\nerror\nsubmit name="Ada Example"\n');
    expect(walk).toMatchObject({ code: 0, stderr: '' });
    for (const text of [
      'first',
      'active',
      'submit name=',
      'not valid JSON',
      'answered 500',
      'acknowledged',
      'SUCCESS',
      'Ada Example',
    ]) {
      expect(walk.stdout).toContain(text);
    }
    writeFileSync(file, source('second'));
    const [, again = ''] = await dev.printed(/flowgate phone[\s\S]*flowgate phone (http\S+)/);
    expect((await run(['phone', again], env, 'quit\n')).stdout).toContain('second');
  } finally {
    dev.process.kill('SIGTERM');
    await dev.ended;
  }
  expect(statSync(join(work, 'data', 'private.pem')).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(work, 'data', '.gitignore'), 'utf8')).toBe('*\n');
});

test.each<[string, (demo: RunningCommand) => unknown]>([
  ['a reader that stops early', (demo) => demo.process.stdout?.destroy()],
  ['SIGTERM', (demo) => demo.process.kill('SIGTERM')],
])('demo that ends by %s takes its service and its keys along', async (_, endIt) => {
  const directory = temporaryDirectory();
  const demo = new RunningCommand(['demo', '--users', '5', '--seconds', '60'], { WORKERS: '1', TMPDIR: directory });
  const [, url] = await demo.printed(/(http:\S+)\/flows\/booking/);
  endIt(demo);
  await demo.ended;
  await eventually(() => expect(fetch(`${url}/healthz`)).rejects.toThrow());
  expect(readdirSync(directory).filter((name) => name.startsWith('flowgate-demo'))).toEqual([]);
});

test('demo walks through the booking, puts people on it, and ends with a table without failures', async () => {
  const { code, stdout, stderr } = await run(['demo', '--users', '20', '--seconds', '1'], { WORKERS: '1' });
  expect({ code, stderr: stderr.replaceAll(/\s/g, '') }).toEqual({ code: 0, stderr: '' });
  for (const screen of ['APPOINTMENT', 'DETAILS', 'SUMMARY', 'SUCCESS']) expect(stdout).toContain(screen);
  expect(stdout).toMatch(/failures +0 of [\d,]+ \([1-9][\d,]* answers decrypted and checked\)/);
  for (const row of [
    'requests per second',
    'latency p50',
    'latency p99',
    'event-loop delay p99',
    'server CPU per request',
  ]) {
    expect(stdout).toMatch(new RegExp(`${row} +[\\d,.]+`));
  }
  expect(stdout).toMatch(/HTTP server +(uWebSockets\.js|node:http)/);
  expect(stdout).toMatch(/decrypt workers +1/);
});
