/**
 * `flowgate keys rotate`: a new key, given to Meta only when every server holds it.
 *
 * Whatever goes wrong on the way, Meta keeps the key it had and the servers hold it: nobody is answered 421.
 */
import { rmSync } from 'node:fs';
import { keysDirFromEnv, keysFromEnv, passphraseFromEnv } from '../config/command-settings.ts';
import { withOverrides } from '../config/settings.ts';
import type { HeldKey } from '../crypto/keyring.ts';
import type { ServerKeys } from '../stores/redis-keys.ts';
import { CliError, reasonOf } from './cli-error.ts';
import { addPrivateKey } from './credentials.ts';
import { KeyServers } from './key-servers.ts';
import { graphKeysFromEnv, publish, publishedFingerprint, readKeyFile } from './keys.ts';

/** Meta does not say how long a phone keeps a key; a Flow token should live for two or three days. */
const KEEP_OLD_DAYS = 7;

export interface RotateOptions {
  /** The servers' `KEYS_DIR`, or a place from where the key is brought to it. */
  readonly out?: string;
  /** Of admin ports. */
  readonly url: readonly string[];
  /** Seconds. */
  readonly wait: number;
}

export async function rotateKeys({ out, url, wait }: RotateOptions): Promise<void> {
  const directory = out ?? keysDirFromEnv();
  if (directory === undefined)
    throw new CliError('say where the servers look for keys: --out <directory>, or KEYS_DIR');
  const passphrase = passphraseFromEnv();
  const graph = graphKeysFromEnv();
  await using found = await KeyServers.find(url);
  const servers = await found.read();
  const published = await graph.readPublicKey(); // finds out about token and number before anything is changed
  refuseStrangers(servers, found.place, published && publishedFingerprint(published));

  const key = readKeyFile(addPrivateKey(directory, passphrase, Date.now()));
  console.log(
    `new key ${key.fingerprint} in ${key.name}${passphrase === undefined ? '' : ', encrypted with PASSPHRASE'}`,
  );
  const { servers: holders, missing, hasProblem } = await found.waitFor(key.fingerprint, wait * 1_000, console.log);
  if (missing !== undefined) {
    // What a server cannot load would keep it from starting again.
    if (hasProblem) rmSync(key.name, { force: true });
    const rest = hasProblem ? 'the new key was removed again' : finishWith(key);
    const hint = hasProblem ? '' : ` Is ${directory} their KEYS_DIR?`;
    throw new CliError(`gave up after ${wait} s: ${missing}.${hint} Nothing was uploaded; ${rest}`);
  }
  console.log(`held by ${holders.map(({ name }) => name).join(', ')}`);
  try {
    await publish(graph, key);
  } catch (error) {
    throw new CliError(`${reasonOf(error)}. The servers hold both keys; ${finishWith(key)}`);
  }
  console.log('Meta has the new public key: VALID.\n');
  console.log(whatNow(key, oldKeys(servers, directory, key), Date.now()));
}

function finishWith({ name }: HeldKey): string {
  return `the new key stays in ${name}, finish with: flowgate keys upload --key ${name}`;
}

/** @throws CliError when there is nobody to wait for, nobody would load the key, or the number is not theirs. */
function refuseStrangers(servers: readonly ServerKeys[], place: string, published: string | undefined): void {
  if (servers.length === 0) {
    throw new CliError(`no server reports its keys ${place}: start it, or give its admin port with --url`);
  }
  const troubled = servers.find(({ problem }) => problem !== undefined);
  if (troubled) throw new CliError(`${troubled.name} cannot load its keys now, mend that first: ${troubled.problem}`);
  const isTheirs = servers.some(({ fingerprints }) => published === undefined || fingerprints.includes(published));
  if (isTheirs) return;
  throw new CliError(
    `no server holds the key that Meta has for this number, ${published}: is PHONE_NUMBER_ID another number?`,
  );
}

interface OldKey {
  readonly fingerprint: string;
  /** Its file, where that is known. */
  readonly name: string | undefined;
}

function oldKeys(servers: readonly ServerKeys[], directory: string, newKey: HeldKey): OldKey[] {
  const names = new Map<string, string>();
  try {
    for (const { fingerprint, name } of keysFromEnv(withOverrides({ KEYS_DIR: directory })))
      names.set(fingerprint, name);
  } catch {
    // The directory is not the servers' own, or a file in it is of no use: they told what they hold.
  }
  const held = new Set([...servers.flatMap(({ fingerprints }) => fingerprints), ...names.keys()]);
  held.delete(newKey.fingerprint);
  return [...held].map((fingerprint) => ({ fingerprint, name: names.get(fingerprint) }));
}

function whatNow({ fingerprint, name: file }: HeldKey, old: readonly OldKey[], nowMs: number): string {
  const until = new Date(nowMs + KEEP_OLD_DAYS * 86_400_000).toISOString().slice(0, 10);
  const keys = old.map(({ fingerprint: key, name }) => `  ${key}  ${name === undefined ? '' : `rm ${name}`}`.trimEnd());
  return `Keep the old key until ${until}, in ${KEEP_OLD_DAYS} days: phones go on with the public key they have, and so do Flows that are
open or waiting in a chat. While both are held, all of them are answered.
Then, once flowgate_key_hits_total of the old key stands still, take it away from the servers; they notice by themselves:
${keys.join('\n')}
A phone that still has the old key is then answered 421, downloads ${fingerprint} and tries again by itself.
If these servers answer for other phone numbers too, give each of them the new key before that:
  PHONE_NUMBER_ID=... flowgate keys upload --key ${file}`;
}
