/**
 * Who may use the playground: a page that this server served, in a browser on this machine.
 *
 * A name under somebody else's control may come to mean this machine (DNS rebinding), and a browser then takes their page
 * for ours: so the name that was called counts. A POST must carry a header that other pages cannot send without a
 * preflight, which nothing here grants.
 */
import { isIP } from 'node:net';
import type { HttpRequest } from '../http/server.ts';
import { ApiError } from './api-error.ts';

const HOST = /^(?:\[([\da-f:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/i;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/;

/** @throws ApiError 403. @param adminHost the address that the admin port listens on. */
export function checkAccess(request: HttpRequest, adminHost: string): void {
  if (!isOwnHost(request.header('host'), adminHost)) {
    throw new ApiError(403, 'open the playground at the address that flowgate dev printed');
  }
  if (request.method === 'POST' && request.header('x-playground') !== '1') {
    throw new ApiError(403, 'a POST must carry the header X-Playground: 1');
  }
}

/** An address cannot be made to mean another machine: where all are listened on, each is fine. */
export function isOwnHost(host: string | undefined, adminHost: string): boolean {
  const [, address, name] = HOST.exec(host ?? '') ?? [];
  const called = (address ?? name)?.toLowerCase();
  if (called === undefined) return false;
  if (LOOPBACK.test(called) || called === adminHost.toLowerCase()) return true;
  return (adminHost === '0.0.0.0' || adminHost === '::') && isIP(called) > 0;
}
