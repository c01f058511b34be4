/** Flowgate, but RSA runs on the main thread, as in most servers: what the worker pool is worth. */
import { unwrapAesKey } from '../../dist/crypto/flow-cipher.js';
import { serveBooking } from './booking.ts';

await serveBooking(async ({ keys }) => {
  const privateKeys = keys.map(({ privateKey }) => privateKey);
  return {
    isSaturated: false,
    unwrap: async ({ wrappedKey }) => unwrapAesKey(wrappedKey, privateKeys),
    close: async () => {},
  };
}, 'no workers');
