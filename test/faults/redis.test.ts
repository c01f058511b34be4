/** Redis away, silent, empty or killed: webhooks are refused in time, Flows go on, and nothing acknowledged is lost. */
import { describe, expect, test, vi } from 'vitest';
import { textMessage } from '../../src/testing/index.ts';
import { DEFAULT_LEASE_MS } from '../../src/webhooks/inbox.ts';
import { TestRedis } from '../support/redis.ts';
import { hasRedisServer } from '../support/redis-available.ts';
import { GIVE_UP, TEST_TIMEOUT_MS } from './support/give-up.ts';
import { itemIdOf } from './support/inbox-file.ts';
import { Installation } from './support/installation.ts';
import { Meta, messageIdOf } from './support/meta.ts';
import { deliverUntilTaken, expectNoAlarm, handledOnce, messages, refusals } from './support/outage.ts';
import { Random } from './support/random.ts';
import type { Server } from './support/server.ts';

vi.setConfig({ testTimeout: TEST_TIMEOUT_MS });

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];
/** Late enough that no other time limit of a request explains a refusal. */
const PATIENT = { FLOW_DEADLINE_MS: '9000' };

describe.runIf(hasRedisServer)('Redis', () => {
  test('that is not there at the start is used as soon as it is', async () => {
    await using redis = await TestRedis.prepare(...DURABLE);
    await using site = new Installation();
    const server = await site.serve('recording', { ...PATIENT, REDIS_URL: redis.url });
    const refused = await refusals(server, 20);
    await redis.start();
    await deliverUntilTaken(server, refused);
    await handledOnce(site, refused);
    await expectNoAlarm(server);
  });

  test('that is stopped for a while loses nothing, and is used again when it is back', async () => {
    await using redis = await TestRedis.start(...DURABLE);
    await using site = new Installation();
    const server = await site.serve('recording', { ...PATIENT, REDIS_URL: redis.url });
    const before = messages(5);
    await server.phone.deliver(before);
    await handledOnce(site, before);
    await redis.stop();
    await server.logged(/"code":"INBOX_UNAVAILABLE".*Redis cannot be used/);
    const refused = await refusals(server, 100);
    await redis.start();
    await server.logged(/Redis can be used again/);
    await deliverUntilTaken(server, refused);
    await handledOnce(site, [...before, ...refused]);
    await expectNoAlarm(server);
  });

  test('that answers no more is given up in time, and used again when it does', async () => {
    await using redis = await TestRedis.start(...DURABLE);
    await using site = new Installation();
    const server = await site.serve('recording', { ...PATIENT, REDIS_URL: redis.url });
    const before = messages(5);
    await server.phone.deliver(before);
    await handledOnce(site, before);
    redis.pause();
    const refused = await refusals(server, 100);
    redis.resume();
    await server.logged(/Redis can be used again/);
    await deliverUntilTaken(server, refused);
    await handledOnce(site, [...before, ...refused]);
    await expectNoAlarm(server);
  });

  test('that is away when an effect ends is told of it when it is back', async () => {
    await using redis = await TestRedis.start(...DURABLE);
    await using site = new Installation();
    const server = await site.serve('recording', { REDIS_URL: redis.url });
    const slow = [textMessage('slow effect')];
    await server.phone.deliver(slow);
    await expect.poll(() => site.journal('effects'), GIVE_UP).toEqual(slow.map(messageIdOf));
    await redis.stop();
    await refusals(server, 10);
    site.letEffectsEnd();
    await refusals(server, 10);
    await redis.start();
    await handledOnce(site, slow);
    await expect.poll(() => server.inbox.stats(), GIVE_UP).toMatchObject({ leased: 0, done: 1, dead: 0 });
  });

  test('that comes back empty is told of in the log, and used', async () => {
    await using redis = await TestRedis.start();
    await using site = new Installation();
    const server = await site.serve('recording', { REDIS_URL: redis.url });
    await server.phone.deliver(messages(5));
    await redis.kill();
    redis.loseDisk();
    await redis.start();
    await server.logged(/"code":"INBOX_LOST".*those not yet handled are lost/);
    const after = messages(5);
    await deliverUntilTaken(server, after);
    await expect.poll(() => site.journal('handled'), GIVE_UP).toEqual(expect.arrayContaining(after.map(messageIdOf)));
  });

  test('that is killed while events come in, and syncs every write, keeps all that was acknowledged', async () => {
    await using redis = await TestRedis.start(...DURABLE);
    await using site = new Installation();
    const web = await site.serve('recording', { REDIS_URL: redis.url, ROLE: 'web' });
    const { acknowledged, refused } = await killOften(redis, web, 10);
    await site.serve('recording', { REDIS_URL: redis.url, ROLE: 'worker' });
    await expect.poll(() => site.journal('handled').sort(), GIVE_UP).toEqual(acknowledged);
    expect(site.journal('effects').sort()).toEqual(acknowledged);
    await expectNoAlarm(web);
    console.log({ kills: 10, acknowledged: acknowledged.length, refusedDeliveries: refused });
  });

  test('that is killed while events are handled has each handled, or given up because of its effect', async () => {
    await using redis = await TestRedis.start(...DURABLE);
    await using site = new Installation();
    const server = await site.serve('recording', { REDIS_URL: redis.url });
    const { acknowledged } = await killOften(redis, server, 5);
    // What was leased while the answer was lost belongs to nobody until the lease has ended and two looks were taken.
    const patience = { ...GIVE_UP, timeout: 3 * DEFAULT_LEASE_MS };
    await expect.poll(() => server.inbox.stats(), patience).toMatchObject({ waiting: 0, leased: 0 });

    const dead = await server.inbox.list('dead', 1_000);
    expect(dead.filter(({ error }) => !error?.startsWith('EFFECT_UNCERTAIN: '))).toEqual([]);
    const given = new Set(dead.map(({ id }) => id));
    const [handled, effects] = [new Set(site.journal('handled')), site.journal('effects')];
    expect(acknowledged.filter((id) => !handled.has(id) && !given.has(itemIdOf(id)))).toEqual([]);
    expect(effects.length).toBe(new Set(effects).size);
    await expectNoAlarm(server);
    console.log({ kills: 5, acknowledged: acknowledged.length, handled: handled.size, uncertain: dead.length });
  });
});

/** @returns the ids that were acknowledged, sorted, and how many deliveries were refused. */
async function killOften(redis: TestRedis, server: Server, kills: number) {
  const random = new Random(1);
  const meta = new Meta(random);
  let refused = 0;
  for (let round = 0; round < kills; round++) {
    refused += await killUnderLoad(redis, server, meta, random);
    await redis.start();
    await meta.finish(server.phone);
  }
  return { acknowledged: [...meta.acknowledged].sort(), refused };
}

/** Kills Redis after some answers, and resolves when some deliveries were refused. @returns how many. */
async function killUnderLoad(redis: TestRedis, server: Server, meta: Meta, random: Random): Promise<number> {
  const [answers, refusals] = [random.int(1, 20), random.int(1, 10)];
  let kill: Promise<void> | undefined;
  let refused = 0;
  const isOver = () => refused >= refusals;
  await meta.pour(server.phone, isOver, (status, count) => {
    expect([200, 503]).toContain(status);
    if (status === 503) refused = count;
    else if (count >= answers) kill ??= redis.kill();
  });
  await kill;
  return refused;
}
