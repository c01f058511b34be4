/** One body, several servers: what each of them sends. */
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { ReplyMemory } from '../../src/flows/reply-memory.ts';
import type { HttpReply } from '../../src/http/server.ts';
import { RedisReplies, type SharedReplyOutcome } from '../../src/stores/redis-replies.ts';
import { eventually } from '../support/eventually.ts';
import { within } from '../support/raw-http.ts';
import { TestRedis } from '../support/redis.ts';
import { hasRedisServer } from '../support/redis-available.ts';

const MAX_BODY_CHARS = 256 * 1024;
const reply = (body: string): HttpReply => ({ status: 200, headers: { 'Content-Type': 'text/plain' }, body });
const newFingerprint = () => randomBytes(16).toString('latin1');

/** A server's memory, connected to this Redis; closed at the end of the scope. */
async function openNode(redis: TestRedis, timeoutMs = 10_000) {
  const node = prepareNode(redis, timeoutMs);
  await eventually(async () => {
    await node.memory.once(newFingerprint(), async () => reply('ready?'));
    expect(node.outcomes.at(-1)).toBe('kept');
  });
  node.outcomes.length = 0;
  return node;
}

function prepareNode({ url }: TestRedis, timeoutMs?: number) {
  const outcomes: SharedReplyOutcome[] = [];
  const onOutcome = (outcome: SharedReplyOutcome) => void outcomes.push(outcome);
  const replies = new RedisReplies({ url, clock: systemClock, onOutcome, ...(timeoutMs && { timeoutMs }) });
  const memory = new ReplyMemory(systemClock, {}, replies);
  return { memory, outcomes, replies, [Symbol.asyncDispose]: () => replies.close() };
}

describe.runIf(hasRedisServer)('two servers on one Redis', () => {
  test('send one reply for a body that came to both, one after the other', async () => {
    await using redis = await TestRedis.start();
    await using first = await openNode(redis);
    await using second = await openNode(redis);
    const body = newFingerprint();
    const sealedBySecond = vi.fn(async () => reply('two'));
    expect(await first.memory.once(body, async () => reply('one'))).toEqual(reply('one'));
    expect(await second.memory.once(body, sealedBySecond)).toEqual(reply('one'));
    expect(await second.memory.once(body, sealedBySecond)).toEqual(reply('one'));
    expect(sealedBySecond).toHaveBeenCalledTimes(1); // both are handled, one is sent
    expect([first.outcomes, second.outcomes]).toEqual([['kept'], ['other']]);
  });

  test('send one reply for a body that is in work on both', async () => {
    await using redis = await TestRedis.start();
    await using first = await openNode(redis);
    await using second = await openNode(redis);
    for (let round = 0; round < 20; round++) {
      const body = newFingerprint();
      const sent = await Promise.all([
        first.memory.once(body, async () => reply(`one ${round}`)),
        second.memory.once(body, async () => reply(`two ${round}`)),
      ]);
      expect(sent[0]).toEqual(sent[1]);
    }
    const outcomes = [...first.outcomes, ...second.outcomes].sort();
    expect(outcomes).toEqual([...Array(20).fill('kept'), ...Array(20).fill('other')]);
  });

  test('tell bodies apart by every bit of their fingerprints', async () => {
    await using redis = await TestRedis.start();
    await using first = await openNode(redis);
    await using second = await openNode(redis);
    const alike = [0x00, 0x0a, 0x0d, 0x7f, 0x80, 0xc3, 0xfe, 0xff].flatMap((byte) => {
      return [Buffer.alloc(16, byte), Buffer.alloc(16, byte).fill(byte ^ 1, 0, 1)].map((bytes) =>
        bytes.toString('latin1'),
      );
    });
    for (const body of alike) await first.memory.once(body, async () => reply(`${alike.indexOf(body)}`));
    for (const body of alike) {
      expect((await second.memory.once(body, async () => reply('two'))).body).toBe(`${alike.indexOf(body)}`);
    }
  });

  test('keep a reply of 256 KiB, and of a larger one that it was sent', async () => {
    await using redis = await TestRedis.start();
    await using first = await openNode(redis);
    await using second = await openNode(redis);
    const [largest, larger] = [newFingerprint(), newFingerprint()];
    const large = 'x'.repeat(MAX_BODY_CHARS);
    await first.memory.once(largest, async () => reply(large));
    expect((await second.memory.once(largest, async () => reply('two'))).body === large).toBe(true);

    expect((await first.memory.once(larger, async () => reply(`${large}x`))).body).toHaveLength(MAX_BODY_CHARS + 1);
    const sealed = vi.fn(async () => reply('two'));
    const again = () => second.memory.once(larger, sealed);
    await expect(again()).rejects.toMatchObject({ code: 'REPLY_FORGOTTEN' });
    await expect(again()).rejects.toMatchObject({ code: 'REPLY_FORGOTTEN' });
    expect(sealed).toHaveBeenCalledTimes(1); // then this server knows as well
    expect(second.outcomes).toEqual(['other', 'forgotten']);
  });

  test('keep a dead token for what it was, and nothing that was not sealed', async () => {
    await using redis = await TestRedis.start();
    await using first = await openNode(redis);
    await using second = await openNode(redis);
    const [dead, failed] = [newFingerprint(), newFingerprint()];
    await first.memory.once(dead, async () => ({ status: 427, body: 'sealed' }));
    expect(await second.memory.once(dead, async () => reply('two'))).toEqual({ status: 427, body: 'sealed' });
    await expect(first.memory.once(failed, () => Promise.reject(new Error('threw')))).rejects.toThrow('threw');
    expect(await second.memory.once(failed, async () => reply('two'))).toEqual(reply('two'));
  });

  test('keep it for a minute, under one key', async () => {
    await using redis = await TestRedis.start();
    await using first = await openNode(redis);
    const client = new Redis(redis.url);
    await client.flushall();
    await first.memory.once('\xff'.repeat(16), async () => reply('one'));
    expect(await client.keys('*')).toEqual(['flowgate:reply:_____________________w']);
    const [key = ''] = await client.keys('*');
    const leftMs = await client.pttl(key);
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(60_000);
    client.disconnect();
  });

  test('refuse a body whose kept reply cannot be read: one was sent', async () => {
    await using redis = await TestRedis.start();
    await using first = await openNode(redis);
    const client = new Redis(redis.url);
    await client.set('flowgate:reply:_____________________w', '{"status":2');
    const sealed = first.memory.once('\xff'.repeat(16), async () => reply('one'));
    await expect(sealed).rejects.toMatchObject({ code: 'REPLY_FORGOTTEN' });
    client.disconnect();
  });
});

describe.runIf(hasRedisServer)('a server whose Redis is', () => {
  test('away sends its own reply, remembers it, and shares again when Redis is there', async () => {
    await using redis = await TestRedis.prepare();
    await using node = prepareNode(redis);
    const body = newFingerprint();
    const seal = vi.fn(async () => reply('one'));
    for (let i = 0; i < 3; i++) expect(await node.memory.once(body, seal)).toEqual(reply('one'));
    expect(seal).toHaveBeenCalledTimes(1);
    expect(node.outcomes).toEqual(['unavailable']);
    await redis.start();
    await eventually(async () => {
      await node.memory.once(newFingerprint(), seal);
      expect(node.outcomes.at(-1)).toBe('kept');
    });
  });

  test('hanging sends its own reply, and shares again when Redis answers', async () => {
    await using redis = await TestRedis.start();
    await using node = await openNode(redis, 100);
    redis.pause();
    const bodies = Array.from({ length: 20 }, (_, i) => `${i}`.padEnd(16));
    const sent = bodies.map((body) =>
      within(
        node.memory.once(body, async () => reply(body)),
        'a reply',
      ),
    );
    expect((await Promise.all(sent)).map(({ body }) => body)).toEqual(bodies);
    expect(node.outcomes).toEqual(Array(20).fill('unavailable'));
    redis.resume();
    await eventually(async () => {
      await node.memory.once(newFingerprint(), async () => reply('one'));
      expect(node.outcomes.at(-1)).toBe('kept');
    });
  });

  test('without its scripts is told them again', async () => {
    await using redis = await TestRedis.start();
    await using node = await openNode(redis);
    const client = new Redis(redis.url);
    await client.script('FLUSH');
    await node.memory.once(newFingerprint(), async () => reply('one'));
    expect(node.outcomes).toEqual(['kept']);
    client.disconnect();
  });
});
