import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { JobContext } from '../../src/webhooks/context.ts';
import { InboxWorkers } from '../../src/webhooks/workers.ts';
import { Attempts, deferred, flush } from '../support/attempts.ts';
import { newItem } from '../support/memory-inbox.ts';

const job = (n: number) => newItem(n, { kind: 'job', type: 'work' });

/** Workers on an inbox, and jobs that end when the test says so. */
class Works {
  readonly attempts = new Attempts();
  /** The ways to end those that run, oldest first. */
  readonly running: (() => void)[] = [];
  readonly signals: AbortSignal[] = [];
  mostRunning = 0;
  readonly workers: InboxWorkers;

  constructor(concurrency: number) {
    const { app, deps } = this.attempts;
    app.job('work', { deadlineMs: 3_600_000 }, (_, c) => this.#work(c));
    this.workers = new InboxWorkers({ ...deps, concurrency });
  }

  async give(...ns: readonly number[]): Promise<void> {
    await this.attempts.inbox.append(ns.map(job));
    await flush();
  }

  #work({ signal }: JobContext): Promise<unknown> {
    const { promise, resolve } = deferred();
    this.running.push(() => resolve('done'));
    this.signals.push(signal);
    this.mostRunning = Math.max(this.mostRunning, this.workers.running);
    return promise;
  }
}

/** Whether a promise is settled when nothing but time is waited for. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  await flush();
  return Promise.race([promise.then(() => true), Promise.resolve(false)]);
}

test('run what is due, never more at a time than they may, and in the end all of it', async () => {
  const steps = fc.array(fc.oneof(fc.constant('give' as const), fc.nat(20)), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 8 }), steps, async (concurrency, plan) => {
      const works = new Works(concurrency);
      const { inbox } = works.attempts;
      let given = 0;
      const end = async (which: number) => {
        works.running.splice(which % works.running.length, 1)[0]?.();
        await flush();
      };
      for (const step of plan) {
        if (step === 'give') await works.give(given++, given++, given++);
        else if (works.running.length > 0) await end(step);
        expect(works.workers.running).toBe(works.running.length);
        expect(works.running.length).toBe(Math.min(concurrency, given - (await inbox.stats()).done));
      }
      while (works.running.length > 0) await end(0);
      expect(works.mostRunning).toBeLessThanOrEqual(concurrency);
      expect(await inbox.stats()).toMatchObject({ done: given, waiting: 0, leased: 0, dead: 0 });
      await works.workers.stop(0);
    }),
    { numRuns: 50 },
  );
});

test('claim a crowd 64 at a time', async () => {
  const attempts = new Attempts();
  const claim = vi.spyOn(attempts.inbox, 'claim');
  attempts.app.job('work', {}, () => new Promise(() => {}));
  await attempts.inbox.append(Array.from({ length: 200 }, (_, n) => job(n)));
  const workers = new InboxWorkers({ ...attempts.deps, concurrency: 150 });
  await flush();
  expect(claim.mock.calls.map(([max]) => max)).toEqual([64, 64, 22]);
  expect(workers.running).toBe(150);
});

test('take up what comes while they wait for it', async () => {
  const works = new Works(2);
  await flush();
  await works.attempts.pass(5_000, 5_000);
  await works.give(1);
  expect(works.workers.running).toBe(1);
});

test('go on a second after a claim that failed', async () => {
  const works = new Works(2);
  const { inbox } = works.attempts;
  const claim = vi.spyOn(inbox, 'claim');
  inbox.failure = 'away';
  await works.attempts.pass(5_000); // the claim that was under way fails then
  const before = claim.mock.calls.length;
  await works.attempts.pass(999);
  expect(claim).toHaveBeenCalledTimes(before);
  inbox.failure = undefined;
  await inbox.append([job(1)]);
  await works.attempts.pass(1);
  expect(works.workers.running).toBe(1);
});

test('settled() waits for what runs and for what is due, and not for what is due later', async () => {
  const works = new Works(1);
  await works.give(1, 2);
  await works.attempts.inbox.append([newItem(3, { kind: 'job', type: 'work', delayMs: 60_000 })]);
  const settled = works.workers.settled();
  expect(await isSettled(settled)).toBe(false);
  works.running.shift()?.();
  expect(await isSettled(settled)).toBe(false);
  works.running.shift()?.();
  await settled;
  expect(await works.attempts.inbox.stats()).toMatchObject({ done: 2, waiting: 1 });
});

describe('stop', () => {
  test('with nothing under way ends at once, also between two claims that fail', async () => {
    const idle = new Works(2);
    await flush();
    await idle.workers.stop(10_000);
    const failing = new Works(2);
    failing.attempts.inbox.failure = 'away';
    await failing.attempts.pass(5_000);
    await failing.workers.stop(10_000);
    expect([idle.attempts.clock.pending, failing.attempts.clock.pending]).toEqual([0, 0]);
  });

  test('claims nothing more, and waits for what runs', async () => {
    const works = new Works(2);
    await works.give(1, 2, 3);
    const stopped = works.workers.stop(10_000);
    works.running.shift()?.();
    await works.attempts.pass(9_999);
    expect(await isSettled(stopped)).toBe(false);
    works.running.shift()?.();
    await stopped;
    expect(works.signals.map(({ aborted }) => aborted)).toEqual([false, false]);
    expect(await works.attempts.inbox.stats()).toMatchObject({ done: 2, waiting: 1, leased: 0 });
    expect(works.attempts.clock.pending).toBe(0);
  });

  test('fires the signals after its grace, and everything is due again at once', async () => {
    const works = new Works(2);
    await works.give(1, 2, 3);
    const stopped = works.workers.stop(10_000);
    await works.attempts.pass(10_000);
    await stopped;
    expect(works.signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    const { inbox, clock } = works.attempts;
    const waiting = await inbox.list('waiting', 10);
    expect(waiting.map(({ attempts }) => attempts).sort()).toEqual([0, 1, 1]);
    for (const { dueAtMs } of waiting) expect(dueAtMs).toBeLessThanOrEqual(clock.epochMs());
  });

  test('gives back what a claim brings after its grace', async () => {
    const attempts = new Attempts();
    const { inbox } = attempts;
    const handler = vi.fn();
    attempts.app.job('work', {}, handler);
    await inbox.append([job(1)]);
    const slow = deferred<void>();
    const claim = inbox.claim.bind(inbox);
    inbox.claim = async (max) => {
      await slow.promise;
      return claim(max, AbortSignal.abort());
    };
    const workers = new InboxWorkers({ ...attempts.deps, concurrency: 2 });
    const stopped = workers.stop(1_000);
    await attempts.pass(1_000);
    slow.resolve();
    await stopped;
    expect(handler).not.toHaveBeenCalled();
    expect(await inbox.list('waiting', 10)).toMatchObject([{ attempts: 1, dueAtMs: attempts.clock.epochMs() }]);
  });
});
