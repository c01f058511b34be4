import { SpanKind, trace } from '@opentelemetry/api';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type App, createApp } from '../../src/app.ts';
import { systemClock } from '../../src/clock.ts';
import { createPhone, type MetaEvent, nfmReply, type Phone, TEST_USER, textMessage } from '../../src/testing/index.ts';
import type { Inbox, NewItem } from '../../src/webhooks/inbox.ts';
import { itemsOf } from '../support/any-delivery.ts';
import { inboxEngines } from '../support/inbox-engines.ts';
import { keyPair } from '../support/keys.ts';
import { MemoryInbox } from '../support/memory-inbox.ts';
import { APP_SECRET, startTestService } from '../support/service.ts';
import {
  childrenOf,
  everythingSaid,
  idsOf,
  linksOf,
  registerSdk,
  resetSpans,
  spanNamed,
  spansNamed,
  statusOf,
} from './spans.ts';

const DELIVERY = 'POST /webhook';
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/;

const phoneOf = (url: string) => createPhone({ url, publicKey: keyPair.publicKey, appSecret: APP_SECRET });

beforeAll(registerSdk);
afterEach(resetSpans);

describe.each(inboxEngines)('over the $name inbox', (engine) => {
  /** A service over a store of its own, a phone for it, and what was stored. */
  async function start(app: App): Promise<{ phone: Phone; stored: NewItem[] } & AsyncDisposable> {
    const store = await engine.start();
    const open = store.newStore();
    const stored: NewItem[] = [];
    const openInbox = async (): Promise<Inbox> => {
      const inbox = await open();
      const append = inbox.append.bind(inbox);
      inbox.append = (items) => {
        stored.push(...items);
        return append(items);
      };
      return inbox;
    };
    const service = await startTestService(app, {}, undefined, { openInbox });
    const dispose = async () => {
      await service.close();
      await store[Symbol.asyncDispose]();
    };
    return { phone: phoneOf(service.url), stored, [Symbol.asyncDispose]: dispose };
  }

  test('a delivery is a span, with the store under it, and a link to it from the attempt at each event', async () => {
    const app = createApp();
    app.on('message.text', () => trace.getTracer('database').startSpan('query').end());
    await using running = await start(app);
    const event = textMessage('Hi');
    await running.phone.deliver([event, textMessage('Ho'), event]);
    const delivery = await spanNamed(DELIVERY);
    expect(delivery.kind).toBe(SpanKind.SERVER);
    expect(delivery.attributes).toEqual({
      'http.request.method': 'POST',
      'http.route': '/webhook',
      'http.response.status_code': 200,
      'flowgate.events': 3,
      'flowgate.stored': 2,
      'flowgate.duplicates': 1,
      'flowgate.outcome': 'ok',
    });
    expect(childrenOf(delivery).map(({ name, kind }) => [name, kind])).toEqual([['inbox.append', SpanKind.INTERNAL]]);
    const attempts = await spansNamed('attempt message.text', 2);
    for (const attempt of attempts) {
      expect(attempt.kind).toBe(SpanKind.CONSUMER);
      expect(attempt.parentSpanContext).toBeUndefined();
      expect(attempt.spanContext().traceId).not.toBe(delivery.spanContext().traceId);
      expect(linksOf(attempt)).toEqual([idsOf(delivery.spanContext())]);
      expect(attempt.attributes).toEqual({
        'flowgate.type': 'message.text',
        'flowgate.attempt': 1,
        'flowgate.outcome': 'done',
      });
      expect(childrenOf(attempt).map(({ name }) => name)).toEqual(['query']);
    }
  });

  test('the attempt at a deferred job has a link to the attempt that deferred it', async () => {
    const seen: unknown[] = [];
    const app = createApp();
    const schema = z.strictObject({ total: z.number(), traceparent: z.string() });
    const invoice = app.job('invoice', { schema }, (payload) => void seen.push(payload));
    app.on('message.text', (_, c) => c.defer(invoice, { total: 7, traceparent: 'its own' }));
    await using running = await start(app);
    await running.phone.sendText('Hi');
    const [attempt] = await spansNamed('attempt message.text', 1);
    const [job] = await spansNamed('attempt job.invoice', 1);
    expect(job && linksOf(job)).toEqual(attempt && [idsOf(attempt.spanContext())]);
    expect(seen).toEqual([{ total: 7, traceparent: 'its own' }]);
  });

  test('the attempt at a job that a Flow deferred has a link to the request', async () => {
    const app = createApp();
    const mail = app.job('mail', {}, () => {});
    app.flow('demo').init(async (c) => {
      await c.defer(mail, { to: 'them' });
      return c.screen('FIRST');
    });
    await using running = await start(app);
    await running.phone.open('demo');
    const [job] = await spansNamed('attempt job.mail', 1);
    expect(job && linksOf(job)).toEqual([idsOf((await spanNamed('POST /flows/demo')).spanContext())]);
  });

  test('what is stored has a traceparent, and the id it has without one', async () => {
    const app = createApp();
    await using running = await start(app);
    const events: MetaEvent[] = [textMessage('Hi'), nfmReply({ token: 't', params: {} })];
    await running.phone.deliver(events);
    expect(running.stored.map(({ id }) => id)).toEqual(itemsOf(...events).map(({ id }) => id));
    expect(running.stored.map(({ payload }) => payload['traceparent'])).toEqual([
      expect.stringMatching(TRACEPARENT),
      expect.stringMatching(TRACEPARENT),
    ]);
    await spansNamed('attempt message.text', 1);
  });

  test('nothing that a user sent, and no message of an error, is in any span', async () => {
    const app = createApp();
    app.job<{ name: string }>('invoice', { attempts: 1 }, ({ name }) => {
      throw new Error(`no row for ${name}`);
    });
    app.on('message.*', (_, c) => c.defer('invoice', { name: 'canary' }, { key: 'canary' }));
    await using running = await start(app);
    await running.phone.sendText('canary-4711', { id: 'wamid.canary' });
    await running.phone.deliver([nfmReply({ token: 'canary', params: { name: 'canary' } })]);
    await spansNamed('attempt message.interactive.nfm_reply', 1);
    expect((await spansNamed('attempt job.invoice', 1)).map(statusOf)).toEqual(['error: handler_failed']);
    expect(everythingSaid()).not.toMatch(/canary|wamid|evt_|job_/);
    for (const said of Object.values(TEST_USER)) expect(everythingSaid()).not.toContain(said);
  });
});

describe('what goes wrong', () => {
  test('in a handler is an error of each attempt, with its code', async () => {
    const app = createApp();
    const retry = { attempts: 2, minDelayMs: 100, maxDelayMs: 100 };
    app.on(
      'message.text',
      () => {
        throw new Error('no database');
      },
      { retry },
    );
    await using phone = createPhone(app);
    await phone.sendText('Hi');
    const attempts = await spansNamed('attempt message.text', 2);
    expect(attempts.map(statusOf)).toEqual(['error: handler_failed', 'error: handler_failed']);
    expect(attempts.map(({ attributes }) => attributes)).toEqual([
      expect.objectContaining({ 'flowgate.attempt': 1, 'flowgate.outcome': 'retry' }),
      expect.objectContaining({ 'flowgate.attempt': 2, 'flowgate.outcome': 'dead' }),
    ]);
    const origin = idsOf((await spanNamed(DELIVERY)).spanContext());
    expect(attempts.map(linksOf)).toEqual([[origin], [origin]]);
  });

  test('with the signature of a delivery is none of ours', async () => {
    await using phone = createPhone(createApp());
    await phone.deliverRaw([textMessage('forged')], { signature: null });
    const delivery = await spanNamed(DELIVERY);
    expect(statusOf(delivery)).toBe('unset');
    expect(delivery.attributes).toMatchObject({
      'http.response.status_code': 401,
      'flowgate.outcome': 'webhook_signature_invalid',
    });
  });

  test('in the store is an error of the delivery', async () => {
    const inbox = new MemoryInbox(systemClock);
    await using service = await startTestService(createApp(), {}, undefined, { openInbox: async () => inbox });
    inbox.failure = 'the disk is full';
    await phoneOf(service.url).deliverRaw([textMessage('Hi')]);
    inbox.failure = undefined;
    expect(statusOf(await spanNamed(DELIVERY))).toBe('error: inbox_unavailable');
    expect(statusOf(await spanNamed('inbox.append'))).toBe('error: inbox_unavailable');
  });
});
