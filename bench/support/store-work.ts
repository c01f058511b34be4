/** What a store did while something was measured, beside what the server did. */
import type { Figures } from './figures.ts';

export interface StoreWork {
  /** Transactions of the embedded store. */
  readonly commits?: number | undefined;
  /** CPU of Redis. */
  readonly redisCpuMicros?: number | undefined;
}

/** @param before and after, as counted since the start. */
export function workBetween(before: StoreWork, after: StoreWork): StoreWork {
  return {
    commits: difference(before.commits, after.commits),
    redisCpuMicros: difference(before.redisCpuMicros, after.redisCpuMicros),
  };
}

/** @param events stored or settled meanwhile. */
export function storeFigures({ commits, redisCpuMicros }: StoreWork, events: number, seconds: number): Figures {
  return {
    ...(commits !== undefined && { fsyncsPerSec: commits / seconds, eventsPerFsync: events / commits }),
    ...(redisCpuMicros !== undefined && { redisCpuMicros: redisCpuMicros / events }),
  };
}

function difference(before: number | undefined, after: number | undefined): number | undefined {
  return before === undefined || after === undefined ? undefined : after - before;
}
