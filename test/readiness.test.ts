import { expect, test } from 'vitest';
import { createApp } from '../src/app.ts';
import { answers, loopRuns, Readiness } from '../src/readiness.ts';
import type { OpenInboxOptions } from '../src/stores/open-inbox.ts';
import { FakeClock } from './support/fake-clock.ts';
import { MemoryInbox } from './support/memory-inbox.ts';
import { startTestService } from './support/service.ts';

const ask = async (adminUrl: string) => {
  const response = await fetch(`${adminUrl}/readyz`);
  return { status: response.status, ...((await response.json()) as object) };
};

test('is green when nothing is wrong, and names every problem when something is', async () => {
  const problems: Record<string, string | undefined> = {};
  const readiness = new Readiness({ keys: () => problems['keys'], inbox: async () => problems['inbox'] });
  expect(await readiness.problems()).toEqual({});
  Object.assign(problems, { keys: 'half-written', inbox: 'disk full' });
  expect(await readiness.problems()).toEqual({ keys: 'half-written', inbox: 'disk full' });
  problems['keys'] = undefined;
  expect(await readiness.problems()).toEqual({ inbox: 'disk full' });
  readiness.drain();
  expect(Object.keys(await readiness.problems())).toEqual(['process']);
});

test('answers() passes the sentence of a rejection on', async () => {
  expect(await answers(async () => 1)()).toBeUndefined();
  expect(await answers(() => Promise.reject(new Error('away')))()).toBe('away');
});

test('a loop that stood still for a second is held against the process for ten', async () => {
  const clock = new FakeClock();
  const delay = { max: 999e6, reset: () => Object.assign(delay, { max: 0 }) };
  const check = loopRuns(clock, delay);
  expect(await check()).toBeUndefined();
  delay.max = 1_234e6;
  expect(await check()).toBe('the event loop was held up for 1234 ms: a handler blocks it');
  clock.advance(9_999);
  expect(await check()).toBeDefined();
  clock.advance(1);
  expect(await check()).toBeUndefined();
});

test('/readyz of a service: green, red while the store is away, green again, and not on the public port', async () => {
  let inbox: MemoryInbox | undefined;
  const openInbox = async ({ clock }: OpenInboxOptions) => {
    inbox = new MemoryInbox(clock);
    return inbox;
  };
  await using service = await startTestService(createApp(), {}, undefined, { openInbox });
  const green = { status: 200, ready: true, problems: {} };
  expect(await ask(service.adminUrl)).toEqual(green);
  if (inbox) inbox.failure = 'the disk is full';
  expect(await ask(service.adminUrl)).toEqual({ status: 503, ready: false, problems: { inbox: 'the disk is full' } });
  if (inbox) inbox.failure = undefined;
  expect(await ask(service.adminUrl)).toEqual(green);
  expect((await fetch(`${service.url}/readyz`)).status).toBe(404);
  expect((await fetch(`${service.url}/metrics`)).status).toBe(404);
});
