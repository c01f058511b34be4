import { describe, expect, test, vi } from 'vitest';
import { type GraphClient, GraphError } from '../../src/graph/client.ts';
import {
  flowAlert,
  image,
  statusUpdate,
  systemMessage,
  TEST_BUSINESS,
  TEST_USER,
  textMessage,
  type WhatsAppUser,
} from '../../src/testing/index.ts';
import type { EventContext } from '../../src/webhooks/context.ts';
import { MAX_NOTE_CHARS } from '../../src/webhooks/inbox.ts';
import { Attempts, deferred } from '../support/attempts.ts';
import { itemId, newItem } from '../support/memory-inbox.ts';

const failed = (isUncertain: boolean) => new GraphError('refused', { isTransient: true, isUncertain });

describe('once', () => {
  /** An event whose handler is `handler`, attempted again whenever it is due. */
  async function setUp(handler: (c: EventContext) => unknown) {
    const attempts = new Attempts();
    attempts.app.on('message.text', (_, c) => handler(c), { deadlineMs: 5_000 });
    const id = await attempts.store(textMessage('Hi'));
    const attempt = async () => {
      const outcome = await attempts.attempt();
      attempts.clock.advance(2_000);
      return outcome;
    };
    return { attempts, id, attempt };
  }

  test.each([{ id: 7, list: [null] }, 'text', 0, null, undefined])(
    'runs an effect, and gives its result again to later attempts: %j',
    async (result) => {
      const effect = vi.fn(async () => result);
      const seen: unknown[] = [];
      const { attempt } = await setUp(async (c) => {
        seen.push(await c.once('charge', effect));
        if (c.attempt < 3) throw new Error('further down');
      });
      expect([await attempt(), await attempt(), await attempt()]).toEqual(['retry', 'retry', 'done']);
      expect(effect).toHaveBeenCalledTimes(1);
      expect(seen).toEqual([result, result, result]);
    },
  );

  test('tells effects apart by key, and by item', async () => {
    const effect = vi.fn((key: string) => key);
    const { attempts, attempt } = await setUp(async (c) => [
      await c.once('a', () => effect('a')),
      await c.once('b', () => effect('b')),
    ]);
    await attempts.store(textMessage('Ho'));
    expect([await attempt(), await attempt()]).toEqual(['done', 'done']);
    expect(effect.mock.calls).toEqual([['a'], ['b'], ['a'], ['b']]);
  });

  test.each([new Error('declined'), failed(false)])('runs an effect again that threw: %s', async (error) => {
    const effect = vi.fn<() => Promise<string>>().mockRejectedValueOnce(error).mockResolvedValueOnce('charged');
    const { attempts, id, attempt } = await setUp((c) => c.once('charge', effect));
    expect([await attempt(), await attempt()]).toEqual(['retry', 'done']);
    expect(await attempts.find(id)).toMatchObject({ result: '"charged"' });
  });

  test('repeats nothing that may have happened: the next attempt is EFFECT_UNCERTAIN, and the last', async () => {
    const effect = vi.fn(() => Promise.reject(failed(true)));
    const { attempts, id, attempt } = await setUp((c) => c.once('charge', effect));
    expect([await attempt(), await attempt()]).toEqual(['retry', 'dead']);
    expect(effect).toHaveBeenCalledTimes(1);
    expect((await attempts.find(id)).error).toMatch(
      /^EFFECT_UNCERTAIN: .*began the effect "charge" and did not finish it/,
    );
  });

  test('repeats nothing that a process began and did not live to tell of, until somebody replays the item', async () => {
    const effect = vi.fn(() => 'charged');
    const { attempts, id, attempt } = await setUp((c) => c.once('charge', effect));
    await attempts.inbox.beginEffect(id, 'charge');
    expect(await attempt()).toBe('dead');
    expect(effect).not.toHaveBeenCalled();
    await attempts.inbox.replay(id);
    expect(await attempt()).toBe('done');
    expect(effect).toHaveBeenCalledTimes(1);
  });

  test.each(['the deadline', 'the end of the process'])('repeats nothing that %s cut off', async (end) => {
    const effect = vi.fn((signal: AbortSignal) => {
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    });
    const { attempts, attempt } = await setUp((c) => c.once('charge', () => effect(c.signal)));
    const { ended } = await attempts.begin();
    if (end === 'the deadline') await attempts.pass(5_000);
    else attempts.stopping.abort();
    await ended;
    attempts.stopping = new AbortController();
    await attempts.pass(1_000);
    expect(await attempt()).toBe('dead');
    expect(attempts.ended.map(({ outcome }) => outcome)).toEqual(['retry', 'dead']);
    expect(effect).toHaveBeenCalledTimes(1);
  });

  test.each([
    ['happened', () => 'charged', 1],
    ['did not happen', () => Promise.reject(new Error('declined')), 2],
  ])('tells an inbox that was away meanwhile that the effect %s', async (_, result, times) => {
    const effect = vi
      .fn<() => unknown>(() => 'charged')
      .mockImplementationOnce(() => {
        attempts.inbox.failure = 'away';
        return result();
      });
    const { attempts } = await setUp(async (c) => {
      await c.once('charge', effect);
      if (c.attempt === 1) throw new Error('further down');
    });
    await attempts.begin();
    await attempts.pass(100);
    attempts.inbox.failure = undefined;
    await attempts.pass(200, 1_000);
    await attempts.attempt();
    expect(attempts.ended.map(({ outcome }) => outcome)).toEqual(['retry', 'done']);
    expect(effect).toHaveBeenCalledTimes(times);
  });

  test('begins nothing in an attempt that is over', async () => {
    const slow = deferred();
    const effect = vi.fn();
    const late = vi.fn();
    const { attempts, attempt } = await setUp(async (c) => {
      if (c.attempt === 1) await slow.promise;
      await c.once('charge', effect).catch(late);
    });
    await attempts.begin();
    await attempts.pass(5_000);
    slow.resolve('at last');
    await attempts.pass(1_000);
    expect(late).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ name: 'TimeoutError' }));
    expect(effect).not.toHaveBeenCalled();
    expect(await attempt()).toBe('done');
    expect(effect).toHaveBeenCalledTimes(1);
  });

  test.each([
    ['longer than 2,000 characters', () => 'x'.repeat(MAX_NOTE_CHARS - 1)],
    ['nothing JSON takes', () => 7n],
  ])('a result that is %s is a TypeError, and an effect that happened', async (_, effect) => {
    const { attempts, id, attempt } = await setUp((c) => c.once<unknown>('charge', effect));
    expect(await attempt()).toBe('retry');
    expect((await attempts.find(id)).error).toMatch(/^HANDLER_FAILED: TypeError: /);
    expect(await attempt()).toBe('dead');
  });

  test('a key that is no text is a TypeError, before anything is begun', async () => {
    const effect = vi.fn();
    const { attempts, id, attempt } = await setUp((c) => c.once(7 as never, effect));
    await attempt();
    expect((await attempts.find(id)).error).toContain('TypeError: the key of an effect must be a string');
    expect(effect).not.toHaveBeenCalled();
  });
});

describe('defer', () => {
  async function setUp(handler: (c: EventContext) => unknown) {
    const attempts = new Attempts();
    const invoice = attempts.app.job<{ n: number }>('invoice', {}, () => {});
    attempts.app.job('reminder', {}, () => {});
    attempts.app.on('message.text', (_, c) => handler(c));
    await attempts.store(textMessage('Hi'));
    const jobs = async () => (await attempts.inbox.list('waiting', 1_000)).filter(({ kind }) => kind === 'job');
    return { attempts, invoice, jobs };
  }

  test('stores a job under an id of its own, due at once', async () => {
    const ids: string[] = [];
    const { attempts, jobs, invoice } = await setUp(async ({ defer }) => ids.push(await defer(invoice, { n: 1 })));
    await attempts.attempt();
    expect(ids).toEqual([expect.stringMatching(/^job_[0-9a-f]{32}$/)]);
    expect(await jobs()).toMatchObject([{ id: ids[0], type: 'invoice', dueAtMs: attempts.clock.epochMs() }]);
    expect((await attempts.find(`${ids[0]}`)).payload).toEqual({ n: 1 });
  });

  test('gives the jobs of a second attempt the ids they had, and each of one attempt another', async () => {
    const ids: string[][] = [];
    const { attempts, jobs } = await setUp(async ({ attempt, defer }) => {
      const names = ['invoice', 'invoice', 'reminder'];
      ids.push(await Promise.all(names.map((name, n) => defer(name, { n }))));
      if (attempt === 1) throw new Error('further down');
    });
    await attempts.attempt();
    await attempts.pass(1_000);
    for (let i = 0; i < 4; i++) await attempts.attempt();
    expect(ids).toHaveLength(2);
    expect(ids[0]).toEqual(ids[1]);
    expect(new Set(ids[0]).size).toBe(3);
    expect(await jobs()).toEqual([]);
    expect(attempts.ended.filter(({ type }) => type.startsWith('job.'))).toHaveLength(3);
  });

  test('tells the jobs of two events apart, unless they have one key', async () => {
    const { attempts, jobs } = await setUp(async ({ defer }) => {
      await defer('invoice', { n: 1 });
      await defer('invoice', { n: 2 }, { key: 'monthly' });
      await defer('reminder', { n: 3 }, { key: 'monthly' });
    });
    await attempts.store(textMessage('Ho'));
    await attempts.attempt();
    await attempts.attempt();
    expect((await jobs()).map(({ type }) => type).sort()).toEqual(['invoice', 'invoice', 'invoice', 'reminder']);
  });

  test('stores a job that is due later', async () => {
    const week = 7 * 24 * 3_600_000;
    const { attempts, jobs } = await setUp(({ defer }) => defer('invoice', {}, { delayMs: week }));
    await attempts.attempt();
    expect(await jobs()).toMatchObject([{ dueAtMs: attempts.clock.epochMs() + week }]);
  });

  test.each<[string, (c: EventContext) => unknown]>([
    ['there is no job bill: add app.job(', ({ defer }) => defer('bill', {})],
    ['delayMs must be from 0 to 604800000', ({ defer }) => defer('invoice', {}, { delayMs: -1 })],
    ['delayMs must be from 0 to 604800000', ({ defer }) => defer('invoice', {}, { delayMs: 604_800_001 })],
    ['delayMs must be from 0 to 604800000', ({ defer }) => defer('invoice', {}, { delayMs: Number.NaN })],
  ])('is a TypeError: %s', async (sentence, handler) => {
    const rejected = vi.fn();
    const { attempts, jobs } = await setUp((c) => Promise.resolve(handler(c)).catch(rejected));
    await attempts.attempt();
    expect(rejected).toHaveBeenCalledExactlyOnceWith(expect.any(TypeError));
    expect(rejected.mock.calls[0]?.[0]).toMatchObject({ message: expect.stringContaining(sentence) });
    expect(await jobs()).toEqual([]);
  });
});

describe('reply', () => {
  /** A Graph API that accepts everything, and tells from which number it was asked. */
  function setUp() {
    const send = vi.fn(async () => ({ messageId: 'wamid.9' }));
    const markRead = vi.fn(async () => {});
    const mediaInfo = vi.fn();
    const sends = { sendText: send, sendDocument: send, sendFlow: send, sendTemplate: send };
    const client = (): GraphClient => ({ ...sends, markRead, mediaInfo });
    const graphFor = vi.fn(client);
    return { attempts: new Attempts({ graphFor }), send, markRead, graphFor };
  }

  test.each<[WhatsAppUser, object]>([
    [TEST_USER, { to: TEST_USER.waId }],
    [{ waId: '4915' }, { to: '4915' }],
    [{ userId: 'US.9', username: 'ada' }, { recipient: 'US.9' }],
  ])('answers the sender of a message, from the number that was written to: %j', async (user, recipient) => {
    const { attempts, send, graphFor } = setUp();
    const document = { data: Buffer.from('%PDF'), filename: 'a.pdf', mimeType: 'application/pdf' };
    const flow = { flowId: '1', token: 't', cta: 'Book', body: 'Hi' };
    let bounds: object | undefined;
    attempts.app.on('message.text', async (_, c) => {
      bounds = { signal: c.signal, deadline: expect.objectContaining({ atEpochMs: c.deadline.atEpochMs }) };
      await c.reply.document(document);
      await c.reply.flow(flow);
      return c.reply.text('Ho');
    });
    const id = await attempts.store(textMessage('Hi', { user }));
    await attempts.attempt();
    expect(send.mock.calls).toEqual([document, flow, 'Ho'].map((what) => [recipient, what, bounds]));
    expect(graphFor.mock.calls).toEqual(Array(3).fill([TEST_BUSINESS.phoneNumberId]));
    expect(await attempts.find(id)).toMatchObject({ result: '{"messageId":"wamid.9"}' });
  });

  test('marks the message read, and shows that an answer is being written, within the attempt', async () => {
    const { attempts, markRead, graphFor } = setUp();
    let bounds: object | undefined;
    attempts.app.on('message.text', async ({ messageId }, c) => {
      bounds = { signal: c.signal, deadline: expect.objectContaining({ atEpochMs: c.deadline.atEpochMs }) };
      await c.reply.read();
      await c.reply.typing();
      expect(markRead.mock.calls).toEqual([
        [messageId, bounds],
        [messageId, { ...bounds, typing: true }],
      ]);
    });
    await attempts.store(textMessage('Hi'));
    expect(await attempts.attempt()).toBe('done');
    expect(graphFor.mock.calls).toEqual(Array(2).fill([TEST_BUSINESS.phoneNumberId]));
  });

  test('answers who changed the number, too', async () => {
    const { attempts, send } = setUp();
    attempts.app.on('system', (_, { reply }) => reply.text('Ho'));
    await attempts.store(systemMessage({ newWaId: '1' }));
    expect(await attempts.attempt()).toBe('done');
    expect(send).toHaveBeenCalledTimes(1);
  });

  test.each([
    ['a status', statusUpdate({ messageId: 'wamid.1', status: 'read' }), 'only a message has a sender to reply to'],
    ['an alert', flowAlert('ENDPOINT_LATENCY'), 'only a message has a sender to reply to'],
    ['a message that names nobody', textMessage('Hi', { user: {} }), 'this message names no sender'],
  ])('to %s is a TypeError', async (_, event, sentence) => {
    const { attempts, send } = setUp();
    for (const pattern of ['message.*', 'status.*', 'flow.*'] as const) {
      attempts.app.on(pattern, (_event, { reply }) => reply.text('Ho'));
    }
    const id = await attempts.store(event);
    await attempts.attempt();
    expect((await attempts.find(id)).error).toContain(`HANDLER_FAILED: TypeError: ${sentence}`);
    expect(send).not.toHaveBeenCalled();
  });

  test('of a job is a TypeError, and its graph sends from the number of the settings', async () => {
    const { attempts, graphFor } = setUp();
    attempts.app.job('invoice', {}, async (_, c) => {
      await c.graph.sendText({ to: '1' }, 'Hi');
      return (c as EventContext).reply;
    });
    await attempts.store(newItem(1, { kind: 'job', type: 'invoice' }));
    expect(await attempts.attempt()).toBe('retry');
    expect((await attempts.find(itemId(1, 'job'))).error).toContain('only a message has a sender');
    expect(graphFor.mock.calls).toEqual([[]]);
  });
});

describe('media', () => {
  test('asked for when the handler has ended is MEDIA_UNAVAILABLE: nobody would remove the file', async () => {
    const attempts = new Attempts({ graphFor: () => ({}) as GraphClient });
    let context: EventContext | undefined;
    attempts.app.on('message.image', (_, c) => {
      context = c;
    });
    await attempts.store(image());
    expect(await attempts.attempt()).toBe('done');
    expect(() => context?.media()).toThrow(expect.objectContaining({ code: 'MEDIA_UNAVAILABLE' }));
  });
});
