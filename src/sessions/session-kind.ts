/** What the sessions of a Flow hold, and for how long. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { type Duration, toMs } from '../duration.ts';
import { isObject, type JsonObject } from '../json.ts';
import { DEFAULT_SESSION_TTL, MAX_SESSION_TTL } from './session.ts';

export interface SessionKind<T = unknown> {
  readonly schema: StandardSchemaV1<unknown, T>;
  readonly ttlMs: number;
}

/** @throws TypeError for a length of time beyond 30 days. */
export function sessionKind(schema: StandardSchemaV1, ttl: Duration = DEFAULT_SESSION_TTL): SessionKind {
  return { schema, ttlMs: toMs('ttl', ttl, MAX_SESSION_TTL) };
}

/** For Flows that do not say: any JSON object. */
const anyObject: StandardSchemaV1<JsonObject> = {
  '~standard': {
    version: 1,
    vendor: 'flowgate',
    validate: (value) => (isObject(value) ? { value } : { issues: [{ message: 'a session is an object' }] }),
  },
};

export const ANY_SESSION: SessionKind = sessionKind(anyObject);
