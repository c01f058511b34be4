import { publicEncrypt, randomBytes } from 'node:crypto';
import { beforeEach, expect, test, vi } from 'vitest';
import * as cipher from '../../src/crypto/flow-cipher.ts';
import { OAEP } from '../../src/crypto/flow-cipher.ts';
import { KeyOrder } from '../../src/crypto/key-order.ts';
import { makeKeyPair, toKeyRing } from '../support/keys.ts';

const pairs = { newest: makeKeyPair(), middle: makeKeyPair(), oldest: makeKeyPair() };
type Name = keyof typeof pairs;
const keys = toKeyRing(pairs.newest, pairs.middle, pairs.oldest).map(({ privateKey }) => privateKey);

vi.mock(import('../../src/crypto/flow-cipher.ts'), async (original) => {
  const real = await original();
  return { ...real, unwrapWith: vi.fn(real.unwrapWith) };
});
const tries = vi.mocked(cipher.unwrapWith);
beforeEach(() => {
  tries.mockClear();
});

let order: KeyOrder;
let hits: number[];
beforeEach(() => {
  order = new KeyOrder(keys);
  hits = [0, 0, 0];
});

const wrapped = new Map(
  Object.entries(pairs).map(([name, { publicKey }]) => {
    const aesKey = randomBytes(16);
    return [name, { aesKey, wrappedKey: publicEncrypt({ key: publicKey, ...OAEP }, aesKey) }];
  }),
);

/** Opens that many requests of this key, one after the other. @returns how many keys the last one took. */
function open(name: Name, times = 1): number {
  const { aesKey, wrappedKey } = wrapped.get(name) ?? expect.unreachable();
  for (let i = 0; i < times; i++) {
    tries.mockClear();
    expect(order.unwrap(wrappedKey, hits)).toEqual(aesKey);
  }
  return tries.mock.calls.length;
}

test('tries the newest key first, then the next, until one has opened something', () => {
  expect(open('newest')).toBe(1);
  order = new KeyOrder(keys);
  expect(open('oldest')).toBe(3);
  expect(tries.mock.calls.map(([key]) => key)).toEqual(keys);
});

test('tries first what opened five requests in a row, when there were no others', () => {
  expect(open('oldest', 5)).toBe(3);
  expect(open('oldest')).toBe(1);
  expect(open('newest')).toBe(2);
});

test('a stray request changes nothing', () => {
  open('newest', 60);
  open('oldest');
  expect(open('newest')).toBe(1);
});

test('two crowds of one size, in turn, cost each other every second request, and not every one', () => {
  let tried = 0;
  for (let i = 0; i < 50; i++) tried += open('newest') + open('middle');
  expect(tried).toBeLessThanOrEqual(50 * 3);
});

test('a crowd that changes over takes the order with it, within the last 32 or so', () => {
  open('oldest', 60);
  expect(open('newest', 40)).toBe(1);
  expect(open('oldest')).toBe(2);
  expect(open('middle')).toBe(3);
});

test('counts the hits of each key, newest first, and none for what no key opens', () => {
  open('newest', 3);
  open('oldest', 2);
  expect(order.unwrap(randomBytes(256), hits)).toBeUndefined();
  expect(hits).toEqual([3, 0, 2]);
});
