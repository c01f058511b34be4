/** Maps method and path to a handler. What it does not know gets a bodiless 404 or 405 that names no product. */
import { FlowgateError } from '../errors.ts';
import { TENANT_NAME } from '../tenants/tenant.ts';
import type { HttpHandler, HttpRequest } from './server.ts';

export interface Route {
  readonly methods: readonly string[];
  readonly handler: HttpHandler;
  /** Serves `<path>/<tenant>` too: for a name that a tenant could have, whether or not there is one. */
  readonly forTenant?: ((name: string) => HttpHandler) | undefined;
}

/** @param find the route of an exact path, or undefined. */
export function createRouter(find: (path: string) => Route | undefined): HttpHandler {
  return (request: HttpRequest) => {
    const route = find(request.path);
    if (!route) throw new FlowgateError('PATH_UNKNOWN', 'no such path');
    if (!route.methods.includes(request.method)) return { status: 405, headers: { Allow: route.methods.join(', ') } };
    return route.handler(request);
  };
}

/** Finds the route of a path, or of the path above it for a tenant. */
export function findRoute(routes: ReadonlyMap<string, Route>, path: string): Route | undefined {
  const route = routes.get(path);
  if (route) return route;
  const slash = path.lastIndexOf('/');
  const { methods, forTenant } = routes.get(path.slice(0, slash)) ?? {};
  const name = path.slice(slash + 1);
  return methods && forTenant && TENANT_NAME.test(name) ? { methods, handler: forTenant(name) } : undefined;
}

const PLAIN = { 'Content-Type': 'text/plain' };

/** `GET /healthz`: the process runs, and no more than that. */
export const LIVENESS: Route = {
  methods: ['GET', 'HEAD'],
  handler: () => ({ status: 200, headers: PLAIN, body: 'ok' }),
};
