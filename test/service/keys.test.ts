/** The private keys of a running service: added, removed and damaged on the disk, while phones go on. */
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createApp } from '../../src/index.ts';
import { createPhone } from '../../src/testing/index.ts';
import { createRequestStream } from '../../src/testing/load.ts';
import { temporaryDirectory } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { httpServers } from '../support/http-servers.ts';
import { makeKeyPair, keyPair as oldPair, type TestKeyPair, toKeyRing } from '../support/keys.ts';
import { recordingLog } from '../support/log.ts';
import { APP_SECRET, startTestService } from '../support/service.ts';

const newPair = makeKeyPair();
const [oldKey, newKey] = [oldPair, newPair].map((pair) => toKeyRing(pair)[0].fingerprint);
const PHONES = 8;

const app = () => {
  const started = createApp();
  started.flow('hello').init((c) => c.screen('WELCOME', {}));
  return started;
};

async function serve(settings: Record<string, string>) {
  const { log, lines } = recordingLog();
  const service = await startTestService(app(), settings, log);
  const keys = async () => (await fetch(`${service.adminUrl}/keys`)).json() as Promise<Record<string, unknown>>;
  const keysAre = (...fingerprints: unknown[]) =>
    eventually(async () => expect(await keys()).toEqual({ fingerprints }));
  return { ...service, lines, keys, keysAre };
}

/** People who open the Flow again and again, and what each of their requests was answered. */
class Crowd {
  readonly statuses: number[] = [];
  /** Those of requests that began since `mark` was called. */
  recent: number[] = [];
  #isOver = false;
  readonly #people: Promise<void>[];

  constructor(url: string, { publicKey }: TestKeyPair) {
    const stream = createRequestStream(
      { version: '3.0', action: 'INIT', flow_token: 't' },
      { publicKey, appSecret: APP_SECRET },
    );
    const ask = async () => {
      while (!this.#isOver) {
        const { recent } = this;
        const request = stream.next();
        const response = await fetch(`${url}/flows/hello`, { method: 'POST', ...request });
        const text = await response.text();
        if (response.ok) expect(request.open(text)).toMatchObject({ screen: 'WELCOME' });
        this.statuses.push(response.status);
        recent.push(response.status);
      }
    };
    this.#people = Array.from({ length: PHONES }, ask);
  }

  mark(): void {
    this.recent = [];
  }

  /** Resolves when so many more requests are answered. */
  async answered(count: number): Promise<void> {
    const until = this.recent.length + count;
    await eventually(() => expect(this.recent.length).toBeGreaterThanOrEqual(until));
  }

  async leave(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#people);
  }
}

const kindsOf = (statuses: readonly number[]) => [...new Set(statuses)].sort();

describe.each(httpServers)('on %s', (httpServer) => {
  test('a rotation under load fails nobody while both keys are held; then the old key is answered 421', async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'key-1.pem'), oldPair.privateKey);
    const service = await serve({ HTTP_SERVER: httpServer, KEYS_DIR: directory });
    const oldPhones = new Crowd(service.url, oldPair);
    await oldPhones.answered(50);
    writeFileSync(join(directory, 'key-2.pem'), newPair.privateKey);
    await service.keysAre(newKey, oldKey);
    const newPhones = new Crowd(service.url, newPair);
    await Promise.all([oldPhones.answered(100), newPhones.answered(100)]);
    expect(kindsOf([...oldPhones.statuses, ...newPhones.statuses])).toEqual([200]);

    rmSync(join(directory, 'key-1.pem'));
    await service.keysAre(newKey);
    oldPhones.mark();
    newPhones.mark();
    await Promise.all([oldPhones.answered(50), newPhones.answered(50)]);
    await Promise.all([oldPhones.leave(), newPhones.leave()]);
    expect({ old: kindsOf(oldPhones.recent), new: kindsOf(newPhones.statuses) }).toEqual({ old: [421], new: [200] });
    expect(kindsOf(oldPhones.statuses)).toEqual([200, 421]);
    expect(service.lines.filter(({ msg }) => msg === 'other private keys serve now')).toHaveLength(2);
    await service.close();
  });
});

test('a phone with the old key is answered again by itself, once it has fetched the new one', async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'new.pem'), newPair.privateKey);
  const service = await serve({ KEYS_DIR: directory });
  const known = [oldPair.publicKey, newPair.publicKey];
  const publicKey = () => known.shift() ?? '';
  const phone = createPhone({ url: service.url, appSecret: APP_SECRET, publicKey }, { retryDelayMs: 0 });
  expect(await phone.open('hello')).toMatchObject({ screen: 'WELCOME' });
  expect(known).toEqual([]);
  await service.close();
});

test('a key that is being written is not used and harms nobody, until it is complete', async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'old.pem'), oldPair.privateKey);
  const service = await serve({ KEYS_DIR: directory });
  const phones = new Crowd(service.url, oldPair);
  const file = join(directory, 'new.pem');
  writeFileSync(file, newPair.privateKey.slice(0, 900));
  const problem = `${file} is cut short: a PEM block in it begins and does not end`;
  await eventually(async () => expect(await service.keys()).toEqual({ fingerprints: [oldKey], problem }));
  expect(await (await fetch(`${service.adminUrl}/metrics`)).text()).toContain('flowgate_key_problem 1');
  await service.reload();
  expect(service.lines.filter(({ level }) => level === 50)).toMatchObject([
    { code: 'SETTINGS_INVALID', msg: `the private keys stay as they are: ${problem}` },
  ]);
  writeFileSync(file, newPair.privateKey);
  await service.keysAre(newKey, oldKey);
  await phones.answered(20);
  await phones.leave();
  expect(kindsOf(phones.statuses)).toEqual([200]);
  await service.close();
});

test('without a single usable key left, those that served go on serving', async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'key.pem'), oldPair.privateKey);
  const service = await serve({ KEYS_DIR: directory });
  rmSync(directory, { recursive: true });
  const problem = `KEYS_DIR: cannot read ${directory} (ENOENT)`;
  await eventually(async () => expect(await service.keys()).toEqual({ fingerprints: [oldKey], problem }));
  const phone = createPhone({ url: service.url, appSecret: APP_SECRET, publicKey: oldPair.publicKey });
  expect(await phone.open('hello')).toMatchObject({ screen: 'WELCOME' });
  mkdirSync(directory);
  writeFileSync(join(directory, 'key.pem'), oldPair.privateKey);
  await service.keysAre(oldKey);
  await service.close();
});

test('the keys of a Kubernetes volume are swapped with its link', async () => {
  const volume = temporaryDirectory();
  const update = (name: string, files: Record<string, string>) => {
    mkdirSync(join(volume, name));
    for (const [file, text] of Object.entries(files)) writeFileSync(join(volume, name, file), text);
    symlinkSync(name, join(volume, '..data_tmp'));
    renameSync(join(volume, '..data_tmp'), join(volume, '..data'));
  };
  update('..2026_11_22_10_00_00.1', { 'key-1.pem': oldPair.privateKey });
  symlinkSync('..data/key-1.pem', join(volume, 'key-1.pem'));
  const service = await serve({ KEYS_DIR: volume });
  update('..2026_11_22_11_00_00.2', { 'key-2.pem': newPair.privateKey, 'key-1.pem': oldPair.privateKey });
  symlinkSync('..data/key-2.pem', join(volume, 'key-2.pem'));
  rmSync(join(volume, '..2026_11_22_10_00_00.1'), { recursive: true });
  await service.keysAre(newKey, oldKey);
  update('..2026_11_22_12_00_00.3', { 'key-2.pem': newPair.privateKey });
  rmSync(join(volume, 'key-1.pem'));
  await service.keysAre(newKey);
  await service.close();
});

test('the files of PRIVATE_KEY_FILE are watched too, in their order', async () => {
  const directory = temporaryDirectory();
  const files = ['new.pem', 'old.pem'].map((name) => join(directory, name)) as [string, string];
  for (const file of files) writeFileSync(file, oldPair.privateKey);
  const service = await serve({ PRIVATE_KEY_FILE: files.join(',') });
  expect(await service.keys()).toEqual({ fingerprints: [oldKey] });
  writeFileSync(`${files[0]}.tmp`, newPair.privateKey);
  renameSync(`${files[0]}.tmp`, files[0]);
  await service.keysAre(newKey, oldKey);
  await service.close();
});

test('metrics count which key opens what, and tell the age of a file but not of a text', async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'key.pem'), oldPair.privateKey);
  const fromFile = await serve({ KEYS_DIR: directory });
  await createPhone({ url: fromFile.url, appSecret: APP_SECRET, publicKey: oldPair.publicKey }).open('hello');
  const metrics = await (await fetch(`${fromFile.adminUrl}/metrics`)).text();
  expect(metrics).toContain(`flowgate_key_hits_total{fingerprint="${oldKey}"} 1`);
  expect(metrics).toContain(`flowgate_key_info{fingerprint="${oldKey}",position="1"} 1`);
  expect(metrics).toMatch(new RegExp(`^flowgate_key_age_seconds\\{fingerprint="${oldKey}"\\} \\d`, 'm'));
  await fromFile.close();
  const fromText = await serve({ PRIVATE_KEY: readFileSync(join(directory, 'key.pem'), 'utf8') });
  const others = await (await fetch(`${fromText.adminUrl}/metrics`)).text();
  expect(others).toContain(`flowgate_key_info{fingerprint="${oldKey}",position="1"} 1`);
  expect(others).not.toContain('flowgate_key_age_seconds{');
  await fromText.close();
});

test('GET /keys is no public path, and tells fingerprints alone', async () => {
  const service = await serve({});
  expect((await fetch(`${service.url}/keys`)).status).toBe(404);
  const response = await fetch(`${service.adminUrl}/keys`);
  expect(Object.fromEntries(response.headers)).toMatchObject({ 'cache-control': 'no-store' });
  expect(await response.json()).toEqual({ fingerprints: [oldKey] });
  await service.close();
});
