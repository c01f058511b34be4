/** Picks the HTTP server: uWebSockets.js, or its node:http twin where the native library cannot load. */
import { createNodeServer } from './node.ts';
import type { HttpServer, HttpServerOptions } from './server.ts';
import { createUwsServer, loadUws } from './uws.ts';

/** `auto` and `uws` fall back to `node` with one loud log line; `node` is chosen quietly. */
export type HttpServerChoice = 'auto' | 'uws' | 'node';

export function createHttpServer(
  choice: HttpServerChoice,
  options: HttpServerOptions,
  load: typeof loadUws = loadUws,
): HttpServer {
  if (choice === 'node') return createNodeServer(options);
  let uws: ReturnType<typeof loadUws>;
  try {
    uws = load();
  } catch {
    options.log.warn(
      { code: 'UWS_UNAVAILABLE', node: process.version, platform: process.platform, arch: process.arch },
      'uWebSockets.js could not be loaded on this machine: serving with node:http, which is slower. See "uWebSockets.js" in the README.',
    );
    return createNodeServer(options);
  }
  return createUwsServer(uws, options);
}
