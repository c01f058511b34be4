/**
 * What a log line calls a request: the id that the proxy in front gave it, or a short one of our own.
 *
 * It is looked up or made when the first line is written about a request. Most requests have none, and pay nothing.
 */
import { randomBytes } from 'node:crypto';
import type { HttpRequest } from './server.ts';

export type HeaderSource = Pick<HttpRequest, 'header'>;

const HEADER = 'x-request-id';
/** What cannot break a line, a query or a terminal. A header that is anything else, or came twice, is passed over. */
const SAFE_ID = /^[\w.:-]{1,64}$/;
/** Tells the ids of this process from those of others, and of its own former lives. */
const processPrefix = randomBytes(4).toString('hex');
const ids = new WeakMap<HeaderSource, string>();
let made = 0;

/** The same at every call for one request. */
export function requestIdOf(request: HeaderSource): string {
  const known = ids.get(request);
  if (known !== undefined) return known;
  const given = request.header(HEADER);
  const id = given !== undefined && SAFE_ID.test(given) ? given : `${processPrefix}-${(++made).toString(36)}`;
  ids.set(request, id);
  return id;
}
