/** The state store, when its process, its disk or its Redis goes: what was written is there, and nobody waits. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { StateStore } from '../../src/state/state-store.ts';
import { openState } from '../../src/stores/open-state.ts';
import { openSqliteState } from '../../src/stores/sqlite-state.ts';
import { temporaryDirectory } from '../support/command.ts';
import { canMount } from '../support/disk-available.ts';
import { eventually } from '../support/eventually.ts';
import { recordingLog, silentLog } from '../support/log.ts';
import { within } from '../support/raw-http.ts';
import { TestRedis } from '../support/redis.ts';
import { hasRedisServer } from '../support/redis-available.ts';
import { SmallDisk } from './support/disk.ts';
import { TEST_TIMEOUT_MS } from './support/give-up.ts';
import { Random } from './support/random.ts';

vi.setConfig({ testTimeout: TEST_TIMEOUT_MS });

const ttlMs = 3_600_000;
const UNAVAILABLE = { code: 'STATE_UNAVAILABLE' };
const WRITER = fileURLToPath(new URL('../support/write-state.ts', import.meta.url));

/** Every method, called once. */
const everyCall: [string, (state: StateStore) => Promise<unknown>][] = [
  ['get', (state) => state.get('a')],
  ['put', (state) => state.put('a', { value: 'two', ttlMs })],
  ['put over a version', (state) => state.put('a', { value: 'two', ttlMs, ifVersion: 1 })],
  ['delete', (state) => state.delete('a')],
  ['delete of a version', (state) => state.delete('a', 1)],
];

async function expectRefusals(state: StateStore): Promise<void> {
  for (const [name, call] of everyCall) {
    await expect(within(call(state), name), name).rejects.toMatchObject(UNAVAILABLE);
  }
}

test('a process that is killed has lost no record it was told of, whenever it happens', async () => {
  const path = join(temporaryDirectory(), 'state.db');
  const random = new Random(1);
  const told = new Map<string, number>();
  for (let round = 0; round < 8; round++) {
    const child = spawn(process.execPath, ['--import', 'tsx', WRITER, path, `${round}:`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    await readUntilKilled(child, random.int(1, 400), told);
  }
  const state = await openSqliteState({ path, clock: systemClock, log: silentLog });
  for (const [key, version] of told) expect(await state.get(key)).toEqual({ value: `value of ${key}`, version });
  expect(new Set(told.values()).size).toBe(told.size);
  await state.close();
});

/** Notes each record it tells of, and kills it after this many. */
async function readUntilKilled(child: ChildProcess, records: number, told: Map<string, number>): Promise<void> {
  if (!child.stdout) throw new Error('no output');
  const exited = once(child, 'exit');
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [key = '', version] = line.split(' ');
    if (!/^\d+$/.test(version ?? '')) continue; // cut off in the middle
    told.set(key, Number(version));
    count += 1;
    if (count === records) child.kill('SIGKILL');
  }
  expect(await exited).toEqual([null, 'SIGKILL']);
}

describe.runIf(canMount)('a disk', () => {
  test('that is full refuses what is written, still reads, and takes it when there is space again', async () => {
    using disk = new SmallDisk();
    const { log, lines } = recordingLog();
    const state = await openState({ redisUrl: undefined, dataDir: disk.path, clock: systemClock, log });
    const version = await state.put('a', { value: 'one', ttlMs });
    disk.fill();
    const value = 'x'.repeat(100_000);
    await expect(eventuallyRefused(() => state.put('b', { value, ttlMs }))).resolves.toMatchObject(UNAVAILABLE);
    expect(await state.get('a')).toEqual({ value: 'one', version });
    expect(await state.get('b')).toBeUndefined();
    disk.free();
    expect(await eventually(() => state.put('b', { value, ttlMs }))).toBeGreaterThan(version ?? 0);
    expect(lines).toMatchObject([{ ...UNAVAILABLE, reason: 'SQLITE_FULL' }, { level: 30 }]);
    await state.close();
  });

  test('that is read-only at the start is told of in one sentence', async () => {
    using disk = new SmallDisk();
    disk.makeReadOnly();
    const options = { redisUrl: undefined, dataDir: join(disk.path, 'data'), clock: systemClock, log: silentLog };
    await expect(openState(options)).rejects.toMatchObject({
      code: 'INBOX_OPEN_FAILED',
      message: expect.stringMatching(/^the state file .+ cannot be opened \(EROFS\)$/),
    });
  });
});

/** The log that SQLite has already made may have room for a write or two. */
async function eventuallyRefused(call: () => Promise<unknown>): Promise<unknown> {
  for (;;) {
    try {
      await call();
    } catch (error) {
      return error;
    }
  }
}

describe.runIf(hasRedisServer)('Redis', () => {
  const opened: StateStore[] = [];
  afterEach(async () => {
    for (const state of opened.splice(0)) await within(state.close(), 'close');
  });

  async function open(redis: TestRedis, url = redis.url) {
    const { log, lines } = recordingLog();
    const state = await openState({ redisUrl: url, dataDir: '/nowhere', clock: systemClock, log });
    opened.push(state);
    return { state, lines };
  }

  test('that is not there at the start is used as soon as it is', async () => {
    await using redis = await TestRedis.prepare();
    const { state, lines } = await open(redis);
    await expectRefusals(state);
    await redis.start();
    expect(await eventually(() => state.put('a', { value: 'one', ttlMs }))).toBeGreaterThanOrEqual(1);
    expect(lines).toMatchObject([{ ...UNAVAILABLE, reason: 'ECONNREFUSED' }, { msg: 'Redis can be used again' }]);
  });

  test('that is stopped is refused in time, and used again when it is back', async () => {
    await using redis = await TestRedis.start('--appendonly', 'yes', '--appendfsync', 'always');
    const { state } = await open(redis);
    const version = await eventually(() => state.put('a', { value: 'one', ttlMs }));
    await redis.stop();
    await expectRefusals(state);
    await redis.start();
    expect(await eventually(() => state.get('a'))).toEqual({ value: 'one', version });
  });

  test('that answers no more is given up in time, and used again when it does', async () => {
    await using redis = await TestRedis.start();
    const { state, lines } = await open(redis);
    await eventually(() => state.put('a', { value: 'one', ttlMs }));
    redis.pause();
    const calls = Array.from({ length: 50 }, () => state.get('a'));
    for (const call of calls) await expect(within(call, 'an answer')).rejects.toMatchObject(UNAVAILABLE);
    await expectRefusals(state);
    redis.resume();
    expect(await eventually(() => state.get('a'))).toMatchObject({ value: 'one' });
    expect(lines).toMatchObject([{ ...UNAVAILABLE, reason: 'TIMEOUT' }, { msg: 'Redis can be used again' }]);
  });

  test('that comes back empty gives no version twice', async () => {
    await using redis = await TestRedis.start();
    const { state } = await open(redis);
    const before = await eventually(() => state.put('a', { value: 'one', ttlMs }));
    await redis.kill();
    redis.loseDisk();
    await redis.start();
    expect(await eventually(() => state.get('a'))).toBeUndefined();
    const after = await state.put('a', { value: 'two', ttlMs, ifVersion: 0 });
    expect(after).not.toBe(before);
    expect(await state.delete('a', before)).toBe(false);
  });

  test('that has forgotten its scripts is told them again', async () => {
    await using redis = await TestRedis.start();
    const { state } = await open(redis);
    const version = await eventually(() => state.put('a', { value: 'one', ttlMs }));
    await withClient(redis, (client) => client.script('FLUSH'));
    expect(await state.put('a', { value: 'two', ttlMs, ifVersion: version })).toBe((version ?? 0) + 1);
    await withClient(redis, (client) => client.script('FLUSH'));
    expect(await state.delete('a', (version ?? 0) + 1)).toBe(true);
  });

  test('that has no memory left, or something else under the key, refuses by name', async () => {
    await using redis = await TestRedis.start();
    const { state } = await open(redis);
    await eventually(() => state.get('a'));
    await withClient(redis, (client) => client.set('flowgate:state:a', 'a string'));
    for (const [name, call] of everyCall) await expect(call(state), name).rejects.toThrow('(WRONGTYPE)');
    await withClient(redis, (client) => client.config('SET', 'maxmemory', '1'));
    await expect(state.put('b', { value: 'one', ttlMs })).rejects.toThrow('(OOM)');
    expect(await state.get('b')).toBeUndefined();
  });

  test('keeps a record under one key of our own, for its time', async () => {
    await using redis = await TestRedis.start();
    const { state } = await open(redis);
    await eventually(() => state.put('session:1', { value: 'one', ttlMs: 60_000 }));
    await withClient(redis, async (client) => {
      expect(await client.keys('*')).toEqual(['flowgate:state:session:1']);
      const leftMs = await client.pttl('flowgate:state:session:1');
      expect(leftMs).toBeGreaterThan(0);
      expect(leftMs).toBeLessThanOrEqual(60_000);
    });
  });

  test('has a version far beyond 32 bits compared to the last digit', async () => {
    await using redis = await TestRedis.start();
    const { state } = await open(redis);
    await eventually(() => state.put('a', { value: 'one', ttlMs }));
    const large = 2 ** 52 + 1;
    await withClient(redis, (client) => client.hset('flowgate:state:a', 'version', String(large)));
    expect(await state.get('a')).toEqual({ value: 'one', version: large });
    expect(await state.put('a', { value: 'two', ttlMs, ifVersion: large - 1 })).toBeUndefined();
    expect(await state.put('a', { value: 'two', ttlMs, ifVersion: large })).toBe(large + 1);
    expect(await state.delete('a', large)).toBe(false);
    expect(await state.delete('a', large + 1)).toBe(true);
  });

  test('that wants another password is told of without the one that was sent', async () => {
    await using redis = await TestRedis.start('--requirepass', 'right');
    const { state, lines } = await open(redis, redis.url.replace('//', '//:canary@'));
    await eventually(() => expect(lines).not.toEqual([]));
    await expectRefusals(state);
    expect(JSON.stringify(lines)).not.toContain('canary');
  });
});

async function withClient(redis: TestRedis, use: (client: Redis) => Promise<unknown>): Promise<void> {
  const client = new Redis(redis.url);
  try {
    await use(client);
  } finally {
    client.disconnect();
  }
}
