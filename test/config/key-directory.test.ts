import { chmodSync, mkdirSync, renameSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { keyFilesIn } from '../../src/config/key-directory.ts';
import { loadSettings } from '../../src/config/settings.ts';
import { MAX_KEYS } from '../../src/crypto/keyring.ts';
import { temporaryDirectory } from '../support/command.ts';
import { keyPair, makeKeyPair, toKeyRing } from '../support/keys.ts';

const older = makeKeyPair();
const [{ fingerprint: newFingerprint }, oldKey] = toKeyRing(keyPair, older);
const oldFingerprint = oldKey?.fingerprint;

/** @param files their text, or with their time in seconds. */
function directoryOf(files: Record<string, string | readonly [text: string, seconds: number]>): string {
  const directory = temporaryDirectory();
  for (const [name, file] of Object.entries(files)) {
    const [text, seconds] = typeof file === 'string' ? [file, 1_000] : file;
    writeFileSync(join(directory, name), text);
    utimesSync(join(directory, name), seconds, seconds);
  }
  return directory;
}

const namesIn = (directory: string) => keyFilesIn(directory).map(({ path }) => basename(path));

describe('the files of a key directory', () => {
  test('are *.pem and *.key, newest first, and by name, descending, among those of one time', () => {
    const directory = directoryOf({
      'b.pem': ['', 2_000],
      'a.key': ['', 3_000],
      'c.pem': ['', 2_000],
      'old.pem': ['', 1_000],
      'notes.txt': ['', 4_000],
      '.hidden.pem': ['', 4_000],
    });
    mkdirSync(join(directory, 'directory.pem'));
    expect(namesIn(directory)).toEqual(['a.key', 'c.pem', 'b.pem', 'old.pem']);
  });

  test('may be links: the file they lead to has the time', () => {
    const elsewhere = directoryOf({ 'real.pem': ['', 5_000] });
    const directory = directoryOf({ 'plain.pem': ['', 4_000] });
    symlinkSync(join(elsewhere, 'real.pem'), join(directory, 'link.pem'));
    expect(keyFilesIn(directory)).toMatchObject([
      { path: join(directory, 'link.pem'), modifiedAtMs: 5_000_000 },
      { path: join(directory, 'plain.pem'), modifiedAtMs: 4_000_000 },
    ]);
  });

  test('have the time of the update in a Kubernetes volume, so that the name decides', () => {
    const volume = temporaryDirectory();
    const update = join(volume, '..2026_11_22_10_00_00.123');
    mkdirSync(update);
    for (const [name, seconds] of [['key-1.pem', 9_000] as const, ['key-2.pem', 8_000] as const]) {
      writeFileSync(join(update, name), '');
      utimesSync(join(update, name), seconds, seconds);
      symlinkSync(join('..data', name), join(volume, name));
    }
    symlinkSync(basename(update), join(volume, '..data'));
    expect(namesIn(volume)).toEqual(['key-2.pem', 'key-1.pem']);
  });
});

const settings = { APP_SECRET: 'secret', VERIFY_TOKEN: 'token' };
const load = (directory: string, env: Record<string, string> = {}) =>
  loadSettings({ ...settings, KEYS_DIR: directory, ...env }).secrets;

describe('KEYS_DIR', () => {
  test('gives its keys, newest first, with their names and times; a public key beside them is passed over', () => {
    const directory = directoryOf({
      'new.pem': [keyPair.privateKey, 2_000],
      'old.pem': [older.privateKey, 1_000],
      'public.pem': [keyPair.publicKey, 3_000],
    });
    expect(load(directory)?.keys).toMatchObject([
      { fingerprint: newFingerprint, name: join(directory, 'new.pem'), modifiedAtMs: 2_000_000 },
      { fingerprint: oldFingerprint, name: join(directory, 'old.pem'), modifiedAtMs: 1_000_000 },
    ]);
  });

  test('is to be watched, and a PASSPHRASE_FILE with it; the source reads it anew', () => {
    const directory = directoryOf({ 'old.pem': older.privateKey });
    const passphraseFile = join(directoryOf({ passphrase: 'x' }), 'passphrase');
    const source = load(directory, { PASSPHRASE_FILE: passphraseFile })?.keySource;
    expect(source?.paths).toEqual([directory, passphraseFile]);
    writeFileSync(join(directory, 'new.pem'), keyPair.privateKey);
    expect(source?.load().map(({ fingerprint }) => fingerprint)).toEqual([newFingerprint, oldFingerprint]);
    writeFileSync(join(directory, 'new.pem'), keyPair.privateKey.slice(0, 300));
    expect(() => source?.load()).toThrow('new.pem is cut short');
  });

  const messageOf = (directory: string) => {
    try {
      load(directory);
    } catch (error) {
      return (error as Error).message;
    }
    return '';
  };
  const half = keyPair.privateKey.slice(0, keyPair.privateKey.length / 2);
  const many = Object.fromEntries(Array.from({ length: MAX_KEYS + 1 }, (_, i) => [`${i}.pem`, keyPair.privateKey]));
  test.each<[string, string, string]>([
    ['that is not there', '/nowhere/keys', 'KEYS_DIR: cannot read /nowhere/keys (ENOENT)'],
    ['that is not in this folder', 'no-such-keys', 'KEYS_DIR: cannot read no-such-keys (ENOENT)'],
    ['that may be a secret', 'c0ffee00c0ffee00', 'KEYS_DIR: cannot read a text of 16 characters (ENOENT)'],
    ['that is a file', join(directoryOf({ 'a.pem': half }), 'a.pem'), '(ENOTDIR)'],
    ['that is empty', directoryOf({ 'readme.txt': 'x' }), 'holds no private key in a file that ends in .pem or .key'],
    ['with public keys alone', directoryOf({ 'public.pem': keyPair.publicKey }), 'holds no private key'],
    ['with a half-written key', directoryOf({ 'a.pem': half, 'b.pem': older.privateKey }), 'a.pem is cut short'],
    ['with a key that is written after another', directoryOf({ 'a.pem': older.privateKey + half }), 'is cut short'],
    ['with an empty file', directoryOf({ 'a.pem': '', 'b.pem': older.privateKey }), 'a.pem holds no PEM key'],
    ['of everything there is', directoryOf(many), `holds ${MAX_KEYS + 1} private keys: at most ${MAX_KEYS} are held`],
  ])('%s is refused with one sentence', (_, directory, sentence) => {
    expect(messageOf(directory)).toContain(sentence);
    expect(messageOf(directory)).not.toContain('; ');
  });

  test('with a link that leads nowhere is refused: the key it stands for may be the one in use', () => {
    const directory = directoryOf({ 'b.pem': older.privateKey });
    symlinkSync('..data/gone.pem', join(directory, 'a.pem'));
    expect(messageOf(directory)).toBe(`KEYS_DIR: cannot read ${join(directory, 'a.pem')} (ENOENT)`);
  });

  test.runIf(process.getuid?.() !== 0)('that may not be read is refused, and so is a file that may not', () => {
    const directory = directoryOf({ 'a.pem': older.privateKey });
    chmodSync(join(directory, 'a.pem'), 0);
    expect(messageOf(directory)).toBe(`KEYS_DIR: cannot read ${join(directory, 'a.pem')} (EACCES)`);
    chmodSync(directory, 0);
    expect(messageOf(directory)).toBe(`KEYS_DIR: cannot read ${directory} (EACCES)`);
    chmodSync(directory, 0o700);
  });

  test('swapped whole by Kubernetes gives the new keys', () => {
    const volume = temporaryDirectory();
    const swapTo = (update: string, privateKey: string) => {
      mkdirSync(join(volume, update));
      writeFileSync(join(volume, update, 'key.pem'), privateKey);
      symlinkSync(update, join(volume, '..data_tmp'));
      renameSync(join(volume, '..data_tmp'), join(volume, '..data'));
    };
    swapTo('..2026_11_22_10_00_00.1', older.privateKey);
    symlinkSync('..data/key.pem', join(volume, 'key.pem'));
    const source = load(volume)?.keySource;
    swapTo('..2026_11_22_11_00_00.2', keyPair.privateKey);
    expect(source?.load()).toMatchObject([{ fingerprint: newFingerprint, name: join(volume, 'key.pem') }]);
  });

  test('and the other two ways to give keys exclude one another', () => {
    const directory = directoryOf({ 'a.pem': older.privateKey });
    const file = join(directory, 'a.pem');
    const refusal = (env: Record<string, string>) => () => loadSettings({ ...settings, ...env });
    expect(refusal({ KEYS_DIR: directory, PRIVATE_KEY_FILE: file })).toThrow(
      /^KEYS_DIR and PRIVATE_KEY_FILE are both set: keep one$/,
    );
    expect(refusal({ KEYS_DIR: directory, PRIVATE_KEY_FILE: file, PRIVATE_KEY: older.privateKey })).toThrow(
      /^KEYS_DIR, PRIVATE_KEY_FILE and PRIVATE_KEY are all set: keep one$/,
    );
    expect(refusal({})).toThrow('(or KEYS_DIR, a directory of them, or PRIVATE_KEY, a PEM). Make one with');
  });
});
