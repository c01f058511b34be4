import unwrapBatch from '../../../dist/crypto/decrypt-worker.js';

export default function run(batch) {
  if (batch.includes('poison')) process.exit(1);
  return unwrapBatch(batch);
}
