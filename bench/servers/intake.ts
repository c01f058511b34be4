/**
 * Flowgate taking webhooks in, for an app without handlers: what is stored is claimed and settled at once as unhandled.
 * With `alone` on the command line nothing is claimed.
 */
import { createApp } from '../../dist/app.js';
import { serveBench } from './child-side.ts';
import { startApp } from './serve-app.ts';

await serveBench(async () => {
  const isAlone = process.argv[2] === 'alone';
  const { ports, server } = await startApp(createApp(), {}, isAlone ? 'web' : undefined);
  return { ...ports, description: server };
});
