import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApp } from '../../src/index.ts';
import type { Service } from '../../src/service.ts';
import { TestAuthority } from '../support/certificates.ts';
import { run, temporaryDirectory } from '../support/command.ts';
import { FakeGraph, GRAPH_TOKEN, PHONE_NUMBER_ID } from '../support/fake-graph.ts';
import { keyPair, makeKeyPair } from '../support/keys.ts';
import { closedUrl } from '../support/proxy.ts';
import { startTestService } from '../support/service.ts';

const APP_SECRET = '0123456789abcdef0123456789abcdef';
const VERIFY_TOKEN = 'a verify token';
const otherPair = makeKeyPair(); // now: the service below would not be ready while one is made
const authority = new TestAuthority();
const directory = temporaryDirectory();
const appFile = join(directory, 'app.mjs');
const rootFile = join(directory, 'root.pem');
const keyFile = join(directory, 'key.pem');
writeFileSync(rootFile, authority.ca);
writeFileSync(keyFile, keyPair.privateKey);
writeFileSync(
  appFile,
  `import { createApp } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
  const app = createApp();
  app.flow('hello', { json: { version: '7.3', screens: [{ id: 'WELCOME' }] } }).init((c) => c.screen('WELCOME', {}));
  setInterval(() => {}, 1000); // as a pool of connections would
  export default app;`,
);

let service: Service & AsyncDisposable;
let graph: FakeGraph;
let env: Record<string, string>;
beforeAll(async () => {
  const app = createApp();
  app.flow('hello').init((c) => c.screen('WELCOME', {}));
  const { certFile, keyFile: tlsKeyFile } = authority.write('localhost');
  const tls = { TLS_CERT_FILE: certFile, TLS_KEY_FILE: tlsKeyFile };
  service = await startTestService(app, { APP_SECRET, VERIFY_TOKEN, ...tls });
  graph = await FakeGraph.start();
  graph.publicKey = keyPair.publicKey;
  env = {
    ...{ ...tls, APP_SECRET, VERIFY_TOKEN, PRIVATE_KEY_FILE: keyFile, NODE_EXTRA_CA_CERTS: rootFile },
    ...{ GRAPH_TOKEN, PHONE_NUMBER_ID, GRAPH_BASE_URL: graph.url },
  };
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await graph[Symbol.asyncDispose]();
});

const doctor = async (args: readonly string[], more: Record<string, string> = {}) => {
  const outcome = await run(['doctor', ...args], { ...env, ...more });
  const told = outcome.stdout + outcome.stderr;
  for (const secret of [APP_SECRET, VERIFY_TOKEN, GRAPH_TOKEN, 'PRIVATE KEY']) expect(told).not.toContain(secret);
  return outcome;
};
const everything = () => ['--url', service.url, '--admin', service.adminUrl];

test('ends with 0 when everything is in order, a line a check', async () => {
  const { code, stdout, stderr } = await doctor([appFile, ...everything()]);
  expect({ code, stderr, stdout }).toEqual({ code: 0, stderr: '', stdout: expect.not.stringContaining('\u2717') });
  const lines = stdout.trimEnd().split('\n');
  expect(lines.slice(0, -2).map((line) => line.slice(2, 24).trimEnd())).toEqual([
    '\u2713 settings',
    '\u2713 private key',
    '\u2713 app secret',
    '\u2713 app',
    '\u2713 Flow hello',
    '\u2713 public key at Meta',
    '\u2713 clock',
    '\u2713 certificate file',
    '\u2713 public certificate',
    '\u2713 endpoint hello',
    '\u2713 raw body',
    '\u2713 webhook handshake',
    '- Redis',
    '\u2713 inbox',
    '\u2713 HTTP server',
    '\u2713 running server',
  ]);
  expect(lines.at(-1)).toBe('  15 in order, 0 to mend, 1 skipped');
});

test('ends with 1 when something is wrong; --json tells machines', async () => {
  const { code, stdout } = await doctor([appFile, ...everything(), '--json'], {
    PRIVATE_KEY_FILE: '',
    PRIVATE_KEY: otherPair.privateKey,
  });
  expect(code).toBe(1);
  const report = JSON.parse(stdout) as { ok: boolean; checks: { name: string; status: string; text: string }[] };
  expect(report.ok).toBe(false);
  expect(report.checks.filter(({ status }) => status === 'failed').map(({ name }) => name)).toEqual([
    'public key at Meta',
    'endpoint hello',
  ]);
});

test('needs no app for a URL that names the Flow', async () => {
  const { code, stdout } = await doctor(['--url', `${service.url}/flows/hello/`, '--admin', service.adminUrl]);
  expect(code).toBe(0);
  expect(stdout).toContain('\u2713 endpoint hello');
});

test('without anything, says what is missing, and what would be looked at', async () => {
  const admin = new URL(await closedUrl());
  const { code, stdout } = await run(['doctor'], { ADMIN_PORT: admin.port });
  expect(code).toBe(1);
  expect(stdout).toMatch(
    /\u2717 settings +APP_SECRET is required.*PRIVATE_KEY_FILE is required.*VERIFY_TOKEN is required/,
  );
  expect(stdout).toMatch(/2 in order, 1 to mend, \d+ skipped\n$/);
});

test('an app that cannot be loaded is told, and the rest is looked at all the same', async () => {
  const broken = join(directory, 'broken.mjs');
  writeFileSync(
    broken,
    `import { createApp } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
    const app = createApp();
    app.flow('hello', { json: { version: '7.3', screens: [{ id: 'A' }] } }).on('B', (c) => c.complete());
    export default app;`,
  );
  const { code, stdout } = await doctor([broken, ...everything()]);
  expect(code).toBe(1);
  expect(stdout).toMatch(
    /\u2717 app +\S+ cannot be loaded: flow hello: on\('B'\) names a screen that its Flow JSON does not have/,
  );
  expect(stdout).toContain('\u2713 webhook handshake');
});

test.each([
  [['--url', 'flows.example.com'], '--url must be an http or https URL without user, query and fragment'],
  [['--url', 'https://user:hunter2@a.example'], '--url must be an http or https URL'],
  [['--admin', 'nowhere'], 'nowhere is not the address of an admin port'],
])('answers %j with one sentence and exit code 1', async (args, sentence) => {
  const { code, stderr } = await doctor(args);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(sentence) });
  expect(stderr).not.toContain('hunter2');
});
