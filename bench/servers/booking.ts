/** The booking example served by Flowgate, with any way to decrypt. */
import type { ServiceParts } from '../../dist/service.js';
import booking from '../../examples/booking/app.ts';
import { describeWorkers, serveBench } from './child-side.ts';
import { startApp } from './serve-app.ts';

/** @param decryption what decrypts, for a row's header; by default the worker threads. */
export function serveBooking(startDecryption?: ServiceParts['startDecryption'], decryption?: string): Promise<void> {
  return serveBench(async () => {
    const { ports, server, config } = await startApp(booking, startDecryption && { startDecryption });
    return { ...ports, description: `${server}, ${decryption ?? describeWorkers(config.workers)}` };
  });
}
