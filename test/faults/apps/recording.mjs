/** Notes each message twice: as an effect that must not be repeated, and as handled, which may be. */
import { createApp } from '../../../dist/index.js';
import { note, written } from './journal.mjs';

// A test that limits the size of files wants each write to fail; unheard, the signal would end the process.
process.on('SIGXFSZ', () => {});

const app = createApp();
app.flow('demo').init((c) => c.screen('A'));
app.on(
  'message.*',
  async (event, c) => {
    await c.once('effect', async () => {
      note('effects', event);
      if (event.text === 'slow effect') await written('go');
    });
    note('handled', event);
  },
  { retry: { attempts: 5, minDelayMs: 10 } },
);
export default app;
