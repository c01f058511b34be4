/**
 * The booking example served by Flowgate, with any way to decrypt.
 *
 * Flowgate comes from dist/, as users run it: tsx would put a helper call into closures on the hot path.
 */
import { APP } from '../../dist/app.js';
import { loadSettings, withOverrides } from '../../dist/config/settings.js';
import { type ServiceParts, startService } from '../../dist/service.js';
import booking from '../../examples/booking/app.ts';
import { describeWorkers, serveBench } from './child-side.ts';

/** Everything else, the credentials first of all, comes from the environment; so may WORKERS and HTTP_SERVER. */
const SETTINGS = { HOST: '127.0.0.1', PORT: 0, ADMIN_HOST: '127.0.0.1', ADMIN_PORT: 0, LOG_LEVEL: 'error' };
const SERVER_NAMES = { uws: 'uWebSockets.js', node: 'node:http' };

/** @param decryption what decrypts, for a row's header; by default the worker threads. */
export function serveBooking(startDecryption?: ServiceParts['startDecryption'], decryption?: string): Promise<void> {
  return serveBench(async () => {
    const settings = loadSettings(withOverrides(SETTINGS));
    const service = await startService(booking[APP], { settings, ...(startDecryption && { startDecryption }) });
    const { workers } = settings.config;
    return {
      port: Number(new URL(service.url).port),
      description: `${SERVER_NAMES[service.httpServer]}, ${decryption ?? describeWorkers(workers)}`,
    };
  });
}
