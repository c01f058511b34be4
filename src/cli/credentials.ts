/** Key pairs and secrets on disk: for `keys generate`, and for development under `.flowgate/`. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CliError, reasonOf } from './cli-error.ts';

export interface KeyFiles {
  readonly privateKeyFile: string;
  readonly publicKeyFile: string;
}

export interface Credentials extends KeyFiles {
  readonly appSecret: string;
  readonly verifyToken: string;
}

const PRIVATE = { mode: 0o600, flag: 'wx' };

export function keyFilesIn(directory: string): KeyFiles {
  return { privateKeyFile: join(directory, 'private.pem'), publicKeyFile: join(directory, 'public.pem') };
}

/**
 * Writes a new RSA-2048 pair: PKCS#8, encrypted when there is a passphrase, readable by its owner only; and SPKI.
 * @throws CliError when a file is there already: a key that Meta knows must not be lost by a slip.
 */
export function generateKeyFiles(directory: string, passphrase: string | undefined): KeyFiles {
  const files = keyFilesIn(directory);
  refuseTaken(Object.values(files));
  const { publicKey, privateKey } = generatePair(passphrase);
  try {
    mkdirSync(directory, { recursive: true });
    writeFileSync(files.privateKeyFile, privateKey, PRIVATE);
    writeFileSync(files.publicKeyFile, publicKey, { flag: 'wx' });
  } catch (error) {
    throw new CliError(`cannot write keys to ${directory}: ${reasonOf(error)}`);
  }
  return files;
}

/**
 * Writes a new private key into a directory that servers may be watching: it appears there whole, under a name that
 * sorts after those of keys made earlier in this way. @throws CliError.
 */
export function addPrivateKey(directory: string, passphrase: string | undefined, nowMs: number): string {
  const [stamp = ''] = new Date(nowMs).toISOString().replaceAll(/[-:]/g, '').split('.');
  const path = join(directory, `key-${stamp}Z.pem`);
  refuseTaken([path]);
  const hidden = join(directory, `.key-${stamp}Z.${randomBytes(4).toString('hex')}`);
  try {
    mkdirSync(directory, { recursive: true });
    writeFileSync(hidden, generatePair(passphrase).privateKey, PRIVATE);
    renameSync(hidden, path);
  } catch (error) {
    throw new CliError(`cannot write a key to ${directory}: ${reasonOf(error)}`);
  }
  return path;
}

function refuseTaken(paths: readonly string[]): void {
  const taken = paths.find((path) => existsSync(path));
  if (taken !== undefined) throw new CliError(`${taken} is there already: move it away, or choose another --out`);
}

function generatePair(passphrase: string | undefined): { publicKey: string; privateKey: string } {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', ...(passphrase && { cipher: 'aes-256-cbc', passphrase }) },
  });
}

/** A key pair, an app secret and a verify token for development, made once and kept in `directory`, which git is told to ignore. */
export function developmentCredentials(directory: string): Credentials {
  const files = keyFilesIn(directory);
  if (!existsSync(files.privateKeyFile)) {
    generateKeyFiles(directory, undefined);
    writeFileSync(join(directory, 'app-secret'), randomBytes(16).toString('hex'), { mode: 0o600 });
    writeFileSync(join(directory, '.gitignore'), '*\n');
  }
  const verifyTokenFile = join(directory, 'verify-token');
  if (!existsSync(verifyTokenFile)) writeFileSync(verifyTokenFile, randomBytes(16).toString('hex'), { mode: 0o600 });
  const verifyToken = readFileSync(verifyTokenFile, 'utf8').trim();
  return { ...files, appSecret: readAppSecret(directory), verifyToken };
}

/** @throws CliError when there is none. */
export function readAppSecret(directory: string): string {
  try {
    return readFileSync(join(directory, 'app-secret'), 'utf8').trim();
  } catch {
    throw new CliError(`no app secret in ${directory}: run "flowgate dev" there first, or set APP_SECRET`);
  }
}
