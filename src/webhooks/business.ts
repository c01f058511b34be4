/**
 * Whose a job is: kept around its payload, for what it sends is sent as whoever deferred it.
 *
 * A payload is the app's own, and may well hold what a user sent. So one that has our field itself is wrapped as well,
 * and only the outermost wrapping is ever read: nobody can name a business in a payload.
 */
import { isObject, type JsonObject } from '../json.ts';
import type { Business } from '../tenants/sender.ts';

const BUSINESS = 'flowgate.business';
const PAYLOAD = 'flowgate.payload';

export interface OwnedPayload {
  /** Undefined: the settings' own. */
  readonly business: Business | undefined;
  readonly payload: JsonObject;
}

/** One of the settings' own business stands as it is, unless it has our field, or may have it once it is JSON. */
export function withBusiness(payload: object, business: Business | undefined): object {
  const isPlain = !(BUSINESS in payload) && !('toJSON' in payload);
  return business || !isPlain ? { [BUSINESS]: business ?? null, [PAYLOAD]: payload } : payload;
}

/** @param stored as `withBusiness` made it, and JSON since. */
export function withoutBusiness(stored: JsonObject): OwnedPayload {
  const { [BUSINESS]: business, [PAYLOAD]: payload = {} } = isObject(stored) ? stored : {};
  if (business === undefined) return { business: undefined, payload: stored };
  return { business: (business as Business | null) ?? undefined, payload: payload as JsonObject };
}
