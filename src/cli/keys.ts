/** `flowgate keys generate | upload | status`: the key pair of an endpoint, here and at Meta. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { graphFromEnv, keysFromEnv, namesKeys, passphraseFromEnv } from '../config/command-settings.ts';
import { fingerprintOf, type HeldKey, loadPrivateKeys } from '../crypto/keyring.ts';
import { createGraphKeys, type GraphKeys, type PublishedKey } from '../graph/keys.ts';
import { CliError, reasonOf } from './cli-error.ts';
import { generateKeyFiles } from './credentials.ts';
import { formatTable } from './format.ts';
import { KeyServers } from './key-servers.ts';

/** Meta signs a key when it is uploaded: how often, and with what pause, to look whether it is there and VALID. */
const READS_AFTER_UPLOAD = 5;
const PAUSE_MS = 1_000;

export function generateKeys({ out }: { out: string }): void {
  const passphrase = passphraseFromEnv();
  const { privateKeyFile, publicKeyFile } = generateKeyFiles(out, passphrase);
  const encryption = passphrase ? 'encrypted with PASSPHRASE' : 'not encrypted: set PASSPHRASE to have it encrypted';
  console.log(`private key  ${privateKeyFile}  (${encryption})\npublic key   ${publicKeyFile}\n`);
  console.log(`Give the server   PRIVATE_KEY_FILE=${privateKeyFile}  (or KEYS_DIR=${out})`);
  console.log('Give Meta         the public key, for each phone number that sends the Flow:');
  console.log(`  GRAPH_TOKEN=... PHONE_NUMBER_ID=... flowgate keys upload --key ${privateKeyFile}`);
}

export interface UploadOptions {
  /** A private key file; by default the newest key of the environment. */
  readonly key?: string;
  /** Of admin ports. */
  readonly url: readonly string[];
  /** Upload what no server holds. */
  readonly force?: boolean;
}

export async function uploadKey({ key: path, url, force = false }: UploadOptions): Promise<void> {
  const graph = graphKeysFromEnv();
  const key = path === undefined ? keysFromEnv()[0] : readKeyFile(path);
  if (!force) await refuseUnheld(key, url, path !== undefined);
  await publish(graph, key);
  console.log(`Meta has the public key of ${key.name}, fingerprint ${key.fingerprint}: VALID.`);
  console.log('Phones use it from their next download on. Each phone number that sends the Flow needs its own upload.');
}

/** Prints Meta's key and ours. Rejects with a CliError when phones cannot be answered with them. */
export async function showKeyStatus(): Promise<void> {
  const graph = graphKeysFromEnv();
  const local = keysFromEnv();
  const published = await graph.readPublicKey();
  if (!published) throw new CliError('Meta has no key for this number: upload one with: flowgate keys upload');
  const fingerprint = publishedFingerprint(published);
  const rows = local.map((key) => [
    'local',
    key.fingerprint,
    key.fingerprint === fingerprint ? "Meta's" : '',
    key.name,
  ]);
  console.log(formatTable([['Meta', fingerprint, published.status, ''], ...rows]));
  if (!local.some((key) => key.fingerprint === fingerprint)) {
    throw new CliError(
      'no local key belongs to the key that Meta has: phones are answered 421. Is PHONE_NUMBER_ID another number?',
    );
  }
  if (published.status !== 'VALID') {
    throw new CliError(`Meta's key is ${published.status}, not VALID: sign it anew with: flowgate keys upload`);
  }
}

/** @throws FlowgateError `SETTINGS_INVALID`, or CliError for a setting that no call could work with. */
export function graphKeysFromEnv(): GraphKeys {
  const settings = graphFromEnv();
  try {
    return createGraphKeys(settings);
  } catch (error) {
    throw new CliError(`of GRAPH_TOKEN, PHONE_NUMBER_ID and GRAPH_BASE_URL one is wrong: ${reasonOf(error)}`);
  }
}

/** Uploads the public half of `key`, and resolves when Meta shows it as VALID. */
export async function publish(graph: GraphKeys, { privateKey, fingerprint }: HeldKey): Promise<void> {
  await graph.uploadPublicKey(publicPemOf(privateKey));
  let shown = 'no key';
  for (let reads = 0; reads < READS_AFTER_UPLOAD; reads++) {
    if (reads > 0) await sleep(PAUSE_MS);
    const published = await graph.readPublicKey();
    const isOurs = published !== undefined && publishedFingerprint(published) === fingerprint;
    if (isOurs && published.status === 'VALID') return;
    if (published) shown = isOurs ? `it as ${published.status}` : 'another key';
  }
  throw new CliError(`Meta took the key, and yet shows ${shown}: see later with: flowgate keys status`);
}

export function publishedFingerprint({ pem }: PublishedKey): string {
  try {
    return fingerprintOf(createPublicKey(pem));
  } catch {
    throw new CliError('the key that Meta has cannot be read: replace it with: flowgate keys upload');
  }
}

/** @throws FlowgateError `SETTINGS_INVALID` for what is no usable key, or CliError for an unreadable file. */
export function readKeyFile(path: string): HeldKey {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new CliError(`cannot read ${path}: ${reasonOf(error)}`);
  }
  return loadPrivateKeys([{ name: path, text }], passphraseFromEnv())[0];
}

function publicPemOf(privateKey: KeyObject): string {
  return createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }) as string;
}

/**
 * A key that a server does not hold would have it answer 421 to everyone. Where no server runs yet, the settings tell
 * which keys it will hold.
 */
async function refuseUnheld(
  { fingerprint, name }: HeldKey,
  urls: readonly string[],
  isFromFile: boolean,
): Promise<void> {
  await using found = await KeyServers.find(urls);
  const servers = await found.read();
  const without = servers.filter((server) => !server.fingerprints.includes(fingerprint));
  const meant = 'Give it to the servers first (flowgate keys rotate does), or add --force';
  if (without.length > 0) {
    const names = without.map((server) => server.name).join(', ');
    throw new CliError(`${name} is not held by ${names}: phones would be answered 421 there. ${meant}`);
  }
  if (servers.length > 0 || !isFromFile || !namesKeys()) return;
  if (keysFromEnv().some((key) => key.fingerprint === fingerprint)) return;
  throw new CliError(`${name} is none of the keys that the settings name: phones would be answered 421. ${meant}`);
}
