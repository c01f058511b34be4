/** Key pairs and secrets on disk: for `keys generate`, and for development under `.flowgate/`. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CliError, reasonOf } from './cli-error.ts';

export interface KeyFiles {
  readonly privateKeyFile: string;
  readonly publicKeyFile: string;
}

export interface Credentials extends KeyFiles {
  readonly appSecret: string;
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
  const taken = Object.values(files).find((path) => existsSync(path));
  if (taken) throw new CliError(`${taken} is there already: move it away, or choose another --out`);
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', ...(passphrase && { cipher: 'aes-256-cbc', passphrase }) },
  });
  try {
    mkdirSync(directory, { recursive: true });
    writeFileSync(files.privateKeyFile, privateKey, PRIVATE);
    writeFileSync(files.publicKeyFile, publicKey, { flag: 'wx' });
  } catch (error) {
    throw new CliError(`cannot write keys to ${directory}: ${reasonOf(error)}`);
  }
  return files;
}

/** A key pair and an app secret for development, made once and kept in `directory`, which git is told to ignore. */
export function developmentCredentials(directory: string): Credentials {
  const files = keyFilesIn(directory);
  if (!existsSync(files.privateKeyFile)) {
    generateKeyFiles(directory, undefined);
    writeFileSync(join(directory, 'app-secret'), randomBytes(16).toString('hex'), { mode: 0o600 });
    writeFileSync(join(directory, '.gitignore'), '*\n');
  }
  return { ...files, appSecret: readAppSecret(directory) };
}

/** @throws CliError when there is none. */
export function readAppSecret(directory: string): string {
  try {
    return readFileSync(join(directory, 'app-secret'), 'utf8').trim();
  } catch {
    throw new CliError(`no app secret in ${directory}: run "flowgate dev" there first, or set APP_SECRET`);
  }
}
