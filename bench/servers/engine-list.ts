/** The ways to unwrap keys that the engines bench compares. */
import { createPublicKey, webcrypto } from 'node:crypto';
import { systemClock } from '../../dist/clock.js';
import { DecryptPool } from '../../dist/crypto/decrypt-pool.js';
import { unwrapAesKey } from '../../dist/crypto/flow-cipher.js';
import type { KeyRing } from '../../dist/crypto/keyring.js';
import { createLog } from '../../dist/log.js';
import { createMetrics } from '../../dist/metrics/registry.js';
import { type WrappedKey, wrapFreshKey } from '../support/credentials.ts';
import { BATCH_CAPS, type EngineName } from '../support/engine-names.ts';
import { startOffload } from './offload.ts';

export interface Engine {
  /** One unwrap. @returns whether the right key came out. */
  unwrap(): Promise<boolean>;
}

export interface EngineOptions {
  readonly keys: KeyRing;
  readonly workers: number;
}

/** Wrapped before anything is measured, and used in turn. */
const WRAPPED_KEYS = 64;
const LIBUV_THREADS = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4);
const OAEP = { name: 'RSA-OAEP', hash: 'SHA-256' };

export function startEngine(name: EngineName, options: EngineOptions): Promise<Engine> {
  if (name === 'inline') return startInline(options);
  if (name === 'webcrypto') return startWebCrypto(options, 1);
  if (name === 'webcryptoCopies') return startWebCrypto(options, LIBUV_THREADS);
  if (name === 'offload') return startOffload(options);
  return startPool(options, BATCH_CAPS[name]);
}

async function startInline({ keys }: EngineOptions): Promise<Engine> {
  const privateKeys = keys.map(({ privateKey }) => privateKey);
  const nextKey = wrappedKeys(keys);
  return {
    async unwrap() {
      const { aesKey, wrapped } = nextKey();
      return unwrapAesKey(wrapped, privateKeys)?.equals(aesKey) === true;
    },
  };
}

async function startPool({ keys, workers }: EngineOptions, maxBatch: number): Promise<Engine> {
  const parts = { clock: systemClock, log: createLog('error'), metrics: createMetrics() };
  const pool = await DecryptPool.start({ keys, workers, maxBatch, ...parts });
  const nextKey = wrappedKeys(keys);
  const isCancelled = () => false;
  return {
    async unwrap() {
      const { aesKey, wrapped } = nextKey();
      const deadlineMs = Number.POSITIVE_INFINITY;
      const unwrapped = await pool.unwrap({ wrappedKey: wrapped, deadlineMs, bytes: wrapped.byteLength, isCancelled });
      return unwrapped?.equals(aesKey) === true;
    },
  };
}

/** Node holds a lock in the key for the whole operation, so that threads wait for each other on one key. */
async function startWebCrypto({ keys }: EngineOptions, copies: number): Promise<Engine> {
  const der = keys[0].privateKey.export({ type: 'pkcs8', format: 'der' });
  const imports = Array.from({ length: copies }, () =>
    webcrypto.subtle.importKey('pkcs8', der, OAEP, false, ['decrypt']),
  );
  const cryptoKeys = await Promise.all(imports);
  const nextKey = wrappedKeys(keys);
  let turn = 0;
  return {
    async unwrap() {
      const { aesKey, wrapped } = nextKey();
      const cryptoKey = cryptoKeys[turn++ % copies] as webcrypto.CryptoKey;
      return Buffer.from(await webcrypto.subtle.decrypt(OAEP, cryptoKey, wrapped)).equals(aesKey);
    },
  };
}

function wrappedKeys(keys: KeyRing): () => WrappedKey {
  const publicKey = createPublicKey(keys[0].privateKey);
  const wrapped = Array.from({ length: WRAPPED_KEYS }, () => wrapFreshKey(publicKey));
  let turn = 0;
  return () => wrapped[turn++ % WRAPPED_KEYS] as WrappedKey;
}
