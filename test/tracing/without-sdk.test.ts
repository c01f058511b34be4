import { ProxyTracer } from '@opentelemetry/api';
import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createApp } from '../../src/app.ts';
import { systemClock } from '../../src/clock.ts';
import { createPhone, textMessage } from '../../src/testing/index.ts';
import { createTracing } from '../../src/tracing/otel.ts';
import type { NewItem } from '../../src/webhooks/inbox.ts';
import { Attempts } from '../support/attempts.ts';
import { keyPair } from '../support/keys.ts';
import { MemoryInbox, newItem } from '../support/memory-inbox.ts';
import { Tally } from '../support/raw-http.ts';
import { APP_SECRET, startTestService } from '../support/service.ts';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test('there is no tracer', () => {
  expect(createTracing(systemClock)).toBeUndefined();
});

test('no span is begun and no traceparent is stored', async () => {
  const startSpan = vi.spyOn(ProxyTracer.prototype, 'startSpan');
  const startActiveSpan = vi.spyOn(ProxyTracer.prototype, 'startActiveSpan');
  const handled = new Tally();
  const stored: NewItem[] = [];
  const inbox = new MemoryInbox(systemClock);
  const append = inbox.append.bind(inbox);
  inbox.append = (items) => {
    stored.push(...items);
    return append(items);
  };
  const app = createApp();
  app.job('invoice', {}, handled.add);
  app.on('message.text', (_, c) => c.defer('invoice', { total: 7 }));
  app.flow('demo').init(async (c) => {
    await c.defer('invoice', { total: 8 });
    return c.screen('FIRST');
  });
  await using service = await startTestService(app, {}, undefined, { openInbox: async () => inbox });
  const phone = createPhone({ url: service.url, publicKey: keyPair.publicKey, appSecret: APP_SECRET });
  await phone.open('demo');
  await phone.deliver([textMessage('Hi')]);
  await handled.reached(2);
  expect(stored.map(({ type }) => type).toSorted()).toEqual(['invoice', 'invoice', 'message.text']);
  expect(JSON.stringify(stored)).not.toContain('traceparent');
  expect(startSpan).not.toHaveBeenCalled();
  expect(startActiveSpan).not.toHaveBeenCalled();
});

test('a job that a traced process deferred is given its payload alone', async () => {
  const attempts = new Attempts();
  const seen: unknown[] = [];
  attempts.app.job('invoice', { schema: z.strictObject({ total: z.number() }) }, (payload) => void seen.push(payload));
  const payload = { total: 7, 'flowgate.traceparent': TRACEPARENT };
  await attempts.store(newItem(1, { kind: 'job', type: 'invoice', payload }));
  expect(await attempts.attempt()).toBe('done');
  expect(seen).toEqual([{ total: 7 }]);
});
