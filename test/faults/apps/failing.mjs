/** Handles every message but one that says "bad". */
import { createApp } from '../../../dist/index.js';
import { note } from './journal.mjs';

const app = createApp();
app.on(
  'message.text',
  (event) => {
    note('attempts', event);
    if (event.text === 'bad') throw new Error('as always');
    note('handled', event);
  },
  { retry: { attempts: 5, minDelayMs: 10 } },
);
export default app;
