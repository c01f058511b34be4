/**
 * An inbox filled before the service starts, then emptied by it: each event is claimed, handed to a handler that does
 * next to nothing, and settled. The command line says how many events.
 */
import { Redis } from 'ioredis';
import { createApp } from '../../dist/app.js';
import { systemClock } from '../../dist/clock.js';
import { inboxFromEnv } from '../../dist/config/command-settings.js';
import { loadSettings } from '../../dist/config/settings.js';
import { createLog } from '../../dist/log.js';
import { type OpenInboxOptions, openInbox } from '../../dist/stores/open-inbox.js';
import { itemsIn } from '../../dist/webhooks/delivery.js';
import type { Inbox } from '../../dist/webhooks/inbox.js';
import { BenchError } from '../support/bench-error.ts';
import type { DrainRun } from '../support/messages.ts';
import { readRedisCpuMicros } from '../support/redis-server.ts';
import { type StoreWork, workBetween } from '../support/store-work.ts';
import { deliveryText, nextMessageId } from '../support/webhook-load.ts';
import { serveBench, takeUsage } from './child-side.ts';
import { startApp } from './serve-app.ts';

const FILL_AT_ONCE = 500;
/** Share of the events that is handled before anything is measured. */
const WARM_UP = 0.1;

const { redisUrl, dataDir } = inboxFromEnv();
const redis = redisUrl === undefined ? undefined : new Redis(redisUrl);
const events = Number(process.argv[2]);
const handled = new Set<string>();
let handlerCalls = 0;
let settled = 0;
let commits = 0;
let inbox: Inbox | undefined;
let onSettled = () => {};

async function fill(): Promise<void> {
  const options = { redisUrl, dataDir, clock: systemClock, log: createLog('error') };
  const store = await openInbox(options);
  for (let left = events; left > 0; left -= FILL_AT_ONCE) {
    const ids = Array.from({ length: Math.min(left, FILL_AT_ONCE) }, nextMessageId);
    const items = itemsIn(Buffer.from(deliveryText(ids)), Date.now());
    const isNew = await store.append(items);
    if (isNew.length !== ids.length || isNew.includes(false)) throw new BenchError('the inbox was not filled');
  }
  await store.close();
}

async function drain(): Promise<DrainRun> {
  const app = createApp().on('message.text', (event) => {
    handlerCalls += 1;
    handled.add(event.id);
  });
  await startApp(app, { openInbox: openCounted });
  const warm = Math.floor(events * WARM_UP);
  await settledAre(warm);
  const storeBefore = await readStore();
  takeUsage();
  const before = { settled, ms: performance.now() };
  await settledAre(events);
  const usage = takeUsage();
  const seconds = (performance.now() - before.ms) / 1_000;
  const store = workBetween(storeBefore, await readStore());
  await checkEmpty();
  return { ...usage, events: events - before.settled, seconds, store };
}

/** The inbox as the settings have it, with a count of what is settled. */
async function openCounted(options: OpenInboxOptions): Promise<Inbox> {
  const onCommit = (calls: number, busyMs: number) => {
    commits += 1;
    options.onCommit?.(calls, busyMs);
  };
  const opened = await openInbox({ ...options, onCommit });
  const settle = opened.settle.bind(opened);
  opened.settle = async (claim, result) => {
    const isHeld = await settle(claim, result);
    if (isHeld) settled += 1;
    onSettled();
    return isHeld;
  };
  inbox = opened;
  return opened;
}

async function settledAre(count: number): Promise<void> {
  if (settled >= count) return;
  await new Promise<void>((resolve) => {
    onSettled = () => {
      if (settled >= count) resolve();
    };
  });
}

async function readStore(): Promise<StoreWork> {
  return redis ? { redisCpuMicros: await readRedisCpuMicros(redis) } : { commits };
}

/** Every event was handled once, and nothing is left. */
async function checkEmpty(): Promise<void> {
  const stats = await inbox?.stats();
  const left = stats ? stats.waiting + stats.leased + stats.dead : Number.NaN;
  if (left !== 0 || handled.size !== events || handlerCalls !== events) {
    throw new BenchError(`of ${events} events ${handled.size} were handled in ${handlerCalls} calls, ${left} are left`);
  }
}

await serveBench(
  async () => {
    if (!(events > 0)) throw new BenchError('it takes a number of events');
    const { config } = loadSettings();
    await fill();
    return { port: 0, description: `${config.inboxConcurrency} at a time` };
  },
  { drain },
);
