import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { checkStored, readCommits } from '../../bench/support/admin-port.ts';
import { makeCredentials } from '../../bench/support/credentials.ts';
import { measureDisk } from '../../bench/support/disk.ts';
import { RedisServer, redisServerVersion } from '../../bench/support/redis-server.ts';
import { storeFigures, workBetween } from '../../bench/support/store-work.ts';
import { DeliveryLoad, deliveryText, nextMessageId, signedDeliveries } from '../../bench/support/webhook-load.ts';
import { itemsIn } from '../../src/webhooks/delivery.ts';
import { hasRedisServer } from '../support/redis-available.ts';

const credentials = makeCredentials();

function parts(bytes: Buffer): { head: string; body: Buffer } {
  const end = bytes.indexOf('\r\n\r\n') + 4;
  return { head: bytes.toString('latin1', 0, end), body: bytes.subarray(end) };
}

test.each([1, 100])('deliveries of %i events are signed, as long as each other, and no event comes twice', (batch) => {
  const next = signedDeliveries(credentials, batch);
  const deliveries = Array.from({ length: 5 }, () => parts(next().bytes));
  const items = deliveries.flatMap(({ head, body }) => {
    const signature = createHmac('sha256', credentials.appSecret).update(body).digest('hex');
    expect(head).toContain(`\r\nX-Hub-Signature-256: sha256=${signature}\r\n`);
    expect(head).toContain(`\r\nContent-Length: ${body.byteLength}\r\n`);
    return itemsIn(body, 0);
  });
  expect(new Set(deliveries.map(({ body }) => body.byteLength)).size).toBe(1);
  expect(new Set(items.map(({ type }) => type))).toEqual(new Set(['message.text']));
  expect(new Set(items.map(({ id }) => id)).size).toBe(5 * batch);
});

test('a delivery of one event is as long as the README says', () => {
  expect(Math.round(deliveryText([nextMessageId()]).length / 10) * 10).toBe(700);
});

test('a load counts the events of what was answered 200, and anything else is a mistake', () => {
  const load = new DeliveryLoad(credentials, 3);
  load.fill(2);
  const sent = Array.from({ length: 4 }, () => parts(load.next().bytes).body); // two of them from no stock
  expect(new Set(sent.flatMap((body) => itemsIn(body, 0).map(({ id }) => id))).size).toBe(12);
  expect(load.mistakeIn(200)).toBeUndefined();
  expect(load.mistakeIn(503)).toBe('a webhook delivery was answered 503');
  expect(load.acknowledged).toBe(3);
});

test('what was acknowledged must be stored, all of it and nothing else', async () => {
  const inbox = { engine: 'sqlite', waiting: 4, leased: 3, done: 2, dead: 1, oldestDueMs: 0 };
  const metrics = '# TYPE x histogram\nflowgate_inbox_commit_seconds_sum 0.5\nflowgate_inbox_commit_seconds_count 42\n';
  const server = createServer(({ url }, response) => {
    if (url === '/inbox') response.end(JSON.stringify(inbox));
    else if (url === '/metrics') response.end(metrics);
    else response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    await checkStored(port, 10);
    await expect(checkStored(port, 11)).rejects.toThrow('11 events were acknowledged, and 10 are stored');
    await expect(checkStored(port, 9)).rejects.toThrow('9 events were acknowledged, and 10 are stored');
    expect(await readCommits(port)).toBe(42);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('what a store did is told for each second and each event, and what nobody counted is left out', () => {
  const work = workBetween({ commits: 10, redisCpuMicros: undefined }, { commits: 30 });
  expect(storeFigures(work, 400, 2)).toEqual({ fsyncsPerSec: 10, eventsPerFsync: 20 });
  expect(storeFigures(workBetween({ redisCpuMicros: 5 }, { redisCpuMicros: 605 }), 20, 2)).toEqual({
    redisCpuMicros: 30,
  });
});

test('the disk is described by what one sync takes', () => {
  expect(measureDisk(1).description).toMatch(/^a lone sync of 4 KB takes \d+ us$/);
});

test.skipIf(!hasRedisServer)(
  'a Redis of a bench is empty, syncs before it answers, and is gone when its scope ends',
  async () => {
    expect(redisServerVersion()).toMatch(/^\d+\.\d+/);
    const { Redis } = await import('ioredis');
    let url = '';
    {
      await using server = await RedisServer.start();
      url = server.url;
      const client = new Redis(url);
      expect(await client.dbsize()).toBe(0);
      expect(await client.config('GET', 'appendfsync')).toEqual(['appendfsync', 'always']);
      expect(await client.config('GET', 'appendonly')).toEqual(['appendonly', 'yes']);
      expect(await server.cpuMicros()).toBeGreaterThan(0);
      client.disconnect();
    }
    const late = new Redis(url, { retryStrategy: () => null, lazyConnect: true }).on('error', () => {});
    await expect(late.connect()).rejects.toThrow();
  },
);
