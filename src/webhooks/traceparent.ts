/**
 * Where an item keeps the trace context of whoever stored it.
 *
 * Beside what an event keeps, `traceparent` is free. The payload of a job is the app's own, which may well have a field of
 * that name: there it stands under another one, and is taken away before a schema or a handler sees the payload.
 */
import { isObject, type JsonObject } from '../json.ts';
import type { ClaimedItem } from './inbox.ts';

const OF_JOB = 'flowgate.traceparent';

/** What is not written to JSON field by field (an array, an object with `toJSON`) is left as it is, and has no trace. */
export function withTraceparent(payload: object, traceparent: string): object {
  const isPlain = !Array.isArray(payload) && !('toJSON' in payload);
  return isPlain ? { ...payload, [OF_JOB]: traceparent } : payload;
}

export function withoutTraceparent(payload: JsonObject): JsonObject {
  if (!isObject(payload) || payload[OF_JOB] === undefined) return payload;
  const { [OF_JOB]: _, ...own } = payload;
  return own;
}

export function traceparentOf({ kind, payload }: ClaimedItem): string | undefined {
  const found = isObject(payload) ? payload[kind === 'job' ? OF_JOB : 'traceparent'] : undefined;
  return typeof found === 'string' ? found : undefined;
}
