/** The private keys: which are held, which of them opens requests, how old they are, and whether newer ones cannot be used. */
import { Counter, Gauge, type Registry } from 'prom-client';
import { sampledGauge } from './sampled-gauge.ts';

/** What the metrics tell of one key. */
export interface KeyFacts {
  readonly fingerprint: string;
  /** Since its file was written; undefined for a key given as text. */
  readonly ageMs: number | undefined;
}

/** The keys as they are at a scrape. */
export interface KeysNow {
  /** Newest first. */
  readonly keys: readonly KeyFacts[];
  readonly hasProblem: boolean;
}

export interface KeyMetrics {
  /** Requests opened: one count a fingerprint. */
  keyHits(fingerprints: readonly string[], hits: readonly number[]): void;
  keysFrom(read: () => KeysNow): void;
}

export function createKeyMetrics(registry: Registry): KeyMetrics {
  let read = (): KeysNow => ({ keys: [], hasProblem: false });
  const registers = [registry];
  const counted = new Set<string>();
  const hitsTotal = new Counter({
    name: 'flowgate_key_hits_total',
    help: 'Requests that this private key opened.',
    labelNames: ['fingerprint'],
    registers,
    collect() {
      const held = read().keys.map(({ fingerprint }) => fingerprint);
      for (const fingerprint of counted) {
        if (held.includes(fingerprint)) continue;
        counted.delete(fingerprint);
        this.remove({ fingerprint });
      }
      countHits(held, []); // a key that opens nothing is a 0 that can be seen, not a gap
    },
  });
  const countHits = (fingerprints: readonly string[], hits: readonly number[]) => {
    for (const [index, fingerprint] of fingerprints.entries()) {
      counted.add(fingerprint);
      hitsTotal.inc({ fingerprint }, hits[index] ?? 0);
    }
  };
  new Gauge({
    name: 'flowgate_key_info',
    help: 'A private key that is held (always 1); position 1 is the newest.',
    labelNames: ['fingerprint', 'position'],
    registers,
    collect() {
      this.reset();
      for (const [index, { fingerprint }] of read().keys.entries()) {
        this.set({ fingerprint, position: String(index + 1) }, 1);
      }
    },
  });
  new Gauge({
    name: 'flowgate_key_age_seconds',
    help: 'Since the file of this private key was written; absent for a key given as text.',
    labelNames: ['fingerprint'],
    registers,
    collect() {
      this.reset();
      for (const { fingerprint, ageMs } of read().keys) {
        if (ageMs !== undefined) this.set({ fingerprint }, Math.max(0, ageMs) / 1000);
      }
    },
  });
  sampledGauge(
    registry,
    'flowgate_key_problem',
    '1 while the key files cannot be used and the keys loaded before go on serving.',
  ).collectFrom(() => (read().hasProblem ? 1 : 0));
  return {
    keyHits: countHits,
    keysFrom(source) {
      read = source;
    },
  };
}
