/** Dies of what a message says; those that came with a deadly one are at work when it strikes first. */
import { createApp } from '../../../dist/index.js';
import { note } from './journal.mjs';

const DEATHS = {
  'process.exit': () => process.exit(1),
  SIGKILL: () => process.kill(process.pid, 'SIGKILL'),
};
const forever = new Promise(() => {});
const options = { retry: { attempts: 5, minDelayMs: 10 } };
let bystanders = 0;
let onCrowd;
const crowd = new Promise((resolve) => {
  onCrowd = resolve;
});

const app = createApp();
app.on(
  'message.text',
  (event) => event.text in DEATHS,
  async (event, c) => {
    note('attempts', event);
    if (c.attempt === 1) await crowd;
    DEATHS[event.text]();
    await forever;
  },
  options,
);
app.on(
  'message.text',
  (event) => event.text === 'bystander',
  async (event, c) => {
    bystanders += 1;
    if (bystanders === Number(process.env.BYSTANDERS)) onCrowd();
    if (c.attempt === 1) await forever;
    note('handled', event);
  },
  options,
);
app.on(
  'message.text',
  async (event, c) => {
    const dieAt = (moment) => c.attempt === 1 && event.text === moment && DEATHS.SIGKILL();
    await c.once('effect', () => {
      note('effects', event);
      dieAt('in the effect');
    });
    dieAt('after the effect');
    note('handled', event);
  },
  options,
);
export default app;
