// Proves itself at the start, then dies on the first real batch; the thread that replaces it works.
import { existsSync, writeFileSync } from 'node:fs';
import unwrapBatch from '../../../dist/crypto/decrypt-worker.js';

const diedBefore = process.env.DIES_ONCE_MARKER;
let batches = 0;

export default function run(batch) {
  batches += 1;
  if (batches > 1 && !existsSync(diedBefore)) {
    writeFileSync(diedBefore, '');
    process.exit(1);
  }
  return unwrapBatch(batch);
}
