/** Deliveries that come again, at the same time and in other company: each event is stored once. */
import { expect, test, vi } from 'vitest';
import { textMessage } from '../../src/testing/index.ts';
import { TestRedis } from '../support/redis.ts';
import { hasRedisServer } from '../support/redis-available.ts';
import { GIVE_UP, TEST_TIMEOUT_MS } from './support/give-up.ts';
import { Installation } from './support/installation.ts';
import { messageIdOf } from './support/meta.ts';
import { messages } from './support/outage.ts';
import type { Server } from './support/server.ts';

vi.setConfig({ testTimeout: TEST_TIMEOUT_MS });

test('a retry that merges events of several deliveries stores the new ones alone', async () => {
  await using site = new Installation();
  const server = await site.serve('recording');
  const [a, b, c] = [messages(3), messages(2), messages(1)] as const;
  const { phone } = server;
  await phone.deliver(a);
  await phone.deliver(b);
  await phone.redeliver([...a.slice(1), ...b, ...c]);
  await phone.deliver([...c, ...b, ...c]);
  await expect.poll(() => server.inbox.stats(), GIVE_UP).toMatchObject({ waiting: 0, leased: 0, done: 6 });
  expect(await counted(server)).toEqual({ stored: 6, duplicate: 8 });
  const ids = [...a, ...b, ...c].map(messageIdOf).sort();
  expect([site.journal('effects').sort(), site.journal('handled').sort()]).toEqual([ids, ids]);
});

test.runIf(hasRedisServer)('50 times the same delivery, to two processes at once, is stored once', async () => {
  await using redis = await TestRedis.start();
  await using site = new Installation();
  const env = { REDIS_URL: redis.url };
  const roles = ['web', 'web', 'worker'].map((ROLE) => site.serve('recording', { ...env, ROLE }));
  const [left, right, worker] = (await Promise.all(roles)) as [Server, Server, Server];
  const message = textMessage('hello');
  const replies = await Promise.all([left, right].map(({ phone }) => phone.deliverRaw([message], { times: 25 })));
  expect(replies.flat().map(({ status }) => status)).toEqual(Array(50).fill(200));

  await expect.poll(() => worker.inbox.stats(), GIVE_UP).toMatchObject({ waiting: 0, leased: 0, done: 1, dead: 0 });
  const [l, r] = await Promise.all([counted(left), counted(right)]);
  expect([l.stored + r.stored, l.duplicate + r.duplicate]).toEqual([1, 49]);
  expect([site.journal('effects'), site.journal('handled')]).toEqual([[messageIdOf(message)], [messageIdOf(message)]]);
});

/** What became of the events in acknowledged deliveries. */
async function counted(server: Server): Promise<{ stored: number; duplicate: number }> {
  const count = (outcome: string) => server.metric('flowgate_webhook_events_total', { outcome });
  return { stored: await count('stored'), duplicate: await count('duplicate') };
}
