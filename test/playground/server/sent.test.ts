import { afterEach, expect, test } from 'vitest';
import { type App, createApp } from '../../../src/app.ts';
import type { AppReport, MediaReport, WebhookReport } from '../../../src/playground/api.ts';
import type { SentMessage, SentReport } from '../../../src/playground/sent.ts';
import { TEST_BUSINESS, TEST_USER } from '../../../src/testing/webhook-events.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeGraph, GRAPH_TOKEN, PHONE_NUMBER_ID } from '../../support/fake-graph.ts';
import { post, startTestService } from '../../support/service.ts';
import { init, TestPlayground } from './support/playground.ts';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const opened of open.splice(0)) await opened[Symbol.asyncDispose]();
});

async function start(app: App, settings = {}): Promise<TestPlayground> {
  const playground = await TestPlayground.start(app, settings);
  open.push(playground);
  return playground;
}

const sentTo = (playground: TestPlayground, after = 0) => playground.get<SentReport>(`sent?after=${after}`);
const eventuallySent = (playground: TestPlayground, count: number) =>
  eventually(async () => {
    const report = await sentTo(playground);
    expect(report.sent).toHaveLength(count);
    return report;
  });
const write = (playground: TestPlayground, text = 'hi') =>
  playground.post<WebhookReport>('webhook', { kind: 'text', text });

test('what a handler replies with, the page is told, and it fits the message that was answered', async () => {
  const app = createApp();
  app.on('message.text', async ({ messageId = '', from = '', phoneNumberId }, c) => {
    await c.reply.typing();
    await c.reply.text('Thanks');
    await c.graph.sendText({ to: from }, `Sent from ${phoneNumberId}`, { replyTo: messageId });
  });
  const playground = await start(app);
  const { messageId } = await write(playground);
  expect(messageId).toMatch(/^wamid\./);
  const { sent, bootId, nowMs } = await eventuallySent(playground, 3);
  expect(sent).toMatchObject([
    { seq: 1, kind: 'read', messageId, isTyping: true },
    { seq: 2, kind: 'message', content: { type: 'text', text: 'Thanks' } },
    { seq: 3, quotes: messageId, content: { text: `Sent from ${TEST_BUSINESS.phoneNumberId}` } },
  ]);
  expect(sent[1]).not.toHaveProperty('to');
  expect(nowMs).toBeGreaterThanOrEqual(sent[2]?.atMs ?? Number.POSITIVE_INFINITY);
  const report = await playground.get<AppReport>('app');
  expect(report).toMatchObject({ bootId, sendsToPhone: true });
  expect((await sentTo(playground, 2)).sent.map(({ seq }) => seq)).toEqual([3]);
  expect((await sentTo(playground, 3)).sent).toEqual([]);
});

test('a Flow that a handler sends is opened with its token, and its completion answers that message', async () => {
  const app = createApp();
  const completions: unknown[] = [];
  app
    .flow('demo')
    .init((c) => c.complete({ user: c.user ?? 'nobody' }))
    .completed(async ({ replyTo, data }, c) => {
      completions.push({ replyTo, data });
      await c.reply.text('Done');
    });
  app.on('message.text', (_, c) => c.reply.flow('demo', { body: 'B', cta: 'Go', singleUse: true }));
  const playground = await start(app);
  await write(playground);
  const { sent } = await eventuallySent(playground, 1);
  const [{ id, content } = {} as SentMessage] = sent as SentMessage[];
  const { token, flow, user } = content.type === 'flow' ? content.button : { token: '' };
  expect({ flow, user }).toEqual({ flow: 'demo', user: TEST_USER.userId });
  const { answer } = await playground.exchange('demo', init(token));
  const { params } = (answer as { data: { extension_message_response: { params: object } } }).data
    .extension_message_response;
  await playground.post('webhook', { kind: 'completion', flow: 'demo', token, params, replyTo: id });
  const after = await eventuallySent(playground, 2);
  expect(after.sent[1]).toMatchObject({ content: { text: 'Done' } });
  expect(completions).toEqual([{ replyTo: id, data: { user: TEST_USER.userId } }]);
});

test('a job sends a document, and a handler a template', async () => {
  const app = createApp();
  const invoice = app.job<{ to: string }>('invoice', {}, async ({ to }, c) => {
    const document = { data: Buffer.from('%PDF'), filename: 'a.pdf', mimeType: 'application/pdf' };
    await c.graph.sendDocument({ to }, document);
  });
  app.on('message.text', async ({ from = '' }, c) => {
    await c.graph.sendTemplate({ to: from }, { name: 'hello', language: 'en' });
    await c.defer(invoice, { to: from });
  });
  const playground = await start(app);
  await write(playground);
  const { sent } = await eventuallySent(playground, 2);
  expect(sent.map((message) => (message as SentMessage).content.type)).toEqual(['template', 'document']);
});

test('a file that was picked comes to the handler of the completion, too', async () => {
  const app = createApp();
  const received: string[] = [];
  app
    .flow('demo')
    .init((c) => c.screen('A', {}))
    .completed(async (_, c) => {
      for (const file of c.media('photos')) received.push((await (await file.download()).bytes()).toString());
    });
  const playground = await start(app);
  const picked = await playground.post<MediaReport>('media?name=a.txt', 'a picture');
  const params = { flow_token: 'demo:x', photos: [{ id: picked['media_id'], file_name: 'a.txt' }] };
  const completion = { kind: 'completion', flow: 'demo', token: 'demo:x', params };
  const { items } = await playground.post<WebhookReport>('webhook', completion);
  await playground.item(({ id, state }) => id === items[0] && state === 'done');
  expect(received).toEqual(['a picture']);
});

test('what the stand-in refuses is a failure of the attempt, as at Meta', async () => {
  const app = createApp();
  app.on('message.text', (_, c) => c.reply.flow({ flowName: 'x', token: 't', cta: 'c', body: 'x'.repeat(1_025) }));
  const playground = await start(app);
  const { items } = await write(playground);
  const failed = await playground.item(({ id, error }) => id === items[0] && error !== undefined);
  expect(failed.error).toContain('code 131009');
  expect((await sentTo(playground)).sent).toEqual([]);
});

test.each(['x', '-1', '1e3', '1.5', '9'.repeat(16)])('a place in the list is a number: %s', async (after) => {
  const playground = await start(createApp());
  const response = await fetch(`${playground.api}sent?after=${after}`);
  expect([response.status, await response.json()]).toEqual([400, { error: 'after must be the number of a message' }]);
});

test('after a restart the list begins anew', async () => {
  const app = createApp();
  app.on('message.text', (_, c) => c.reply.text('Thanks'));
  const first = await start(app);
  await write(first);
  const before = await eventuallySent(first, 1);
  const second = await start(app);
  const { sent, bootId } = await sentTo(second);
  expect(sent).toEqual([]);
  expect(bootId).not.toBe(before.bootId);
});

test('with GRAPH_TOKEN set the real Graph API is called, and the page is told so', async () => {
  await using graph = await FakeGraph.start();
  const app = createApp();
  app.on('message.text', (_, c) => c.reply.text('Thanks'));
  const settings = { GRAPH_TOKEN, PHONE_NUMBER_ID, GRAPH_BASE_URL: graph.url };
  const playground = await start(app, settings);
  await write(playground);
  await eventually(() => expect(graph.messages).toHaveLength(1));
  expect(await playground.get<AppReport>('app')).toMatchObject({ sendsToPhone: false });
  const response = await fetch(`${playground.api}sent?after=0`);
  expect([response.status, await response.json()]).toEqual([404, { error: expect.stringContaining('GRAPH_TOKEN') }]);
});

test('a service that is served without the playground still cannot send without GRAPH_TOKEN', async () => {
  const app = createApp();
  const told: string[] = [];
  app.on('message.text', async (_, c) => {
    try {
      await c.reply.text('Thanks');
    } catch (error) {
      told.push((error as Error).message);
    }
  });
  await using service = await startTestService(app);
  const playground = await start(createApp()); // whose webhook it gets
  const { body } = await write(playground);
  expect((await post(`${service.url}/webhook`, body)).status).toBe(200);
  await eventually(() => expect(told).toEqual([expect.stringContaining('GRAPH_TOKEN is not set')]));
});

test('what stands in for Meta ends with the service', async () => {
  const app = createApp();
  const urls: string[] = [];
  app.on('message.text', async ({ text }, c) => void urls.push((await c.graph.mediaInfo(text)).url));
  const playground = await TestPlayground.start(app);
  const picked = await playground.post<MediaReport>('media?name=a', 'x');
  await write(playground, String(picked['media_id']));
  await eventually(() => expect(urls).toHaveLength(1));
  const [graphUrl = '', cdnUrl = ''] = [urls[0], String(picked['cdn_url'])];
  expect([(await fetch(graphUrl)).status, (await fetch(cdnUrl)).status]).toEqual([401, 200]);
  await playground.service.close();
  await expect(fetch(graphUrl)).rejects.toThrow();
  await expect(fetch(cdnUrl)).rejects.toThrow();
});
