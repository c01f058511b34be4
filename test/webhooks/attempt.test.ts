import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { flowAlert, nfmReply, textMessage } from '../../src/testing/index.ts';
import type { JobContext } from '../../src/webhooks/context.ts';
import { Attempts, deferred, flush, LEASE_MS } from '../support/attempts.ts';
import { newItem } from '../support/memory-inbox.ts';

const CANARY = 'canary-4711';
const job = newItem(1, { kind: 'job', type: 'invoice', payload: { total: 7 } });
const hang = () => new Promise<never>(() => {});
/** A handler that hands over its signal and never returns. */
const hangWith =
  (signals: AbortSignal[]) =>
  (_: unknown, { signal }: JobContext) => {
    signals.push(signal);
    return hang();
  };
const fail = () => {
  throw new Error('no database');
};

describe('an attempt that succeeds', () => {
  test('is done, with what the handler returned, how long it took, and the payload gone', async () => {
    const attempts = new Attempts();
    attempts.app.on('message.text', async ({ text }) => {
      await attempts.pass(40);
      return { answered: text };
    });
    const id = await attempts.store(textMessage('Hi'));
    expect(await attempts.attempt()).toBe('done');
    expect(await attempts.find(id)).toMatchObject({ state: 'done', result: '{"answered":"Hi"}', attempts: 1 });
    expect(await attempts.find(id)).not.toHaveProperty('payload');
    expect(attempts.ended).toEqual([{ type: 'message.text', outcome: 'done', durationMs: 40 }]);
    expect(attempts.clock.pending).toBe(0);
  });

  const circular: object[] = [];
  circular.push(circular);
  const hostile = { toJSON: fail };
  test.each([undefined, 10n, Symbol('x'), fail, circular, hostile])(
    'is done even when JSON does not take what it returned: %s',
    async (result) => {
      const attempts = new Attempts();
      attempts.app.on('message.text', () => result);
      const id = await attempts.store(textMessage('Hi'));
      expect(await attempts.attempt()).toBe('done');
      expect(await attempts.find(id)).toMatchObject({ state: 'done', result: undefined });
    },
  );

  test('keeps the first 2,000 characters of a long result', async () => {
    const attempts = new Attempts();
    attempts.app.on('message.text', () => 'x'.repeat(5_000));
    const id = await attempts.store(textMessage('Hi'));
    await attempts.attempt();
    expect((await attempts.find(id)).result).toBe(`"${'x'.repeat(1_999)}`);
  });

  test('of a job is counted under its name', async () => {
    const attempts = new Attempts();
    attempts.app.job<{ total: number }>('invoice', {}, ({ total }) => total);
    await attempts.store(job);
    await attempts.attempt();
    expect(attempts.ended).toMatchObject([{ type: 'job.invoice', outcome: 'done' }]);
  });

  test('gives the handler its id, its number, its deadline and a log that carries them', async () => {
    const attempts = new Attempts();
    const seen: Partial<JobContext>[] = [];
    attempts.app.job('invoice', { deadlineMs: 5_000 }, async (_, c) => {
      await attempts.pass(1_000);
      c.log.info('seen');
      seen.push({ id: c.id, attempt: c.attempt, deadline: c.deadline });
    });
    await attempts.store(job);
    await attempts.attempt();
    const { id } = job;
    expect(seen).toMatchObject([{ id, attempt: 1, deadline: { atEpochMs: attempts.clock.epochMs() + 4_000 } }]);
    expect(seen[0]?.deadline?.remainingMs()).toBe(4_000);
    expect(attempts.log.lines).toMatchObject([{ msg: 'seen', id, type: 'invoice', attempt: 1 }]);
  });
});

test('an event without a handler is settled, and counted as unhandled', async () => {
  const attempts = new Attempts();
  const id = await attempts.store(flowAlert('ENDPOINT_LATENCY'));
  expect(await attempts.attempt()).toBe('unhandled');
  expect(await attempts.find(id)).toMatchObject({ state: 'done', result: undefined });
  expect(attempts.log.lines).toEqual([]);
});

describe('an attempt that fails', () => {
  test.each([
    [0, [1_000, 2_000, 4_000, 5_000]],
    [0.5, [750, 1_500, 3_000, 3_750]],
    [1, [500, 1_000, 2_000, 2_500]],
  ])('is due again after a delay that doubles, less a random half of it (%d)', async (random, delays) => {
    const attempts = new Attempts({ random: () => random });
    attempts.app.on('message.text', fail, { retry: { minDelayMs: 1_000, maxDelayMs: 5_000 } });
    const id = await attempts.store(textMessage('Hi'));
    for (const delayMs of delays) {
      expect(await attempts.attempt()).toBe('retry');
      expect(await attempts.dueInMs(id)).toBe(delayMs);
      attempts.clock.advance(delayMs);
    }
  });

  test('is recorded with its code, its message and where it was thrown', async () => {
    const attempts = new Attempts();
    attempts.app.on('message.text', fail);
    const id = await attempts.store(textMessage('Hi'));
    await attempts.attempt();
    const error = expect.stringMatching(/^HANDLER_FAILED: Error: no database\n {4}at .*attempt\.test\.ts/);
    expect(await attempts.find(id)).toMatchObject({ state: 'waiting', attempts: 1, error });
  });

  test('the last time makes the item a dead letter', async () => {
    const attempts = new Attempts();
    attempts.app.on('message.text', fail, { retry: { attempts: 3 } });
    const id = await attempts.store(textMessage('Hi'));
    await attempts.exhaust(id);
    expect(attempts.ended.map(({ outcome }) => outcome)).toEqual(['retry', 'retry', 'dead']);
    expect(await attempts.find(id)).toMatchObject({ state: 'dead', attempts: 3, payload: { raw: {} } });
  });

  test('for what would fail the same way again makes it one at once', async () => {
    const attempts = new Attempts();
    const handler = vi.fn();
    attempts.app.job('invoice', { schema: z.object({ total: z.string() }) }, handler);
    const id = await attempts.store(job);
    expect(await attempts.attempt()).toBe('dead');
    expect((await attempts.find(id)).error).toMatch(/^INPUT_INVALID: /);
    expect(handler).not.toHaveBeenCalled();
  });

  test('for want of a job of this name waits for a version of the app that has it', async () => {
    const attempts = new Attempts();
    const id = await attempts.store(job);
    expect(await attempts.attempt()).toBe('retry');
    expect((await attempts.find(id)).error).toMatch(/^JOB_UNKNOWN: .*this version of the app has no job invoice/);
    attempts.app.job('invoice', {}, () => {});
    await attempts.pass(1_000);
    expect(await attempts.attempt()).toBe('done');
  });

  test('in a filter is an attempt that failed, too', async () => {
    const attempts = new Attempts();
    attempts.app.on('message.text', fail, () => {});
    await attempts.store(textMessage('Hi'));
    expect(await attempts.attempt()).toBe('retry');
  });

  test('with whatever an app may throw never rejects', async () => {
    const odd = [
      Object.assign(new Error('x'), { message: undefined }),
      Object.assign(new Error('x'), { message: { toString: null } }),
      Object.assign(new Error('x'), { stack: undefined }),
      Object.assign(new Error('x'), { stack: null }),
    ];
    const anything = fc.oneof(fc.anything({ withNullPrototype: true }), fc.constantFrom<unknown>(...odd));
    await fc.assert(
      fc.asyncProperty(anything, async (thrown) => {
        const attempts = new Attempts({ logErrorMessages: true });
        attempts.app.on('message.text', () => Promise.reject(thrown));
        const id = await attempts.store(textMessage('Hi'));
        expect(await attempts.attempt()).toBe('retry');
        expect((await attempts.find(id)).error).toMatch(/^HANDLER_FAILED: /);
      }),
    );
  });
});

test('an item whose last attempt never ended is a dead letter without another', async () => {
  const attempts = new Attempts();
  const handler = vi.fn();
  attempts.app.on('message.text', handler, { retry: { attempts: 1 } });
  const id = await attempts.store(textMessage('Hi'));
  await attempts.claim(); // by a process that ended
  await attempts.pass(LEASE_MS);
  expect(await attempts.attempt()).toBe('dead');
  expect(handler).not.toHaveBeenCalled();
  expect((await attempts.find(id)).error).toMatch(/^ATTEMPTS_EXHAUSTED: /);
  expect(attempts.log.lines).toMatchObject([{ code: 'ATTEMPTS_EXHAUSTED', id, type: 'message.text' }]);
});

describe('the deadline', () => {
  test('ends an attempt that hangs, and fires its signal', async () => {
    const attempts = new Attempts();
    const signals: AbortSignal[] = [];
    attempts.app.on('message.text', hangWith(signals), { deadlineMs: 5_000 });
    const id = await attempts.store(textMessage('Hi'));
    const { ended } = await attempts.begin();
    await attempts.pass(4_999);
    expect([signals[0]?.aborted, attempts.ended]).toEqual([false, []]);
    await attempts.pass(1);
    await ended;
    expect(signals[0]?.reason).toMatchObject({ name: 'TimeoutError', message: 'the handler passed its deadline' });
    expect(attempts.ended).toMatchObject([{ outcome: 'retry', durationMs: 5_000 }]);
    expect((await attempts.find(id)).error).toMatch(/^HANDLER_LATE: /);
    expect(attempts.log.lines).toMatchObject([{ code: 'HANDLER_LATE', id, attempt: 1 }]);
    expect(attempts.clock.pending).toBe(0);
  });

  test('is what an attempt failed on, though its handler gave up by the signal', async () => {
    const attempts = new Attempts();
    const untilAborted = (signal: AbortSignal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    attempts.app.on('message.text', (_, { signal }) => untilAborted(signal), { deadlineMs: 5_000 });
    await attempts.store(textMessage('Hi'));
    await attempts.begin();
    await attempts.pass(5_000);
    expect(attempts.log.lines).toMatchObject([{ code: 'HANDLER_LATE' }]);
  });

  test.each(['resolves', 'rejects'] as const)('makes it nobody’s business when a late handler %s', async (how) => {
    const attempts = new Attempts();
    const handler = deferred();
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    attempts.app.on('message.text', () => handler.promise, { deadlineMs: 5_000 });
    const id = await attempts.store(textMessage('Hi'));
    await attempts.begin();
    await attempts.pass(5_000);
    if (how === 'resolves') handler.resolve('late');
    else handler.reject(new Error('late'));
    await flush();
    await flush();
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
    expect(await attempts.find(id)).toMatchObject({ state: 'waiting', result: undefined });
  });
});

describe('the end of the process', () => {
  test('makes the item due again at once, whichever attempt it was, and fires the signal', async () => {
    const attempts = new Attempts();
    const signals: AbortSignal[] = [];
    attempts.app.on('message.text', hangWith(signals), { retry: { attempts: 1 } });
    const id = await attempts.store(textMessage('Hi'));
    const { ended } = await attempts.begin();
    attempts.stopping.abort();
    await ended;
    expect(attempts.ended).toMatchObject([{ outcome: 'retry' }]);
    expect(signals[0]?.aborted).toBe(true);
    expect(await attempts.find(id)).toMatchObject({ state: 'waiting', dueAtMs: attempts.clock.epochMs() });
    expect((await attempts.find(id)).error).toMatch(/^PROCESS_STOPPING: /);
    expect(attempts.clock.pending).toBe(0);
  });

  test('begins no handler that was claimed too late', async () => {
    const attempts = new Attempts();
    const handler = vi.fn();
    attempts.app.on('message.text', handler);
    const id = await attempts.store(textMessage('Hi'));
    attempts.stopping.abort();
    expect(await attempts.attempt()).toBe('retry');
    expect(handler).not.toHaveBeenCalled();
    expect(await attempts.dueInMs(id)).toBe(0);
  });
});

describe('the lease', () => {
  test('is renewed while the handler runs, every third of it, and no longer', async () => {
    const attempts = new Attempts();
    const renew = vi.spyOn(attempts.inbox, 'renew');
    attempts.app.on('message.text', hang, { deadlineMs: 95_000 });
    const id = await attempts.store(textMessage('Hi'));
    await attempts.begin();
    await attempts.pass(...Array(9).fill(10_000));
    expect(renew).toHaveBeenCalledTimes(9);
    expect(await attempts.dueInMs(id)).toBe(LEASE_MS);
    await attempts.pass(5_000);
    expect(attempts.ended).toMatchObject([{ outcome: 'retry' }]);
    await attempts.pass(LEASE_MS);
    expect(renew).toHaveBeenCalledTimes(9);
  });

  test('survives two renewals that fail', async () => {
    const attempts = new Attempts();
    attempts.app.on('message.text', async () => {
      attempts.inbox.failure = 'away';
      await attempts.pass(10_000, 10_000);
      attempts.inbox.failure = undefined;
      await attempts.pass(9_999);
      return 'done';
    });
    await attempts.store(textMessage('Hi'));
    expect(await attempts.attempt()).toBe('done');
  });

  test('once lost fires the signal, and the attempt ends nothing that is another’s', async () => {
    const attempts = new Attempts();
    const handler = deferred();
    const signals: AbortSignal[] = [];
    const handle = (_: unknown, { signal }: JobContext) => {
      signals.push(signal);
      return handler.promise;
    };
    attempts.app.on('message.text', handle, { deadlineMs: 100_000 });
    const id = await attempts.store(textMessage('Hi'));
    const { ended } = await attempts.begin();
    attempts.inbox.failure = 'away';
    await attempts.pass(10_000, 10_000, 10_000);
    attempts.inbox.failure = undefined;
    const other = await attempts.claim();
    expect([other.id, other.attempt]).toEqual([id, 2]);
    expect(signals[0]?.aborted).toBe(false);
    await attempts.pass(10_000);
    expect(signals[0]?.reason).toMatchObject({ message: 'the lease was lost' });
    handler.resolve('too late');
    await ended;
    expect(attempts.ended).toMatchObject([{ outcome: 'lost' }]);
    expect(attempts.log.lines).toMatchObject([{ code: 'LEASE_LOST', id, attempt: 1 }]);
    expect(await attempts.find(id)).toMatchObject({ state: 'leased', attempts: 2, result: undefined });
    expect(await attempts.inbox.settle(other)).toBe(true);
  });
});

describe('an inbox that does not take how the attempt ended', () => {
  /** An attempt that is done while the inbox is away, with the moments at which it is told so. */
  async function endWhileAway() {
    const attempts = new Attempts();
    const { inbox, clock } = attempts;
    const startMs = clock.nowMs();
    const toldMs: number[] = [];
    const settle = inbox.settle.bind(inbox);
    inbox.settle = (claim, result) => {
      toldMs.push(clock.nowMs() - startMs);
      return settle(claim, result);
    };
    attempts.app.on('message.text', () => {
      inbox.failure = 'away';
      return 'sent';
    });
    const id = await attempts.store(textMessage('Hi'));
    await attempts.begin();
    return { attempts, id, toldMs };
  }

  test('is told again, less and less often, until it does', async () => {
    const { attempts, id, toldMs } = await endWhileAway();
    await attempts.pass(100, 200, 400);
    attempts.inbox.failure = undefined;
    await attempts.pass(800);
    expect(toldMs).toEqual([0, 100, 300, 700, 1_500]);
    expect(attempts.ended).toMatchObject([{ outcome: 'done', durationMs: 1_500 }]);
    expect(await attempts.find(id)).toMatchObject({ state: 'done', result: '"sent"' });
  });

  test('is told no more once the lease is over, and the item will be handled again', async () => {
    const { attempts, id, toldMs } = await endWhileAway();
    await attempts.pass(...Array(LEASE_MS / 100 + 1).fill(100));
    expect(toldMs.slice(-6)).toEqual([12_100, 15_100, 18_100, 21_100, 24_100, 27_100]);
    expect(attempts.ended).toMatchObject([{ outcome: 'lost' }]);
    expect(attempts.log.lines).toMatchObject([{ code: 'LEASE_LOST', id }]);
    attempts.inbox.failure = undefined;
    expect(await attempts.claim()).toMatchObject({ id, attempt: 2 });
  });
});

describe('the log', () => {
  const failures: [string, (attempts: Attempts) => void][] = [
    ['an error', ({ app }) => app.on('message.*', () => Promise.reject(new Error(`no ${CANARY}`)))],
    ['a text', ({ app }) => app.on('message.*', () => Promise.reject(CANARY))],
    ['an object', ({ app }) => app.on('message.*', () => Promise.reject({ message: CANARY, stack: CANARY }))],
    [
      'an error that looks like a stack',
      ({ app }) => app.on('message.*', () => Promise.reject(new Error(`\n    at ${CANARY}`))),
    ],
    [
      'an error with a cause',
      ({ app }) => app.on('message.*', () => Promise.reject(new Error('x', { cause: new Error(CANARY) }))),
    ],
    ['what a schema says', ({ app }) => app.flow('booking').completed(z.object({ name: z.number(CANARY) }), () => {})],
    ['what it returns', ({ app }) => app.on('message.*', () => CANARY)],
    ['that it was late', ({ app }) => app.on('message.*', hang, { deadlineMs: 1_000 })],
    ['nothing', () => {}],
  ];

  test.each(failures)('never tells what a user wrote, nor what the handler threw: %s', async (_, prepare) => {
    const attempts = new Attempts();
    prepare(attempts);
    const id = await attempts.store(
      nfmReply({ token: 'booking:1', params: { name: CANARY } }, { user: { waId: CANARY } }),
    );
    await attempts.begin();
    await attempts.pass(1_000);
    expect(attempts.ended).toHaveLength(1);
    expect(JSON.stringify(attempts.log.lines)).not.toContain(CANARY);
    for (const line of attempts.log.lines) expect(line).toMatchObject({ id, code: expect.any(String) });
  });

  test('tells where an error was thrown', async () => {
    const attempts = new Attempts();
    attempts.app.on('message.text', fail);
    await attempts.store(textMessage('Hi'));
    await attempts.attempt();
    expect(attempts.log.lines).toMatchObject([{ stack: expect.stringMatching(/^Error\n {4}at fail/), attempt: 1 }]);
    expect(attempts.log.lines[0]).not.toHaveProperty('thrown');
  });

  test('tells the message of an error where settings ask for it', async () => {
    const attempts = new Attempts({ logErrorMessages: true });
    attempts.app.on('message.text', fail);
    await attempts.store(textMessage('Hi'));
    await attempts.attempt();
    expect(attempts.log.lines).toMatchObject([{ code: 'HANDLER_FAILED', thrown: 'no database' }]);
  });
});
