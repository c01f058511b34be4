import { expect, test } from 'vitest';
import { TokenBucket } from '../../src/tenants/token-bucket.ts';
import { FakeClock } from '../support/fake-clock.ts';

function drain(bucket: TokenBucket): number {
  let taken = 0;
  while (bucket.take()) taken += 1;
  return taken;
}

test('gives its capacity at once, then as many a second as it is told, and never more than its capacity', () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket({ capacity: 5, perSecond: 2 }, clock);
  expect(drain(bucket)).toBe(5);
  clock.advance(499);
  expect(drain(bucket)).toBe(0);
  clock.advance(1);
  expect(drain(bucket)).toBe(1);
  clock.advance(1_000);
  expect(drain(bucket)).toBe(2);
  clock.advance(3_600_000);
  expect(drain(bucket)).toBe(5);
});

test('takes back what was not needed, up to its capacity', () => {
  const bucket = new TokenBucket({ capacity: 2, perSecond: 1 }, new FakeClock());
  bucket.giveBack();
  expect(drain(bucket)).toBe(2);
  bucket.giveBack();
  expect(drain(bucket)).toBe(1);
});
