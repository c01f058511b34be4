import type { Clock } from '../../src/clock.ts';
import { type Facilities, openFacilities } from '../../src/facilities.ts';
import { createMetrics } from '../../src/metrics/registry.ts';
import { recordingLog } from './log.ts';
import { MemoryState } from './memory-state.ts';

/** What handlers reach, over a store in memory. */
export function memoryFacilities(clock: Clock, store = new MemoryState(clock)): Facilities {
  const { log } = recordingLog();
  const options = { redisUrl: undefined, mediaHosts: undefined, flowDeadlineMs: 8_000 };
  return openFacilities({ ...options, store, clock, log, metrics: createMetrics() });
}
