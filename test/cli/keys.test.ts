import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { loadSettings } from '../../src/config/settings.ts';
import { createApp, type SettingOverrides } from '../../src/index.ts';
import { RedisKeys } from '../../src/stores/redis-keys.ts';
import { createPhone } from '../../src/testing/index.ts';
import { type Outcome, RunningCommand, run, temporaryDirectory } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { FakeGraph, GRAPH_TOKEN, PHONE_NUMBER_ID } from '../support/fake-graph.ts';
import { freePort } from '../support/free-port.ts';
import { keyPair, makeKeyPair, toKeyRing } from '../support/keys.ts';
import { TestRedis } from '../support/redis.ts';
import { hasRedisServer } from '../support/redis-available.ts';
import { APP_SECRET, startTestService } from '../support/service.ts';

const otherPair = makeKeyPair();
const [own, other] = [keyPair, otherPair].map((pair) => toKeyRing(pair)[0].fingerprint) as [string, string];
/** A port where nothing listens. */
const nowhere = await freePort();

let graph: FakeGraph;
let directory: string;
beforeEach(async () => {
  graph = await FakeGraph.start();
  directory = temporaryDirectory();
  writeFileSync(join(directory, 'key.pem'), keyPair.privateKey);
});
afterEach(() => graph[Symbol.asyncDispose]());

const env = (): Record<string, string> => ({
  GRAPH_TOKEN,
  PHONE_NUMBER_ID,
  GRAPH_BASE_URL: graph.url,
  KEYS_DIR: directory,
  ADMIN_PORT: String(nowhere),
});
const keys = (args: readonly string[], more: Record<string, string> = {}): Promise<Outcome> =>
  run(['keys', ...args], { ...env(), ...more });

function expectSentence({ code, stderr }: Outcome, sentence: string | RegExp): void {
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(sentence) });
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(stderr).not.toContain(GRAPH_TOKEN);
}

const serve = (settings: SettingOverrides = {}) => {
  const app = createApp();
  app.flow('hello').init((c) => c.screen('WELCOME', {}));
  return startTestService(app, { KEYS_DIR: directory, ...settings });
};

test.each(['upload', 'status', 'rotate'])('explains itself: keys %s --help', async (command) => {
  const { code, stdout } = await run(['keys', command, '--help']);
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`^Usage: flowgate keys ${command} \\[options\\]`));
});

describe('keys upload', () => {
  test('gives Meta the public half of the newest key, and sees that it arrived', async () => {
    const { code, stdout } = await keys(['upload']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining(`fingerprint ${own}: VALID.`) });
    expect(graph.publicKey).toBe(keyPair.publicKey);
  });

  test('gives Meta that of --key, encrypted with PASSPHRASE, when no server runs and no settings name keys', async () => {
    const out = temporaryDirectory();
    await run(['keys', 'generate', '--out', out], { PASSPHRASE: 'correct horse' });
    const file = join(out, 'private.pem');
    expectSentence(await keys(['upload', '--key', file], { KEYS_DIR: '' }), 'is encrypted: set PASSPHRASE');
    const { code } = await keys(['upload', '--key', file], { KEYS_DIR: '', PASSPHRASE: 'correct horse' });
    expect(code).toBe(0);
    expect(graph.publicKey).toBe(readFileSync(join(out, 'public.pem'), 'utf8'));
  });

  test('refuses a key that the server does not hold, or that the settings do not name, but for --force', async () => {
    const file = join(temporaryDirectory(), 'foreign.pem');
    writeFileSync(file, otherPair.privateKey);
    expectSentence(await keys(['upload', '--key', file]), 'foreign.pem is none of the keys that the settings name');
    await using service = await serve();
    const args = ['upload', '--key', file, '--url', service.adminUrl];
    expectSentence(
      await keys(args, { KEYS_DIR: '' }),
      `is not held by ${service.adminUrl}: phones would be answered 421`,
    );
    expect(graph.publicKey).toBeUndefined();
    expect(await keys([...args, '--force'])).toMatchObject({ code: 0 });
    expect(graph.publicKey).toBe(otherPair.publicKey);
  });

  test('says when Meta does not show the key as it should', async () => {
    graph.keyStatus = 'MISMATCH';
    expectSentence(await keys(['upload']), 'Meta took the key, and yet shows it as MISMATCH');
  });
});

describe('keys status', () => {
  test('shows which local key Meta has', async () => {
    writeFileSync(join(directory, 'another.key'), otherPair.privateKey);
    graph.publicKey = keyPair.publicKey;
    const { code, stdout, stderr } = await keys(['status']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`Meta +${own} +VALID`));
    expect(stdout).toMatch(new RegExp(`local +${own} +Meta's +${join(directory, 'key.pem')}`));
    expect(stdout).toMatch(new RegExp(`local +${other} +${join(directory, 'another.key')}`));
  });

  test('ends with 1 when Meta has none, another one, or one that it did not sign', async () => {
    expectSentence(await keys(['status']), 'Meta has no key for this number: upload one');
    graph.publicKey = otherPair.publicKey;
    const foreign = await keys(['status']);
    expectSentence(foreign, 'no local key belongs to the key that Meta has.*Is PHONE_NUMBER_ID another number\\?');
    expect(foreign.stdout).toMatch(new RegExp(`Meta +${other} +VALID\n +local +${own} `));
    Object.assign(graph, { publicKey: keyPair.publicKey, keyStatus: 'MISMATCH' });
    expectSentence(await keys(['status']), "Meta's key is MISMATCH, not VALID: sign it anew");
  });
});

test.each([['upload'], ['status'], ['rotate']])(
  'keys %s tells in one sentence what is missing or refused, and changes nothing',
  async (command) => {
    await using service = await serve();
    const args = command === 'status' ? [command] : [command, '--url', service.adminUrl];
    expectSentence(await keys(args, { GRAPH_TOKEN: '' }), 'GRAPH_TOKEN is required: a system user');
    expectSentence(
      await keys(args, { PHONE_NUMBER_ID: '' }),
      'PHONE_NUMBER_ID is required: the id of the business number',
    );
    expectSentence(await keys(args, { PHONE_NUMBER_ID: '+49 30' }), 'PHONE_NUMBER_ID must be the id');
    expectSentence(
      await keys(args, { PHONE_NUMBER_ID: '1' }),
      'there is no number of this id, or the access token may not',
    );
    expectSentence(await keys(args, { GRAPH_TOKEN: 'EAAother' }), 'HTTP 401, code 190, .* not valid or has expired');
    expectSentence(await keys(args, { GRAPH_TOKEN: 'two words' }), 'one is wrong: token must be printable');
    expectSentence(
      await keys(args, { GRAPH_BASE_URL: `http://127.0.0.1:${nowhere}` }),
      'the Graph API could not be reached',
    );
    graph.failNext(1, { status: 500, code: 2 });
    expectSentence(await keys(args), 'HTTP 500, code 2');
    expect(readdirSync(directory)).toEqual(['key.pem']);
    expect(graph.publicKey).toBeUndefined();
    const phone = createPhone({ url: service.url, appSecret: APP_SECRET, publicKey: keyPair.publicKey });
    expect(await phone.open('hello')).toMatchObject({ screen: 'WELCOME' });
  },
);

/** The one file that `rotate` made. */
const newFile = () => join(directory, readdirSync(directory).find((name) => name.startsWith('key-')) ?? 'none');
const fingerprintIn = (file: string, passphrase = '') =>
  loadSettings({ APP_SECRET: 'x', VERIFY_TOKEN: 'x', PRIVATE_KEY_FILE: file, PASSPHRASE: passphrase }).secrets?.keys[0]
    .fingerprint;

describe('keys rotate', () => {
  test('makes a key, waits for every server at its admin port, gives it to Meta, and says when the old one may go', async () => {
    graph.publicKey = keyPair.publicKey;
    await using one = await serve({ PASSPHRASE: 'correct horse' });
    await using two = await serve({ PASSPHRASE: 'correct horse' });
    const args = ['rotate', '--url', one.adminUrl, '--url', `${two.adminUrl}/`];
    const { code, stdout, stderr } = await keys(args, { PASSPHRASE: 'correct horse' });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(statSync(newFile()).mode & 0o777).toBe(0o600);
    expect(readFileSync(newFile(), 'utf8')).toContain('BEGIN ENCRYPTED PRIVATE KEY');
    const fingerprint = fingerprintIn(newFile(), 'correct horse');
    expect(stdout).toContain(`new key ${fingerprint} in ${newFile()}, encrypted with PASSPHRASE`);
    expect(stdout).toMatch(/waiting, 0 s: 2 of 2 servers do not hold it: http\S+; http\S+\n/);
    expect(stdout).toContain(`held by ${one.adminUrl}, ${two.adminUrl}`);
    expect(stdout).toMatch(/Keep the old key until \d{4}-\d\d-\d\d, in 7 days/);
    expect(stdout).toContain(`  ${own}  rm ${join(directory, 'key.pem')}\n`);
    for (const { adminUrl } of [one, two]) {
      expect(await (await fetch(`${adminUrl}/keys`)).json()).toEqual({ fingerprints: [fingerprint, own] });
    }
    const uploaded = graph.publicKey ?? '';
    const phone = createPhone({ url: one.url, appSecret: APP_SECRET, publicKey: uploaded });
    expect(await phone.open('hello')).toMatchObject({ screen: 'WELCOME' });
    expect(await keys(['status'], { PASSPHRASE: 'correct horse' })).toMatchObject({ code: 0 });
  });

  test('uploads nothing when a server cannot load the key, and takes that away again', async () => {
    graph.publicKey = keyPair.publicKey;
    await using service = await serve(); // without the passphrase that the new key needs
    const args = ['rotate', '--wait', '4', '--url', service.adminUrl];
    const outcome = await keys(args, { PASSPHRASE: 'correct horse' });
    expectSentence(
      outcome,
      /gave up after 4 s: 1 of 1 servers do not hold it: http\S+, where \S+ is encrypted: set PASSPHRASE .*\. Nothing was uploaded; the new key was removed again/,
    );
    expect(readdirSync(directory)).toEqual(['key.pem']); // with the other one there it could not start again
    expect(graph.publicKey).toBe(keyPair.publicKey);
    const phone = createPhone({ url: service.url, appSecret: APP_SECRET, publicKey: keyPair.publicKey });
    expect(await phone.open('hello')).toMatchObject({ screen: 'WELCOME' });
  });

  test('uploads nothing when a server has not heard of the key in time, and says how to go on', async () => {
    graph.publicKey = keyPair.publicKey;
    await using service = await serve();
    const out = temporaryDirectory();
    const outcome = await keys(['rotate', '--wait', '1', '--out', out, '--url', service.adminUrl]);
    const [made = ''] = readdirSync(out);
    const finish = `the new key stays in ${join(out, made)}, finish with: flowgate keys upload --key ${join(out, made)}`;
    expectSentence(outcome, `gave up after 1 s: .*\\. Is ${out} their KEYS_DIR\\? Nothing was uploaded; ${finish}`);
    expect(graph.publicKey).toBe(keyPair.publicKey);
  });

  test('can be finished by keys upload when Meta goes away in the middle', async () => {
    graph.publicKey = keyPair.publicKey;
    await using service = await serve();
    graph.passNext(1);
    graph.failNext(1, { status: 503, code: 2 });
    const outcome = await keys(['rotate', '--url', service.adminUrl]);
    expectSentence(
      outcome,
      /refused to upload the public key: HTTP 503.* The servers hold both keys; .* finish with: /,
    );
    const [, finish = ''] = /finish with: flowgate (.*)/.exec(outcome.stderr) ?? [];
    expect(await run([...finish.split(' '), '--url', service.adminUrl], env())).toMatchObject({ code: 0 });
    expect(await keys(['status'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(fingerprintIn(newFile()) ?? ''),
    });
  });

  test('writes to another directory than the servers read, from where the key is brought to them meanwhile', async () => {
    graph.publicKey = keyPair.publicKey;
    await using service = await serve();
    const out = join(temporaryDirectory(), 'made');
    const rotating = new RunningCommand(['keys', 'rotate', '--out', out, '--url', service.adminUrl], env());
    const [, file = ''] = await rotating.printed(/new key \w+ in (\S+)\n/);
    await rotating.printed(/waiting/);
    writeFileSync(join(directory, 'brought.pem'), readFileSync(file));
    const { code, stdout } = await rotating.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`\n {2}${own}\n`));
    expect(await keys(['status'])).toMatchObject({ code: 0 });
  });

  test('begins nothing without a server, without a directory, or for a number whose key no server holds', async () => {
    expectSentence(
      await keys(['rotate']),
      `no server reports its keys at http://127.0.0.1:${nowhere}: start it, or give`,
    );
    expectSentence(await keys(['rotate'], { KEYS_DIR: '' }), 'say where the servers look for keys: --out');
    expectSentence(
      await keys(['rotate', '--url', `http://127.0.0.1:${nowhere}`]),
      `nothing listens at http://127.0.0.1:${nowhere}`,
    );
    expectSentence(await keys(['rotate', '--url', '127.0.0.1']), 'is not the address of an admin port');
    expectSentence(await keys(['rotate', '--url', graph.url]), 'tells no keys: give --url the admin port');
    await using service = await serve();
    graph.publicKey = otherPair.publicKey;
    const args = ['rotate', '--url', service.adminUrl];
    expectSentence(
      await keys(args),
      `no server holds the key that Meta has for this number, ${other}: is PHONE_NUMBER_ID`,
    );
    graph.publicKey = undefined;
    writeFileSync(join(directory, 'half.pem'), otherPair.privateKey.slice(0, 500));
    await service.reload();
    expectSentence(
      await keys(args),
      `${service.adminUrl} cannot load its keys now, mend that first: \\S+half.pem is cut`,
    );
    rmSync(join(directory, 'half.pem'));
    await service.reload();
    const taken = join(directory, 'taken');
    writeFileSync(taken, '');
    expectSentence(await keys([...args, '--out', taken]), `cannot write a key to ${taken}`);
    expect(readdirSync(directory)).toEqual(['key.pem', 'taken']);
  });

  describe.runIf(hasRedisServer)('with Redis', () => {
    test('waits for every server that reports there', async () => {
      await using redis = await TestRedis.start();
      graph.publicKey = keyPair.publicKey;
      const elsewhere = join(temporaryDirectory(), 'keys');
      mkdirSync(elsewhere);
      writeFileSync(join(elsewhere, 'key.pem'), keyPair.privateKey);
      await using _one = await serve({ REDIS_URL: redis.url });
      await using _two = await serve({ REDIS_URL: redis.url, KEYS_DIR: elsewhere });
      const reports = new RedisKeys({ url: redis.url, clock: systemClock });
      await eventually(async () => expect(await reports.servers()).toHaveLength(2));
      await reports.close();
      const rotating = new RunningCommand(['keys', 'rotate'], { ...env(), REDIS_URL: redis.url });
      await rotating.printed(new RegExp(`1 of 2 servers do not hold it: \\S+/${process.pid}/[0-9a-f]{4}\n`));
      expect(graph.publicKey).toBe(keyPair.publicKey);
      writeFileSync(join(elsewhere, 'new.pem'), readFileSync(newFile()));
      const { code, stdout, stderr } = await rotating.ended;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/held by \S+, \S+\n/);
      expect(await keys(['status'])).toMatchObject({ code: 0 });
    });

    test('begins nothing when Redis is away, or knows no server', async () => {
      await using redis = await TestRedis.start();
      expectSentence(
        await keys(['rotate'], { REDIS_URL: redis.url }),
        'no server reports its keys in Redis \\(REDIS_URL\\)',
      );
      await redis.kill();
      expectSentence(await keys(['rotate'], { REDIS_URL: redis.url }), 'Redis cannot be used now \\(ECONNREFUSED\\)');
      expect(readdirSync(directory)).toEqual(['key.pem']);
    });
  });
});

test('SIGHUP makes serve look at its keys at once, and does not end it', async () => {
  const elsewhere = join(temporaryDirectory(), 'key.pem'); // behind a link that leads away nothing is watched, for a minute
  writeFileSync(elsewhere, otherPair.privateKey);
  symlinkSync(elsewhere, join(directory, 'link.pem'));
  const settings = { APP_SECRET, VERIFY_TOKEN: 'token', KEYS_DIR: directory, WORKERS: '1', HOST: '127.0.0.1' };
  const command = new RunningCommand(['serve', 'examples/booking/app.ts'], { ...settings, PORT: '0', ADMIN_PORT: '0' });
  const [, adminPort] = await command.printed(/"adminPort":(\d+).*flowgate is listening/);
  const held = async () => (await fetch(`http://127.0.0.1:${adminPort}/keys`)).json();
  expect(await held()).toMatchObject({ fingerprints: expect.arrayContaining([own, other]) });
  writeFileSync(elsewhere, makeKeyPair().privateKey);
  command.process.kill('SIGHUP');
  await command.printed(/other private keys serve now/);
  expect(await held()).toMatchObject({ fingerprints: expect.not.arrayContaining([other]) });
  writeFileSync(elsewhere, 'x');
  command.process.kill('SIGHUP');
  await command.printed(/the private keys stay as they are: \S+link\.pem holds no PEM key/);
  await eventually(async () => expect(await held()).toMatchObject({ problem: expect.stringContaining('link.pem') }));
  command.process.kill('SIGTERM');
  expect(await command.ended).toMatchObject({ code: 0, stderr: '' });
  expect(existsSync(elsewhere)).toBe(true);
});
