/** Maps method and path to a handler. What it does not know gets a bodiless 404 or 405 that names no product. */
import { FlowgateError } from '../errors.ts';
import type { HttpHandler, HttpRequest } from './server.ts';

export interface Route {
  readonly methods: readonly string[];
  readonly handler: HttpHandler;
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
