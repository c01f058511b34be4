import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { FlowgateError } from '../../src/errors.ts';
import { ReplyMemory, type SharedReplies } from '../../src/flows/reply-memory.ts';
import type { HttpReply } from '../../src/http/server.ts';
import { FakeClock } from '../support/fake-clock.ts';

const reply = (body: string) => ({ status: 200, body });
const limits = { keepReplyMs: 60_000, maxReplyBytes: 1_000, keepFingerprintMs: 300_000, fingerprints: 16 };

test('answers a repeated body with the same reply, without sealing again', async () => {
  const memory = new ReplyMemory(new FakeClock());
  const seal = vi.fn(async () => reply('one'));
  expect(await memory.once('a', seal)).toBe(await memory.once('a', seal));
  expect(seal).toHaveBeenCalledTimes(1);
});

test('twins that come while the first is under way get its reply', async () => {
  const memory = new ReplyMemory(new FakeClock());
  const seal = vi.fn(async () => reply('one'));
  const replies = await Promise.all(Array.from({ length: 50 }, () => memory.once('a', seal)));
  expect(new Set(replies).size).toBe(1);
  expect(seal).toHaveBeenCalledTimes(1);
});

test('rejects with REPLY_FORGOTTEN once newer replies have taken the place of this one', async () => {
  const memory = new ReplyMemory(new FakeClock(), limits);
  await memory.once('a', async () => reply('one'));
  for (const body of ['b', 'c', 'd']) await memory.once(body, async () => reply('x'.repeat(400)));
  await expect(memory.once('a', async () => reply('two'))).rejects.toMatchObject({ code: 'REPLY_FORGOTTEN' });
});

test('keeps a reply for a minute at least, and forgets it when the second one begins after that', async () => {
  const clock = new FakeClock();
  const memory = new ReplyMemory(clock, limits);
  await memory.once('a', async () => reply('one'));
  clock.advance(limits.keepReplyMs);
  await memory.once('b', async () => reply('b'));
  expect(await memory.once('a', async () => reply('two'))).toEqual(reply('one'));
  clock.advance(limits.keepReplyMs);
  await memory.once('c', async () => reply('c'));
  await expect(memory.once('a', async () => reply('two'))).rejects.toMatchObject({ code: 'REPLY_FORGOTTEN' });
});

test('does not keep a reply larger than half of its limit', async () => {
  const memory = new ReplyMemory(new FakeClock(), limits);
  await memory.once('a', async () => reply('x'.repeat(600)));
  expect(memory.replyBytes).toBe(0);
  await expect(memory.once('a', async () => reply('two'))).rejects.toMatchObject({ code: 'REPLY_FORGOTTEN' });
});

test('a body whose sealing failed may be tried again: nothing was sealed', async () => {
  const memory = new ReplyMemory(new FakeClock());
  const failure = new FlowgateError('HANDLER_FAILED', 'threw');
  const twins = [1, 2].map(() => memory.once('a', () => Promise.reject(failure)));
  expect(await Promise.allSettled(twins)).toEqual(twins.map(() => ({ status: 'rejected', reason: failure })));
  expect(await memory.once('a', async () => reply('one'))).toEqual(reply('one'));
});

test('remembers a body for two generations, and no longer', async () => {
  const clock = new FakeClock();
  const memory = new ReplyMemory(clock, { ...limits, maxReplyBytes: 0 });
  await memory.once('a', async () => reply('one'));
  clock.advance(limits.keepFingerprintMs);
  await memory.once('b', async () => reply('b')); // begins the second generation
  await expect(memory.once('a', async () => reply('two'))).rejects.toMatchObject({ code: 'REPLY_FORGOTTEN' });
  clock.advance(limits.keepFingerprintMs);
  await memory.once('c', async () => reply('c')); // and the third
  expect(await memory.once('a', async () => reply('three'))).toEqual(reply('three'));
});

test('keeps no more bytes than its limit, and never gives one body two replies while it remembers it', async () => {
  const step = fc.record({
    body: fc.integer({ min: 0, max: 12 }),
    size: fc.integer({ min: 0, max: 400 }),
    waitMs: fc.nat(20_000),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const clock = new FakeClock();
      const memory = new ReplyMemory(clock, { ...limits, fingerprints: 1_024 });
      const first = new Map<number, string>();
      for (const [i, { body, size, waitMs }] of steps.entries()) {
        const answered = await memory
          .once(`body ${body}`, async () => reply(`${i}:`.padEnd(size, 'x')))
          .catch((error) => error);
        expect(memory.replyBytes).toBeLessThanOrEqual(limits.maxReplyBytes);
        if (answered instanceof FlowgateError) expect(answered.code).toBe('REPLY_FORGOTTEN');
        else expect(answered.body).toBe(first.get(body) ?? answered.body);
        if (!first.has(body)) first.set(body, answered.body);
        clock.advance(waitMs);
      }
    }),
  );
});

describe('shared replies', () => {
  const shared = (keep: SharedReplies['keep']) => new ReplyMemory(new FakeClock(), limits, { keep });

  test('are asked once a body, with what was sealed, and what they answer is sent and kept', async () => {
    const keep = vi.fn(async () => reply('of another'));
    const memory = shared(keep);
    const twins = [1, 2].map(() => memory.once('a', async () => reply('one')));
    expect(await Promise.all(twins)).toEqual([reply('of another'), reply('of another')]);
    expect(await memory.once('a', async () => reply('two'))).toEqual(reply('of another'));
    expect(keep.mock.calls).toEqual([['a', reply('one')]]);
  });

  test('are not asked for what was not sealed', async () => {
    const keep = vi.fn(async (_: string, own: HttpReply) => own);
    const memory = shared(keep);
    await expect(memory.once('a', () => Promise.reject(new Error('threw')))).rejects.toThrow('threw');
    expect(keep).not.toHaveBeenCalled();
    expect(await memory.once('a', async () => reply('one'))).toEqual(reply('one'));
  });

  test('that forgot what was sent make this memory refuse the body as well', async () => {
    const memory = shared(() => Promise.reject(new FlowgateError('REPLY_FORGOTTEN', 'too large')));
    const seal = vi.fn(async () => reply('one'));
    for (let i = 0; i < 2; i++) await expect(memory.once('a', seal)).rejects.toMatchObject({ code: 'REPLY_FORGOTTEN' });
    expect(seal).toHaveBeenCalledTimes(1);
    expect(memory.replyBytes).toBe(0);
  });
});
