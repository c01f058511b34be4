/** Flowgate, but each request is a Piscina task of its own: what batches and a queue of our own are worth. */
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { DecryptWorkerData, UnwrappedBatch } from '../../dist/crypto/decrypt-worker.js';
import { BATCHES_PER_WORKER, DEFAULT_NICENESS } from '../../dist/crypto/decrypt-workers.js';
import { serveBooking } from './booking.ts';

await serveBooking(async ({ keys, workers, niceness = DEFAULT_NICENESS }) => {
  const workerData: DecryptWorkerData = { privateKeys: keys.map(({ privateKey }) => privateKey), niceness };
  const piscina = new Piscina<readonly string[], UnwrappedBatch>({
    filename: fileURLToPath(import.meta.resolve('../../dist/crypto/decrypt-worker.js')),
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker: BATCHES_PER_WORKER, // this and what follows as the pool of Flowgate has it
    idleTimeout: Number.POSITIVE_INFINITY,
    recordTiming: false,
    workerData,
  });
  return {
    isSaturated: false,
    async unwrap({ wrappedKey }) {
      const { aesKeys } = await piscina.run([wrappedKey.toString('latin1')]);
      return aesKeys[0] ? Buffer.from(aesKeys[0], 'latin1') : undefined;
    },
    close: () => piscina.destroy(),
  };
});
