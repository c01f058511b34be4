import { describe, expect, test, vi } from 'vitest';
import { FlowgateError } from '../../src/errors.ts';
import { type GraphClient, GraphError } from '../../src/graph/client.ts';
import type { GraphFor } from '../../src/graph/graph.ts';
import { type FindSender, Sender, type SenderOptions } from '../../src/tenants/sender.ts';
import {
  flowAlert,
  image,
  type MetaEvent,
  nfmReply,
  statusUpdate,
  systemMessage,
  TEST_BUSINESS,
  TEST_USER,
  textMessage,
  type WhatsAppUser,
} from '../../src/testing/index.ts';
import type { EventContext } from '../../src/webhooks/context.ts';
import { MAX_NOTE_CHARS } from '../../src/webhooks/inbox.ts';
import { itemOf } from '../support/any-delivery.ts';
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
    expect(graphFor.mock.calls).toEqual([[undefined]]);
  });
});

describe('in the name of another business', () => {
  const PAIR = { owner: 'tenant acme', token: 'EAAofAcme' };
  const down = new FlowgateError('TENANT_UNAVAILABLE', 'the provider is down');
  const once = { retry: { attempts: 1 } };

  /** Events of `/webhook/acme`, and a Graph API that tells with which token and from which number it was asked. */
  function setUp(sender: SenderOptions = { graphToken: PAIR.token, phoneNumberId: '7' }) {
    const sendText = vi.fn(async () => ({ messageId: 'wamid.9' }));
    const mediaInfo = vi.fn(async () => Promise.reject(failed(false)));
    const graphFor = vi.fn<GraphFor>(() => ({ sendText, mediaInfo }) as Partial<GraphClient> as GraphClient);
    const findSender = vi.fn<FindSender>(async () => new Sender(sender));
    const attempts = new Attempts({ graphFor, findSender });
    const store = (event: MetaEvent, tenant: string | undefined = 'acme') => {
      const item = itemOf(event);
      return attempts.store({ ...item, payload: { ...item.payload, ...(tenant && { tenant }) } });
    };
    return { attempts, store, graphFor, findSender, sendText };
  }
  const acme = { kind: 'tenant', name: 'acme', phoneNumberId: TEST_BUSINESS.phoneNumberId };

  test('a tenant’s event is answered with the tenant’s token, from the number that was written to', async () => {
    const { attempts, store, graphFor, findSender, sendText } = setUp();
    attempts.app.on('message.text', async (_, c) => {
      await c.reply.text('Ho');
      await c.graph.sendText({ to: '1' }, 'Ha');
    });
    await store(textMessage('Hi'));
    expect(await attempts.attempt()).toBe('done');
    expect(graphFor.mock.calls).toEqual(Array(2).fill([TEST_BUSINESS.phoneNumberId, PAIR]));
    expect(findSender.mock.calls).toEqual(Array(2).fill([acme]));
    const bounds = expect.objectContaining({ signal: expect.any(AbortSignal), deadline: expect.any(Object) });
    expect(sendText).toHaveBeenLastCalledWith({ to: '1' }, 'Ha', bounds);
  });

  test('an event that names no number is answered from the tenant’s own, or not at all', async () => {
    for (const [sender, expected] of [
      [{ graphToken: PAIR.token, phoneNumberId: '7' }, [['7', PAIR]]],
      [{ graphToken: PAIR.token }, []],
      [{}, []],
    ] as const) {
      const { attempts, store, graphFor } = setUp(sender);
      attempts.app.on('flow.*', (_, { graph }) => graph.sendText({ to: '1' }, 'an alert'), once);
      const id = await store(flowAlert('ENDPOINT_LATENCY'));
      expect(await attempts.attempt()).toBe(expected.length > 0 ? 'done' : 'dead');
      expect(graphFor.mock.calls).toEqual(expected);
      if (expected.length === 0) expect((await attempts.find(id)).error).toContain('tenant acme has no phoneNumberId');
    }
  });

  test('a handler that sends nothing asks for no sender, though it takes everything off its context', async () => {
    const { attempts, store, findSender } = setUp();
    findSender.mockRejectedValue(down);
    attempts.app.on('message.image', (_, { reply, graph, media }) => {
      expect([typeof reply.text, typeof graph.sendText, typeof media]).toEqual(Array(3).fill('function'));
    });
    await store(image());
    expect(await attempts.attempt()).toBe('done');
    expect(findSender).not.toHaveBeenCalled();
  });

  test('while its sender cannot be had the attempt fails and is made again, and an effect is not uncertain', async () => {
    const { attempts, store, findSender, sendText } = setUp();
    findSender.mockRejectedValueOnce(down).mockRejectedValueOnce(new FlowgateError('TENANT_UNKNOWN', 'none'));
    attempts.app.on('message.text', (_, c) => c.once('reply', () => c.reply.text('Ho')));
    const id = await store(textMessage('Hi'));
    for (const code of ['TENANT_UNAVAILABLE', 'TENANT_UNKNOWN']) {
      expect(await attempts.attempt()).toBe('retry');
      expect((await attempts.find(id)).error).toContain(`${code}: `);
      attempts.clock.advance(await attempts.dueInMs(id));
    }
    expect(await attempts.attempt()).toBe('done');
    expect(sendText).toHaveBeenCalledTimes(1);
  });

  test.each<[string, (lookup: { resolve(sender: Sender): void; reject(error: Error): void }) => void]>([
    ['could not be had', ({ reject }) => reject(down)],
    ['was had too late', ({ resolve }) => resolve(new Sender({ graphToken: PAIR.token }))],
  ])('an effect whose sender %s is not uncertain, though the deadline passed meanwhile', async (_, end) => {
    const { attempts, store, findSender } = setUp();
    const lookup = deferred<Sender>();
    findSender.mockReturnValueOnce(lookup.promise);
    const options = { deadlineMs: 5_000 };
    attempts.app.on('message.text', (_, c) => c.once('reply', () => c.reply.text('Ho')), options);
    const id = await store(textMessage('Hi'));
    const { ended } = await attempts.begin();
    await attempts.pass(5_000);
    await ended;
    end(lookup);
    await attempts.pass(await attempts.dueInMs(id));
    expect(await attempts.attempt()).toBe('done');
  });

  test('its files are found with its token', async () => {
    const { attempts, store, graphFor } = setUp();
    attempts.app.on('message.image', (_, c) => c.media()[0]?.download(), once);
    await store(image());
    expect(await attempts.attempt()).toBe('dead');
    expect(graphFor.mock.calls).toEqual([[TEST_BUSINESS.phoneNumberId, PAIR]]);
  });

  test('a job that a tenant’s handler defers sends as that tenant, and so do the jobs of that job', async () => {
    const { attempts, store, graphFor, findSender } = setUp();
    const seen: unknown[] = [];
    attempts.app.on('message.text', (_, { defer }) => defer('first', { n: 1 }));
    attempts.app.job('first', {}, async (payload, c) => {
      seen.push(payload);
      await c.defer('second', [2]);
      await c.graph.sendText({ to: '1' }, 'Ho');
    });
    attempts.app.job('second', {}, async (payload, c) => {
      seen.push(payload);
      await c.graph.sendText({ to: '1' }, 'Ho');
    });
    await store(textMessage('Hi'));
    expect([await attempts.attempt(), await attempts.attempt(), await attempts.attempt()]).toEqual(
      Array(3).fill('done'),
    );
    expect(seen).toEqual([{ n: 1 }, [2]]);
    expect(findSender.mock.calls).toEqual([[acme], [acme]]);
    expect(graphFor.mock.calls).toEqual(Array(2).fill([TEST_BUSINESS.phoneNumberId, PAIR]));
  });

  test('a key is a tenant’s own: the job of another is not taken for its', async () => {
    const { attempts, store } = setUp();
    attempts.app.on('message.text', (_, { defer }) => defer('first', {}, { key: 'order-1' }));
    attempts.app.job('first', {}, () => {});
    for (const tenant of ['', 'acme', 'globex']) {
      await store(textMessage('Hi', { id: `wamid.${tenant}1` }), tenant);
      expect([await attempts.attempt(), await attempts.attempt()]).toEqual(['done', 'done']);
      await store(textMessage('Hi', { id: `wamid.${tenant}2` }), tenant);
      expect(await attempts.attempt()).toBe('done');
      await expect(attempts.attempt()).rejects.toThrow('nothing is due');
    }
  });

  test('a job takes nobody’s name from its payload', async () => {
    const { attempts, store, graphFor, findSender } = setUp();
    const forged = { 'flowgate.business': { kind: 'tenant', name: 'globex' }, 'flowgate.payload': { n: 1 } };
    const seen = vi.fn();
    attempts.app.on('message.text', (_, { defer }) => defer('first', forged));
    attempts.app.job('first', {}, (payload, { graph }) => {
      seen(payload);
      return graph.sendText({ to: '1' }, 'Ho');
    });
    for (const tenant of ['', 'acme']) {
      await store(textMessage('Hi', { id: `wamid.${tenant}` }), tenant);
      expect([await attempts.attempt(), await attempts.attempt()]).toEqual(['done', 'done']);
      expect(seen).toHaveBeenLastCalledWith(forged);
    }
    expect(findSender.mock.calls).toEqual([[acme]]);
    expect(graphFor.mock.calls[0]).toEqual([undefined]);
  });

  describe('that a Flow belongs to', () => {
    const completed = (flow: string) => nfmReply({ token: `${flow}:1`, params: {} }, { id: `wamid.${flow}` });

    test('its completion is answered as that business, and another Flow’s as the settings’', async () => {
      const { attempts, store, graphFor, findSender } = setUp();
      const answer = (_: unknown, { reply }: EventContext) => reply.text('Thank you');
      attempts.app.flow('survey', { graphToken: 'EAA' }).completed(answer);
      attempts.app.flow('visit', { keys: 'a second key of the settings' }).completed(answer);
      for (const flow of ['survey', 'visit']) await store(completed(flow), '');
      expect([await attempts.attempt(), await attempts.attempt()]).toEqual(['done', 'done']);
      const number = TEST_BUSINESS.phoneNumberId;
      expect(findSender.mock.calls).toEqual([[{ kind: 'flow', name: 'survey', phoneNumberId: number }]]);
      expect(graphFor.mock.calls).toEqual([[number, { owner: 'flow survey', token: PAIR.token }], [number]]);
    });

    test('what a tenant signs is answered as the tenant, whatever Flow it names', async () => {
      const { attempts, store, findSender } = setUp();
      attempts.app.flow('survey', { graphToken: 'EAA' }).completed((_, { reply }) => reply.text('Thank you'));
      await store(completed('survey'));
      expect(await attempts.attempt()).toBe('done');
      expect(findSender.mock.calls).toEqual([[acme]]);
    });

    test('any other message is answered as the settings’ business', async () => {
      const { attempts, store, findSender, graphFor } = setUp();
      attempts.app.flow('survey', { graphToken: 'EAA' });
      attempts.app.on('message.*', (_, { reply }) => reply.text('Ho'));
      await store(completed('survey'), '');
      expect(await attempts.attempt()).toBe('done');
      expect(findSender).not.toHaveBeenCalled();
      expect(graphFor.mock.calls).toEqual([[TEST_BUSINESS.phoneNumberId]]);
    });
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
