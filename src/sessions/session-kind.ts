/** What the sessions of a Flow hold, and for how long; and one of them. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { type Duration, toMs } from '../duration.ts';
import { isObject, type JsonObject } from '../json.ts';
import { createSession, DEFAULT_SESSION_TTL, MAX_SESSION_TTL, type Session, type SessionInput } from './session.ts';

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

/** As a handler has it, whatever its Flow says that it holds: the author's types tell. @param of.scope see `scopeOf`. */
export function openSession(
  kind: SessionKind,
  { scope: flow, ...of }: Pick<SessionInput<JsonObject>, 'state' | 'token' | 'request'> & { readonly scope: string },
): Session<JsonObject> {
  const { schema, ttlMs } = kind as SessionKind<JsonObject>;
  return createSession({ ...of, flow, schema, ttlMs });
}
