/** The private keys as the settings name them: a directory, a list of files, or the text itself. */
import { statSync } from 'node:fs';
import { type KeyRing, loadPrivateKeys, MAX_KEYS, type PrivateKeySource } from '../crypto/keyring.ts';
import { FlowgateError } from '../errors.ts';
import { type EnvReader, listOf, quotePath } from './env.ts';
import { type KeyFile, keyFilesIn } from './key-directory.ts';

/** One of these names the keys. */
export const KEY_SETTINGS = ['KEYS_DIR', 'PRIVATE_KEY_FILE', 'PRIVATE_KEY'] as const;
/** Of a directory in the one it is started in. What is longer, and no path either, may be a secret. */
const SHORT_NAME = /^[\w-]{1,12}$/;

/** Where the keys came from, and will come from when they change. */
export interface KeySource {
  /** Files and directories to watch; none for keys given as text. */
  readonly paths: readonly string[];
  /** Reads the keys anew. @throws FlowgateError `SETTINGS_INVALID`, as at the start, for keys that cannot be used. */
  load(): KeyRing;
}

export interface LoadedKeys {
  readonly keys: KeyRing;
  readonly keySource: KeySource;
}

/** @returns undefined only when a mistake was noted. */
export function readKeys(read: EnvReader): LoadedKeys | undefined {
  const keys = loadKeys(read);
  if (!keys) return undefined;
  const load = () => {
    const again = read.again();
    const loaded = loadKeys(again);
    again.throwIfInvalid();
    return loaded ?? again.refuse();
  };
  return { keys, keySource: { paths: watchedPaths(read), load } };
}

function loadKeys(read: EnvReader): KeyRing | undefined {
  const sources = readSources(read);
  const passphrase = read.secret('PASSPHRASE');
  if (sources.length === 0) return undefined;
  try {
    return loadPrivateKeys(sources, passphrase);
  } catch (error) {
    if (!(error instanceof FlowgateError)) throw error;
    read.mistake(error.message);
    return undefined;
  }
}

function watchedPaths(read: EnvReader): string[] {
  const directory = read.string('KEYS_DIR');
  const paths = directory === undefined ? listOf(read.string('PRIVATE_KEY_FILE')) : [directory];
  const passphraseFile = read.string('PASSPHRASE_FILE');
  return paths.length > 0 && passphraseFile !== undefined ? [...paths, passphraseFile] : paths;
}

/** @returns nothing only when a mistake was noted. */
function readSources(read: EnvReader): PrivateKeySource[] {
  const directory = read.string('KEYS_DIR');
  const paths = listOf(read.string('PRIVATE_KEY_FILE'));
  const inline = read.string('PRIVATE_KEY');
  const given = KEY_SETTINGS.filter((name) => read.string(name) !== undefined);
  if (given.length > 1) {
    const names = `${given.slice(0, -1).join(', ')} and ${given.at(-1)}`;
    read.mistake(`${names} are ${given.length === 2 ? 'both' : 'all'} set: keep one`);
  }
  if (inline !== undefined) return [{ name: 'PRIVATE_KEY', text: inline }];
  if (directory !== undefined) return readDirectory(read, directory);
  if (paths.length === 0) {
    const others = 'KEYS_DIR, a directory of them, or PRIVATE_KEY, a PEM';
    const why = `PRIVATE_KEY_FILE is required: the RSA key whose public half Meta holds (or ${others})`;
    read.mistake(`${why}. Make one with: flowgate keys generate`);
  }
  return paths.flatMap((path) => {
    const text = read.file('PRIVATE_KEY_FILE', path);
    return text === undefined
      ? []
      : [{ name: path, text, modifiedAtMs: statSync(path, { throwIfNoEntry: false })?.mtimeMs }];
  });
}

/** What holds a public key alone is passed over: `keys generate` writes one beside the private key. */
function readDirectory(read: EnvReader, directory: string): PrivateKeySource[] {
  const files = listKeyFiles(read, directory);
  const sources: PrivateKeySource[] = [];
  let isReadable = files !== undefined;
  for (const { path, modifiedAtMs } of files ?? []) {
    const text = read.file('KEYS_DIR', path);
    if (text === undefined) isReadable = false;
    else if (!isPublicKey(text)) sources.push({ name: path, text, modifiedAtMs });
  }
  if (sources.length > MAX_KEYS) {
    read.mistake(`KEYS_DIR: ${directory} holds ${sources.length} private keys: at most ${MAX_KEYS} are held`);
    return [];
  }
  if (sources.length === 0 && isReadable)
    read.mistake(`KEYS_DIR: ${directory} holds no private key in a file that ends in .pem or .key`);
  return sources;
}

/** @returns undefined when a mistake was noted. */
function listKeyFiles(read: EnvReader, directory: string): KeyFile[] | undefined {
  try {
    return keyFilesIn(directory);
  } catch (error) {
    const { code = 'unknown reason', path = directory } = error as NodeJS.ErrnoException;
    const shown = SHORT_NAME.test(path) ? path : quotePath(path);
    read.mistake(`KEYS_DIR: cannot read ${shown} (${code})`);
    return undefined;
  }
}

function isPublicKey(text: string): boolean {
  return /^-----BEGIN (?:RSA )?PUBLIC KEY-----/.test(text) && !text.includes('PRIVATE KEY-----');
}
