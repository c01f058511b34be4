import type { HttpServerName } from '../../src/http/server.ts';
import { loadUws } from '../../src/http/uws.ts';

/** The HTTP servers that can run on this machine: every promise is tested on each of them. */
export const httpServers: readonly HttpServerName[] = uwsLoads() ? ['uws', 'node'] : ['node'];

function uwsLoads(): boolean {
  try {
    loadUws();
    return true;
  } catch {
    return false;
  }
}
