/** The engine that leaves nothing of a request to the main thread but to pass it on, in batches. */
import { createPublicKey, randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { DEFAULT_MAX_BATCH } from '../../dist/crypto/decrypt-pool.js';
import { BATCHES_PER_WORKER } from '../../dist/crypto/decrypt-workers.js';
import { createRequestStream, type LoadRequest } from '../../dist/testing/load.js';
import { BOOKING_PAYLOAD } from '../support/booking-load.ts';
import type { Engine, EngineOptions } from './engine-list.ts';
import type { OffloadData, SignedBody } from './offload-worker.ts';

const REQUESTS = 64;
/** Every so many answers are opened; the others must only be there. */
const CHECK_EVERY = 20;

interface Waiting {
  readonly request: LoadRequest;
  resolve(reply: string): void;
}

export async function startOffload({ keys, workers }: EngineOptions): Promise<Engine> {
  const appSecret = randomBytes(16).toString('hex');
  const workerData: OffloadData = { appSecret, privateKeys: keys.map(({ privateKey }) => privateKey) };
  const piscina = new Piscina<readonly SignedBody[], readonly string[]>({
    filename: fileURLToPath(new URL('./offload-worker.ts', import.meta.url)),
    execArgv: ['--import', 'tsx'],
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker: BATCHES_PER_WORKER,
    idleTimeout: Number.POSITIVE_INFINITY,
    recordTiming: false,
    workerData,
  });
  const publicKey = createPublicKey(keys[0].privateKey).export({ type: 'spki', format: 'pem' }).toString();
  const stream = createRequestStream(BOOKING_PAYLOAD, { publicKey, appSecret });
  const requests = Array.from({ length: REQUESTS }, () => stream.next());
  const queue: Waiting[] = [];
  let batchesInFlight = 0;
  let turn = 0;

  const runBatch = async (batch: readonly Waiting[]) => {
    batchesInFlight += 1;
    const replies = await piscina.run(batch.map(({ request }) => signedBody(request)));
    batchesInFlight -= 1;
    for (const [i, { resolve }] of batch.entries()) resolve(replies[i] ?? '');
    dispatch();
  };
  const dispatch = () => {
    while (queue.length > 0 && batchesInFlight < workers * BATCHES_PER_WORKER) {
      void runBatch(queue.splice(0, Math.min(Math.ceil(queue.length / workers), DEFAULT_MAX_BATCH)));
    }
  };
  return {
    async unwrap() {
      const index = turn++;
      const request = requests[index % REQUESTS] as LoadRequest;
      const answered = new Promise<string>((resolve) => queue.push({ request, resolve }));
      dispatch();
      const reply = await answered;
      return index % CHECK_EVERY === 0 ? request.open(reply)?.screen === BOOKING_PAYLOAD.screen : reply !== '';
    },
  };
}

function signedBody({ body, headers }: LoadRequest): SignedBody {
  return { body, signature: headers['x-hub-signature-256'] };
}
