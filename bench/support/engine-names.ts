/** The engines of the engines bench, in the order of its table. */

/** Requests that cross to a worker together, at most. */
export const BATCH_CAPS = { pool1: 1, pool2: 2, pool4: 4, pool8: 8, pool16: 16, pool32: 32, pool64: 64 } as const;

export const ENGINE_LABELS = {
  inline: 'privateDecrypt on the main thread',
  pool1: 'pool, batches of 1',
  pool2: 'pool, batches of up to 2',
  pool4: 'pool, batches of up to 4',
  pool8: 'pool, batches of up to 8',
  pool16: 'pool, batches of up to 16',
  pool32: 'pool, batches of up to 32',
  pool64: 'pool, batches of up to 64',
  webcrypto: 'WebCrypto, one key',
  webcryptoCopies: 'WebCrypto, a copy of the key for each libuv thread',
  offload: 'the whole request in a worker, batches of up to 16',
} as const;

export type EngineName = keyof typeof ENGINE_LABELS;
