import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  MAX_RINGS_PER_THREAD,
  type MixedBatch,
  OWN_RING,
  RingOrders,
  toBatch,
} from '../../src/crypto/decrypt-rings.ts';
import type { KeyRing } from '../../src/crypto/keyring.ts';
import { keyPair, toKeyRing } from '../support/keys.ts';

function newRing(): KeyRing {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 512 });
  return [{ privateKey, fingerprint: 'f', name: 'a test', modifiedAtMs: undefined }];
}

const request = (wrappedKey: string, keys?: KeyRing) => ({ wrappedKey, keys });

test('a batch without rings of its own is the plain list of texts', () => {
  expect(toBatch([request('a'), request('b')])).toEqual(['a', 'b']);
});

test('a ring crosses once for all of its requests, and requests without one point to none', () => {
  const [one, other] = [newRing(), newRing()];
  const batch = toBatch([request('a', one), request('b'), request('c', other), request('d', one)]);
  expect(batch).toMatchObject({ wrapped: ['a', 'b', 'c', 'd'], ringOf: [0, OWN_RING, 1, 0], rings: [{}, {}] });
});

test('whatever is mixed, each request finds its own keys, and two rings never share an id', () => {
  const rings = Array.from({ length: 6 }, newRing);
  const mixed = fc.array(fc.option(fc.nat({ max: rings.length - 1 }), { nil: undefined }), { minLength: 1 });
  fc.assert(
    fc.property(mixed, (picks) => {
      const requests = picks.map((pick, i) => request(String(i), pick === undefined ? undefined : rings[pick]));
      const batch = toBatch(requests);
      const isPlain = !('wrapped' in batch);
      expect(isPlain).toBe(requests.every(({ keys }) => keys === undefined));
      if (isPlain) return;
      expect(batch.wrapped).toEqual(requests.map(({ wrappedKey }) => wrappedKey));
      const found = batch.ringOf.map((place) => (place === OWN_RING ? undefined : batch.rings[place]?.privateKeys));
      expect(found.map((keys) => keys?.[0])).toEqual(requests.map(({ keys }) => keys?.[0].privateKey));
      const places = picks.map((pick, i) => `${pick}:${batch.ringOf[i]}`);
      expect(new Set(places).size).toBe(new Set(picks).size); // one place a ring, one ring a place
      expect(new Set(batch.rings.map(({ id }) => id)).size).toBe(batch.rings.length);
    }),
  );
});

test('a ring keeps its id from batch to batch, and one that replaces it has another', () => {
  const [ring, replacement] = [newRing(), newRing()];
  const idOf = (keys: KeyRing) => (toBatch([request('a', keys)]) as MixedBatch).rings[0]?.id;
  expect(idOf(ring)).toBe(idOf(ring));
  expect(idOf(replacement)).not.toBe(idOf(ring));
});

test('a thread remembers the order of the rings used last, and of no more than its limit', () => {
  const orders = new RingOrders();
  const privateKeys = toKeyRing(keyPair).map((key) => key.privateKey);
  const first = orders.of({ id: 1, privateKeys });
  for (let id = 2; id <= MAX_RINGS_PER_THREAD; id++) orders.of({ id, privateKeys });
  expect(orders.size).toBe(MAX_RINGS_PER_THREAD);
  expect(orders.of({ id: 1, privateKeys })).toBe(first); // now the latest used
  const second = orders.of({ id: 2, privateKeys });
  for (let id = 0; id < MAX_RINGS_PER_THREAD - 2; id++) orders.of({ id: 10_000 + id, privateKeys });
  expect(orders.size).toBe(MAX_RINGS_PER_THREAD);
  expect(orders.of({ id: 1, privateKeys })).toBe(first);
  expect(orders.of({ id: 2, privateKeys })).toBe(second);
  orders.of({ id: 99_999, privateKeys });
  orders.of({ id: 99_998, privateKeys });
  expect(orders.size).toBe(MAX_RINGS_PER_THREAD);
  expect(orders.of({ id: 10_000, privateKeys })).toBeDefined();
});
