/** Two servers on one Redis: whichever a user's next request comes to, it knows what the other one kept. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createApp } from '../../src/app.ts';
import { openInbox } from '../../src/stores/open-inbox.ts';
import { openState } from '../../src/stores/open-state.ts';
import { createPhone } from '../../src/testing/index.ts';
import { deferred } from '../support/attempts.ts';
import { eventually } from '../support/eventually.ts';
import { keyPair } from '../support/keys.ts';
import { TestRedis } from '../support/redis.ts';
import { hasRedisServer } from '../support/redis-available.ts';
import { APP_SECRET, post, seal, startTestService } from '../support/service.ts';

/** As on two machines: of the same source, and sharing nothing in memory. */
async function startServer(redisUrl: string) {
  const app = createApp();
  const runs = { slow: 0, pay: 0, fetchSlots: 0 };
  const [written, paid] = [deferred<void>(), deferred<void>()];
  const notes = app.flow('notes').session(z.object({ notes: z.array(z.string()) }));
  notes
    .init(async (c) => c.screen('NOTES', (await c.session.get()) ?? { notes: [] }))
    .on('NOTES', z.object({ note: z.string() }), async (c, { note }) => {
      const kept = await c.session.update(async (session) => {
        if (note === 'slow') {
          runs.slow += 1;
          await written.promise;
        }
        return { notes: [...(session?.notes ?? []), note] };
      });
      return c.screen('NOTES', kept);
    });
  app
    .flow('survey', { tokens: 'required' })
    .init((c) => c.screen('QUESTION', { user: c.user ?? 'nobody' }))
    .on('QUESTION', (c) => c.complete({ answer: c.data['answer'] as string }));
  app
    .flow('shop')
    .init((c) => c.screen('PAY', { random: Math.random() }))
    .on(
      'PAY',
      async (c) => {
        runs.pay += 1;
        await paid.promise;
        return c.complete({ receipt: Math.random() });
      },
      { once: '10m' },
    )
    .on('SLOTS', async (c) => {
      const day = String(c.data['day']);
      const slots = await c.cache.getOrSet(`slots:${day}`, { ttl: '1m' }, () => [
        `slot ${++runs.fetchSlots} of ${day}`,
      ]);
      return c.screen('SLOTS', { slots });
    });
  const service = await startTestService(app, { REDIS_URL: redisUrl }, undefined, { openInbox, openState });
  const phone = createPhone({ url: service.url, publicKey: keyPair.publicKey, appSecret: APP_SECRET });
  const stateCalls = async () => {
    const text = await (await fetch(`${service.adminUrl}/metrics`)).text();
    return Number(/^flowgate_state_call_duration_seconds_count\{outcome="ok"\} (\d+)$/m.exec(text)?.[1] ?? 0);
  };
  return { app, service, phone, runs, written, paid, stateCalls };
}

type TestServer = Awaited<ReturnType<typeof startServer>>;

describe.runIf(hasRedisServer)('what one server kept, the other knows', () => {
  let redis: TestRedis;
  let [one, other]: TestServer[] = [];
  const servers = (): [TestServer, TestServer] => {
    if (!one || !other) throw new Error('they did not start');
    return [one, other];
  };
  beforeAll(async () => {
    redis = await TestRedis.start();
    [one, other] = await Promise.all([startServer(redis.url), startServer(redis.url)]);
    // Redis is connected to in the background; until then calls are refused.
    for (const { app } of servers()) await eventually(() => app.tokens.mint({ user: 'ada', flow: 'survey' }));
  });
  afterAll(async () => {
    await Promise.all([one?.service.close(), other?.service.close()]);
    await redis[Symbol.asyncDispose]();
  });

  test('a session, and none of two writes at the same time is lost', async () => {
    const [{ phone, runs, written }, { phone: otherPhone }] = servers();
    const token = 'token of a session';
    await phone.open('notes', { token });
    await phone.submit({ note: 'first' });
    expect((await otherPhone.open('notes', { token })).data).toEqual({ notes: ['first'] });
    const slow = phone.submit({ note: 'slow' });
    await eventually(() => expect(runs.slow).toBe(1));
    await otherPhone.submit({ note: 'meanwhile' });
    written.resolve();
    expect((await slow).data).toEqual({ notes: ['first', 'meanwhile', 'slow'] });
    expect((await otherPhone.open('notes', { token })).data).toEqual(phone.data);
    expect((await otherPhone.open('notes', { token: 'another token' })).data).toEqual({ notes: [] });
  });

  test('a token: verified by both, used up by one completion at either, and dead where the other revoked it', async () => {
    const [{ app, phone }, { app: otherApp, phone: otherPhone }] = servers();
    const token = await app.tokens.mint({ user: 'ada', flow: 'survey', singleUse: true });
    for (const each of [phone, otherPhone])
      expect((await each.open('survey', { token })).data).toEqual({ user: 'ada' });
    const answers = await Promise.allSettled([phone.submit({ answer: 'yes' }), otherPhone.submit({ answer: 'no' })]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    for (const each of [phone, otherPhone]) await expect(each.open('survey', { token })).rejects.toThrow('427');

    const revoked = await app.tokens.mint({ user: 'ada', flow: 'survey' });
    await phone.open('survey', { token: revoked });
    expect(await otherApp.tokens.revoke(revoked)).toBe(true);
    await expect(phone.open('survey', { token: revoked })).rejects.toThrow('427');
  });

  test('a submit: sent to both, its handler runs once and both get its answer', async () => {
    const [{ phone, runs, paid }, { phone: otherPhone, runs: otherRuns, stateCalls }] = servers();
    const token = 'token of a submit';
    await phone.open('shop', { token });
    await otherPhone.open('shop', { token });
    const first = phone.submit({ card: 'one', cents: 100 });
    await eventually(() => expect(runs.pay).toBe(1));
    const calls = await stateCalls();
    const second = otherPhone.submit({ cents: 100, card: 'one' });
    await eventually(async () => expect(await stateCalls()).toBeGreaterThan(calls)); // it found that another has begun
    paid.resolve();
    await Promise.all([first, second]);
    expect(otherPhone.completed).toEqual(phone.completed);
    expect([runs.pay, otherRuns.pay]).toEqual([1, 0]);
  });

  test('a body: sent to both, it gets one ciphertext', async () => {
    const urls = servers().map(({ service }) => `${service.url}/flows/shop`);
    const { body, openReply } = await seal({ version: '4.0', action: 'INIT', flow_token: 'token of a body' });
    const replies = await Promise.all(urls.map(async (url) => (await post(url, body)).text()));
    expect(JSON.parse(await openReply(replies[0] ?? ''))).toMatchObject({ screen: 'PAY' });
    expect(replies[1]).toBe(replies[0]);
    expect(await (await post(urls[1] ?? '', body)).text()).toBe(replies[0]);
  });

  test('a value of the cache', async () => {
    const [{ phone, runs }, { phone: otherPhone, runs: otherRuns }] = servers();
    for (const each of [phone, otherPhone]) {
      await each.open('shop');
      each.navigate('SLOTS');
      expect((await each.submit({ day: 'monday' })).data).toEqual({ slots: ['slot 1 of monday'] });
    }
    expect([runs.fetchSlots, otherRuns.fetchSlots]).toEqual([1, 0]);
  });
});
