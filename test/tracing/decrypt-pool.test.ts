import { constants, publicEncrypt, randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { DecryptPool, type DecryptPoolOptions } from '../../src/crypto/decrypt-pool.ts';
import { createMetrics } from '../../src/metrics/registry.ts';
import type { UnwrapTrace } from '../../src/tracing/tracing.ts';
import { keyPair, toKeyRing } from '../support/keys.ts';
import { silentLog } from '../support/log.ts';

const OAEP = { key: keyPair.publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };

/** What the pool told of one request. */
class Told implements UnwrapTrace {
  readonly events: string[] = [];
  times: readonly number[] = [];

  unwrapped(enqueuedAtMs: number, startedMs: number, endedMs: number, batchSize: number): void {
    this.#tell(`unwrapped in a batch of ${batchSize}`, enqueuedAtMs, startedMs, endedMs);
  }
  unwrapFailed(enqueuedAtMs: number, startedMs: number, endedMs: number): void {
    this.#tell('failed', enqueuedAtMs, startedMs, endedMs);
  }
  dropped(enqueuedAtMs: number, droppedMs: number, reason: string): void {
    this.#tell(reason, enqueuedAtMs, droppedMs);
  }
  #tell(event: string, ...times: readonly number[]): void {
    this.events.push(event);
    this.times = times;
  }
}

async function tellOf(
  request: { wrappedKey?: Buffer; deadlineMs?: number; isCancelled?: () => boolean },
  options: Partial<DecryptPoolOptions> = {},
): Promise<Told> {
  const parts = { keys: toKeyRing(keyPair), workers: 1, clock: systemClock, log: silentLog, metrics: createMetrics() };
  const pool = await DecryptPool.start({ ...parts, ...options });
  const trace = new Told();
  const beforeMs = systemClock.nowMs();
  const defaults = {
    wrappedKey: publicEncrypt(OAEP, randomBytes(16)),
    deadlineMs: beforeMs + 20_000,
    isCancelled: () => false,
  };
  await pool.unwrap({ ...defaults, ...request, bytes: 1_000, trace }).catch(() => {});
  const times = [beforeMs, ...trace.times, systemClock.nowMs()];
  await pool.close();
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  return trace;
}

test('a request that is unwrapped is told once, with its times', async () => {
  const { events, times } = await tellOf({});
  expect(events).toEqual(['unwrapped in a batch of 1']);
  expect(times).toHaveLength(3);
});

test('so is one that no key opens', async () => {
  expect((await tellOf({ wrappedKey: randomBytes(256) })).events).toEqual(['unwrapped in a batch of 1']);
});

test('a request that is dropped from the queue is told with the reason', async () => {
  expect((await tellOf({ deadlineMs: 0 })).events).toEqual(['expired']);
  expect((await tellOf({ isCancelled: () => true })).events).toEqual(['cancelled']);
});

test('a request that two workers died on is told as failed', async () => {
  const workerFile = fileURLToPath(new URL('../support/workers/dies-on-poison.js', import.meta.url));
  expect((await tellOf({ wrappedKey: Buffer.from('poison') }, { workerFile })).events).toEqual(['failed']);
});
