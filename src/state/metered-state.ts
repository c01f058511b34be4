/** A store whose calls are timed: a slow one is time in which users wait. */
import type { Clock } from '../clock.ts';
import type { AnswerMetrics } from '../metrics/answer-metrics.ts';
import type { StateStore } from './state-store.ts';

export function meteredState(
  store: StateStore,
  { clock, metrics }: { readonly clock: Clock; readonly metrics: Pick<AnswerMetrics, 'stateCall'> },
): StateStore {
  const timed = async <T>(call: Promise<T>): Promise<T> => {
    const startedMs = clock.nowMs();
    try {
      const result = await call;
      metrics.stateCall('ok', clock.nowMs() - startedMs);
      return result;
    } catch (error) {
      metrics.stateCall('failed', clock.nowMs() - startedMs);
      throw error;
    }
  };
  return {
    get: (key) => timed(store.get(key)),
    put: (key, write) => timed(store.put(key, write)),
    delete: (key, ifVersion) => timed(store.delete(key, ifVersion)),
    close: () => store.close(),
  };
}
