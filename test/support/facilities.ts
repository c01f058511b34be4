import type { Clock } from '../../src/clock.ts';
import { type Facilities, openFacilities } from '../../src/facilities.ts';
import { createMetrics } from '../../src/metrics/registry.ts';
import { recordingLog } from './log.ts';
import { MemoryState } from './memory-state.ts';

/** What handlers reach, over a store in memory. */
export function memoryFacilities(clock: Clock, store = new MemoryState(clock)): Facilities {
  const { log } = recordingLog();
  const media = { mediaHosts: undefined, mediaMaxBytes: 26_214_400, mediaTimeoutMs: 60_000 };
  const options = { redisUrl: undefined, flowDeadlineMs: 8_000, ...media };
  return openFacilities({ ...options, store, clock, log, metrics: createMetrics() });
}
