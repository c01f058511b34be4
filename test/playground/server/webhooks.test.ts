import { expect, test } from 'vitest';
import { createApp } from '../../../src/app.ts';
import { systemClock } from '../../../src/clock.ts';
import { ALERTS, type InboxView, type WebhookReport } from '../../../src/playground/api.ts';
import { MAX_VIEWED } from '../../../src/playground/inbox-view.ts';
import { MemoryInbox } from '../../support/memory-inbox.ts';
import { init, TestPlayground } from './support/playground.ts';

test('a completion is delivered, handled, and seen with the job it left', async () => {
  const app = createApp();
  const booked: unknown[] = [];
  const job = app.job<{ n: number }>('invoice', { attempts: 2 }, () => Promise.reject(new Error('no printer')));
  app
    .flow('demo')
    .init((c) => c.complete({ slot: 'ten' }))
    .completed(({ data, flowToken }, c) => {
      booked.push({ data, flowToken });
      return c.defer(job, { n: 1 });
    });
  await using playground = await TestPlayground.start(app);
  const { answer } = await playground.exchange('demo', init('mine'));
  const { params } = (answer as { data: { extension_message_response: { params: object } } }).data
    .extension_message_response;
  const completion = { kind: 'completion', flow: 'demo', token: 'mine', params };
  const report = await playground.post<WebhookReport>('webhook', completion);
  expect(report.status).toBe(200);
  expect(report.body).toContain('"nfm_reply"');
  expect(report.items).toEqual([expect.stringMatching(/^evt_[\da-f]{32}$/)]);
  const [id = ''] = report.items;
  const event = await playground.item((item) => item.id === id && item.state === 'done');
  expect(event).toEqual({
    id,
    kind: 'event',
    type: 'message.interactive.nfm_reply',
    state: 'done',
    attempts: 1,
    storedAtMs: expect.any(Number),
  });
  expect(booked).toEqual([{ data: { slot: 'ten' }, flowToken: 'mine' }]);
  const invoice = await playground.item(
    ({ kind, attempts, state }) => kind === 'job' && attempts > 0 && state !== 'leased',
  );
  expect(invoice).toMatchObject({ type: 'invoice', deferredBy: id, error: expect.stringContaining('no printer') });
  const shown = await fetch(`${playground.service.adminUrl}/inbox/items/${id}`);
  expect(await shown.json()).toMatchObject({ id, state: 'done' });
});

test('a job that is to wait says until when, and one that is given up can be replayed', async () => {
  const app = createApp();
  let isBroken = true;
  const later = app.job('later', { attempts: 1 }, () => {});
  const soon = app.job('soon', { attempts: 1 }, () => {
    if (isBroken) throw new Error('broken');
  });
  app.on('message.text', async (_, c) => {
    await c.defer(later, {}, { delayMs: 3_600_000 });
    await c.defer(soon, {}, { key: 'by a name of its own' });
  });
  await using playground = await TestPlayground.start(app);
  const { items } = await playground.post<WebhookReport>('webhook', { kind: 'text', text: 'hi' });
  const waiting = await playground.item(({ type }) => type === 'later');
  expect(waiting).toMatchObject({ state: 'waiting', attempts: 0, deferredBy: items[0] });
  expect(waiting.dueAtMs).toBeGreaterThan(waiting.storedAtMs + 3_000_000);
  const dead = await playground.item(({ state }) => state === 'dead');
  expect(dead).toMatchObject({ type: 'soon', deferredBy: items[0], attempts: 1 });
  expect(dead).not.toHaveProperty('dueAtMs');
  isBroken = false;
  const headers = { 'Content-Type': 'application/json' };
  await fetch(`${playground.service.adminUrl}/inbox/items/${dead.id}/replay`, { method: 'POST', headers, body: '{}' });
  expect(await playground.item(({ id, state }) => id === dead.id && state === 'done')).toMatchObject({ attempts: 1 });
});

test('a job that the handler of a Flow left was left by no item', async () => {
  const app = createApp();
  const job = app.job('note', {}, () => {});
  app.flow('demo').init(async (c) => {
    await c.defer(job, {});
    return c.screen('A', {});
  });
  await using playground = await TestPlayground.start(app);
  await playground.exchange('demo', init());
  expect(await playground.item(({ type, state }) => type === 'note' && state === 'done')).not.toHaveProperty(
    'deferredBy',
  );
});

test.each(ALERTS)('an alert comes as Meta sends it, when it begins and when it ends: %s', async (alert) => {
  const app = createApp();
  const alerts: unknown[] = [];
  app.on('flow.*', (event) => void alerts.push(event));
  await using playground = await TestPlayground.start(app);
  for (const isActive of [true, false]) {
    const { status, body, items } = await playground.post<WebhookReport>('webhook', { kind: 'alert', alert, isActive });
    expect(status).toBe(200);
    expect(body).toContain(`"event":"${alert.toUpperCase()}"`);
    expect(body).toContain(`"alert_state":"${isActive ? 'ACTIVATED' : 'DEACTIVATED'}"`);
    await playground.item(({ id, state }) => id === items[0] && state === 'done');
  }
  expect(alerts).toHaveLength(2);
});

test('a text is told as it was written, escaped as Meta escapes it', async () => {
  const app = createApp();
  const texts: unknown[] = [];
  app.on('message.text', ({ text }) => void texts.push(text));
  await using playground = await TestPlayground.start(app);
  const text = '<script>alert(1)</script> ä 🙂 /';
  const { body, items } = await playground.post<WebhookReport>('webhook', { kind: 'text', text });
  expect(body).toContain('\\u00e4');
  await playground.item(({ id, state }) => id === items[0] && state === 'done');
  expect(texts).toEqual([text]);
});

test('an event that nobody handles is done, and the view has the newest of them', async () => {
  await using playground = await TestPlayground.start(createApp());
  const ids: string[] = [];
  for (let i = 0; i < MAX_VIEWED + 3; i++) {
    ids.push(...(await playground.post<WebhookReport>('webhook', { kind: 'text', text: 'hi' })).items);
  }
  await playground.item(({ id, state }) => id === ids.at(-1) && state === 'done');
  await playground.item(({ id, state }) => id === ids.at(-MAX_VIEWED) && state === 'done');
  const { items } = await playground.get<InboxView>('inbox');
  expect(items).toHaveLength(MAX_VIEWED);
  expect(items.map(({ id }) => id)).not.toContain(ids[0]);
  const times = items.map(({ storedAtMs }) => storedAtMs);
  expect(times).toEqual([...times].sort((a, b) => b - a));
});

test('an inbox that cannot be reached stores nothing, and is told in a sentence', async () => {
  const inbox = new MemoryInbox(systemClock);
  await using playground = await TestPlayground.start(createApp(), {}, { openInbox: async () => inbox });
  inbox.failure = 'the inbox is away';
  const report = await playground.post<WebhookReport>('webhook', { kind: 'text', text: 'hi' });
  expect(report).toMatchObject({ status: 503, items: [] });
  const response = await fetch(`${playground.api}inbox`);
  expect([response.status, await response.json()]).toEqual([503, { error: 'the inbox is away' }]);
  inbox.failure = undefined;
  expect((await playground.post<WebhookReport>('webhook', { kind: 'text', text: 'hi' })).items).toHaveLength(1);
});

test('an alert that is delivered twice in one second is one event', async () => {
  const inbox = new MemoryInbox(systemClock);
  await using playground = await TestPlayground.start(createApp(), {}, { openInbox: async () => inbox });
  const items: string[] = [];
  const bodies = new Set<string>();
  for (let i = 0; i < 20; i++) {
    const alert = { kind: 'alert', alert: 'endpoint_latency', isActive: true };
    const report = await playground.post<WebhookReport>('webhook', alert);
    bodies.add(report.body);
    items.push(...report.items);
  }
  expect(items).toHaveLength(bodies.size);
});
