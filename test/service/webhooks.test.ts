import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type App, createApp } from '../../src/app.ts';
import {
  createPhone,
  flowAlert,
  image,
  nfmReply,
  type Phone,
  statusUpdate,
  TEST_BUSINESS,
  TEST_USER,
  textMessage,
} from '../../src/testing/index.ts';
import { FakeGraph, GRAPH_TOKEN, PHONE_NUMBER_ID } from '../support/fake-graph.ts';
import { httpServers } from '../support/http-servers.ts';
import { keyPair } from '../support/keys.ts';
import { Tally } from '../support/raw-http.ts';
import { APP_SECRET, startTestService, VERIFY_TOKEN } from '../support/service.ts';

/** An app that counts what its handlers are given, and keeps what they saw. */
function countingApp() {
  const handled = new Tally();
  const seen: unknown[] = [];
  const see = (what: unknown) => {
    seen.push(what);
    handled.add();
  };
  return { app: createApp(), handled, seen, see };
}

async function startWithPhone(app: App, settings = {}): Promise<{ phone: Phone; url: string } & AsyncDisposable> {
  const service = await startTestService(app, settings);
  const { url } = service;
  const phone = createPhone({ url, publicKey: keyPair.publicKey, appSecret: APP_SECRET });
  return { phone, url, [Symbol.asyncDispose]: () => service.close() };
}

describe.each(httpServers)('on %s', (server) => {
  const settings = { HTTP_SERVER: server };

  test('answers the handshake with the challenge, bare, and only for the verify token', async () => {
    await using running = await startWithPhone(createApp(), settings);
    const ask = (token: string) =>
      fetch(`${running.url}/webhook?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=${token}`);
    const right = await ask(encodeURIComponent(VERIFY_TOKEN));
    expect([right.status, await right.text()]).toEqual([200, '1158201444']);
    const wrong = await ask('guessed');
    expect([wrong.status, await wrong.text()]).toEqual([403, '']);
  });

  test('3 messages in one delivery are handled 3 times, 2 statuses twice', async () => {
    const { app, handled, seen, see } = countingApp();
    app.on('message.text', ({ text }) => see(text));
    app.on('status.*', ({ status }) => see(status));
    await using running = await startWithPhone(app, settings);
    await running.phone.deliver([textMessage('one'), textMessage('two'), textMessage('three')]);
    const messageId = 'wamid.sent';
    await running.phone.deliver([
      statusUpdate({ messageId, status: 'read' }),
      statusUpdate({ messageId, status: 'delivered' }),
    ]);
    await handled.reached(5);
    expect(seen.toSorted()).toEqual(['delivered', 'one', 'read', 'three', 'two']);
  });

  test('refuses a forged delivery with 401 and handles nothing of it', async () => {
    const { app, handled, see } = countingApp();
    app.on('message.*', see);
    await using running = await startWithPhone(app, settings);
    for (const signature of [null, 'sha256=', `sha256=${'0'.repeat(64)}`, 'sha1=x']) {
      const [reply] = await running.phone.deliverRaw([textMessage('forged')], { signature });
      expect(reply).toMatchObject({ status: 401, body: '' });
    }
    await running.phone.sendText('genuine');
    await handled.reached(1);
    expect(handled.count).toBe(1);
  });

  test('handles a delivery once, however often and however batched it comes', async () => {
    const { app, handled, seen, see } = countingApp();
    app.on('message.text', ({ text }) => see(text));
    await using running = await startWithPhone(app, settings);
    const { phone } = running;
    await phone.deliver([textMessage('one'), textMessage('two')], { times: 50 });
    await phone.sendText('three');
    await phone.redeliver();
    await phone.sendText('last');
    await handled.reached(4);
    expect(seen.toSorted()).toEqual(['last', 'one', 'three', 'two']);
  });

  test('acknowledges before the handler has done anything', async () => {
    const { app, handled, see } = countingApp();
    let acknowledge = () => {};
    const acknowledged = new Promise<void>((resolve) => {
      acknowledge = resolve;
    });
    app.on('message.text', async ({ text }) => {
      await acknowledged; // a handler that waited for this before the 200 could never see it
      see(text);
    });
    await using running = await startWithPhone(app, settings);
    expect(await running.phone.sendText('slow')).toBe(200);
    acknowledge();
    await handled.reached(1);
  });

  test('acknowledges what it cannot understand, and hands it to the handler for that', async () => {
    const { app, handled, seen, see } = countingApp();
    app.on('unknown', ({ field, text, raw }) => see({ field, text, raw }));
    await using running = await startWithPhone(app, settings);
    await running.phone.deliver('no JSON at all');
    await running.phone.deliver({
      entry: [{ id: '1', changes: [{ field: 'account_update', value: { event: 'X' } }] }],
    });
    await handled.reached(2);
    expect(seen).toContainEqual({ field: undefined, text: 'no JSON at all', raw: {} });
    expect(seen).toContainEqual({
      field: 'account_update',
      text: undefined,
      raw: expect.objectContaining({ field: 'account_update' }),
    });
  });

  test('refuses a delivery over 3 MiB and takes one just under it', async () => {
    await using running = await startWithPhone(createApp(), settings);
    const withText = (chars: number) => `{"text":"${'x'.repeat(chars)}"}`;
    const [fits] = await running.phone.deliverRaw(withText(3 * 1024 * 1024 - 20));
    expect(fits?.status).toBe(200);
    const [tooLarge] = await running.phone.deliverRaw(withText(3 * 1024 * 1024)).catch(() => [{ status: 413 }]);
    expect(tooLarge?.status).toBe(413);
  });
});

test('a completed Flow reaches its own handler, its response parsed, validated and without our marks', async () => {
  const { app, handled, seen, see } = countingApp();
  app
    .flow('booking')
    .init((c) => c.screen('A'))
    .on('A', (c) => c.complete({ appointment: 'a-1', seats: 2 }))
    .completed(z.object({ appointment: z.string(), seats: z.number() }), ({ data, from, flowToken }) => {
      see([data.appointment, data.seats, from, flowToken]);
    });
  app.flow('other').completed(() => see('not mine'));
  app.on('message.interactive.nfm_reply', ({ response }) => see(response));
  await using running = await startWithPhone(app);
  const { phone } = running;
  await phone.open('booking', { token: 'token-1' });
  await phone.submit({});
  await phone.sendCompletion();
  await handled.reached(1);
  expect(seen).toEqual([['a-1', 2, expect.stringMatching(/^\d+$/), 'token-1']]);

  await phone.deliver([nfmReply({ token: 'unused', params: { of: 'a Flow without an endpoint' } })]);
  await handled.reached(2);
  expect(seen[1]).toEqual({ flow_token: 'unused', of: 'a Flow without an endpoint' });
});

test('a job that a Flow handler and an event handler defer runs once each, typed and validated', async () => {
  const { app, handled, seen, see } = countingApp();
  const invoice = app.job('invoice', { schema: z.object({ cents: z.coerce.number() }) }, ({ cents }) => see(cents));
  app.flow('shop').init(async (c) => {
    await c.defer(invoice, { cents: '100' });
    return c.screen('A');
  });
  let attempts = 0;
  app.on(
    'message.text',
    async (_, c) => {
      await c.defer(invoice, { cents: 200 });
      attempts += 1;
      if (attempts === 1) throw new Error('after the job was deferred');
    },
    { retry: { minDelayMs: 1 } },
  );
  await using running = await startWithPhone(app);
  await running.phone.open('shop');
  await running.phone.sendText('buy');
  await handled.reached(2);
  await running.phone.sendText('again');
  await handled.reached(3);
  expect(seen.toSorted()).toEqual([100, 200, 200]);
});

test('replies through the Graph API, from the number that was written to', async () => {
  await using graph = await FakeGraph.start();
  const app = createApp();
  app.on('message.text', ({ text }, c) => c.reply.text(`You said: ${text}`));
  const settings = { GRAPH_TOKEN, PHONE_NUMBER_ID: '1', GRAPH_BASE_URL: graph.url };
  await using running = await startWithPhone(app, settings);
  const business = { phoneNumberId: PHONE_NUMBER_ID };
  await running.phone.deliver([textMessage('hello', { business: { ...TEST_BUSINESS, ...business } })]);
  await graph.calls.reached(1);
  expect(graph.messages[0]).toMatchObject({ body: { to: TEST_USER.waId, text: { body: 'You said: hello' } } });
});

test('every kind of event reaches its handler', async () => {
  const { app, handled, seen, see } = countingApp();
  app.on('message.image', ({ media }) => see(media.caption));
  app.on('flow.endpoint_latency', ({ value, threshold, alertState }) => see([value, threshold, alertState]));
  app.on('status.failed', ({ errorCodes }) => see(errorCodes));
  await using running = await startWithPhone(app);
  await running.phone.deliver([
    image({ caption: 'the receipt' }),
    statusUpdate({ messageId: 'wamid.1', status: 'failed', fields: { errors: [{ code: 131047 }] } }),
    flowAlert('ENDPOINT_LATENCY', { p90_latency: 8000, threshold: 7000, alert_state: 'ACTIVATED' }),
  ]);
  await handled.reached(3);
  expect(seen).toEqual(expect.arrayContaining(['the receipt', [8000, 7000, 'ACTIVATED'], [131047]]));
});

test('an app in memory: what a test sends is handled when settled() resolves', async () => {
  const { app, seen, see } = countingApp();
  app.on('message.text', async ({ text }, c) => c.defer(shout, { text }));
  const shout = app.job('shout', {}, ({ text }) => see(String(text).toUpperCase()));
  const phone = createPhone(app);
  await phone.sendText('hi');
  await phone.settled();
  await phone.close();
  expect(seen).toEqual(['HI']);
});
