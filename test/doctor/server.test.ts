import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { httpServerCheck, inboxCheck, readinessCheck, redisCheck } from '../../src/doctor/server-checks.ts';
import { createApp } from '../../src/index.ts';
import { inspectInboxFile } from '../../src/stores/inspect-inbox-file.ts';
import { temporaryDirectory } from '../support/command.ts';
import { findingOf } from '../support/doctor.ts';
import { httpServers } from '../support/http-servers.ts';
import { closedUrl, startAnswering, startServer } from '../support/proxy.ts';
import { TestRedis } from '../support/redis.ts';
import { hasRedisServer } from '../support/redis-available.ts';
import { startTestService } from '../support/service.ts';

const json = (status: number, value: object) => startAnswering(status, { body: JSON.stringify(value) });

describe('the running server', () => {
  test('is ready', async () => {
    await using service = await startTestService(createApp());
    const { adminUrl } = service;
    expect(await findingOf(readinessCheck, { adminUrl })).toEqual({
      status: 'ok',
      text: `ready, says ${adminUrl}/readyz`,
    });
  });

  test('is not ready, and why', async () => {
    await using server = await json(503, { ready: false, problems: { inbox: 'the disk is full', keys: 'one is cut' } });
    expect(await findingOf(readinessCheck, { adminUrl: server.url })).toEqual({
      status: 'failed',
      text: 'not ready: inbox: the disk is full; keys: one is cut',
    });
  });

  test('is not to be asked there', async () => {
    const adminUrl = await closedUrl();
    expect(await findingOf(readinessCheck)).toEqual({
      status: 'skipped',
      text: 'give --admin, the admin port of the running server',
    });
    expect(await findingOf(readinessCheck, { adminUrl })).toEqual({
      status: 'skipped',
      text: `nothing listens at ${adminUrl}: start the server, or give --admin`,
    });
    expect(await findingOf(readinessCheck, { adminUrl, isAdminMeant: true })).toEqual({
      status: 'failed',
      text: `nothing listens at ${adminUrl}: start the server, or mend --admin`,
    });
    await using other = await startAnswering(404);
    expect(await findingOf(readinessCheck, { adminUrl: other.url })).toEqual({
      status: 'failed',
      text: `${other.url} answers 404: give --admin the admin port (ADMIN_PORT) of a server`,
    });
    await using closing = await startServer((incoming) => incoming.destroy());
    expect((await findingOf(readinessCheck, { adminUrl: closing.url })).text).toMatch(/Is --admin the admin port\?$/);
  });
});

describe('the inbox', () => {
  test('is asked of the server that owns it', async () => {
    await using service = await startTestService(createApp());
    const { adminUrl } = service;
    expect(await findingOf(inboxCheck, { adminUrl })).toEqual({
      status: 'ok',
      text: `sqlite, of the server at ${adminUrl}: 0 waiting, 0 at work, 0 dead`,
    });
  });

  test('is looked at from outside where no server answers', async () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'inbox.db');
    const look = (userId = process.getuid?.()) => findingOf(inboxCheck, { env: { DATA_DIR: directory }, userId });
    expect(await look()).toEqual({ status: 'ok', text: `${path} will be made at the first start` });
    writeFileSync(path, 'x'.repeat(2_000));
    expect(await look()).toEqual({ status: 'ok', text: `${path}, 2 KB, owned by this user, writable` });
    writeFileSync(`${path}-wal`, 'x'.repeat(3 * 1024 * 1024));
    expect((await look(99_999)).text).toBe(
      `${path}, 2 KB and a log of 3.0 MB, owned by user ${process.getuid?.()}, writable`,
    );
  });

  test('cannot be made', async () => {
    const taken = join(temporaryDirectory(), 'file');
    writeFileSync(taken, '');
    const env = { DATA_DIR: join(taken, 'data') };
    expect(await findingOf(inboxCheck, { env })).toEqual({
      status: 'failed',
      text: `${taken} is no directory, so ${join(taken, 'data', 'inbox.db')} cannot be made: mend DATA_DIR`,
    });
  });

  test('cannot be written: the file, or where it and its log are made', () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'inbox.db');
    const look = (locked: string) => inspectInboxFile(directory, 99_999, (place) => place !== locked);
    expect(look(directory)).toEqual({
      isUsable: false,
      text: `${path} cannot be made, since this user cannot write ${directory}: mend DATA_DIR, or chown`,
    });
    writeFileSync(path, '');
    const owner = process.getuid?.();
    for (const locked of [path, directory]) {
      expect(look(locked)).toEqual({
        isUsable: false,
        text: `${path}, empty, owned by user ${owner}, but this user cannot write ${locked}: chown it, or start as user ${owner}`,
      });
    }
  });

  test('in Redis has no file', async () => {
    expect(await findingOf(inboxCheck, { env: { REDIS_URL: 'redis://127.0.0.1:1' } })).toEqual({
      status: 'skipped',
      text: 'in Redis: a server whose admin port answers would tell more',
    });
  });
});

describe('Redis', () => {
  const look = (url: string) => findingOf(redisCheck, { env: { REDIS_URL: url } });

  test('is not used, or away', async () => {
    expect((await findingOf(redisCheck)).text).toBe('set REDIS_URL to keep the inbox in Redis: it is embedded now');
    const { host } = new URL(await closedUrl());
    expect(await look(`redis://user:hunter2@${host}`)).toEqual({
      status: 'failed',
      text: `${host} cannot be used (ECONNREFUSED): start it, open its port, or mend REDIS_URL`,
    });
  });

  describe.runIf(hasRedisServer)('that runs', () => {
    test('keeps everything, or all but the last second', async () => {
      await using always = await TestRedis.start('--appendonly', 'yes', '--appendfsync', 'always');
      const { status, text } = await look(always.url);
      expect({ status, text }).toEqual({
        status: 'ok',
        text: expect.stringMatching(/^127\.0\.0\.1:\d+ answers in \d+ ms, keeps what it is given$/),
      });
      await using everySecond = await TestRedis.start('--appendonly', 'yes');
      expect(await look(everySecond.url)).toEqual({
        status: 'ok',
        text: expect.stringMatching(
          /up to one second of acknowledged events; "appendfsync always" prevents it \(now appendfsync everysec\)$/,
        ),
      });
    });

    test('loses what it is given', async () => {
      await using redis = await TestRedis.start('--maxmemory-policy', 'allkeys-lru');
      const { status, text } = await look(redis.url);
      expect(status).toBe('failed');
      expect(text).toContain('"noeviction" prevents it (now maxmemory-policy allkeys-lru)');
      expect(text).toContain('"appendonly yes" prevents it (now appendonly no)');
    });

    test('does not show its settings, refuses the password, or hangs', async () => {
      await using shy = await TestRedis.start('--rename-command', 'CONFIG', '');
      expect((await look(shy.url)).text).toMatch(/ms, does not show its settings$/);
      await using locked = await TestRedis.start('--requirepass', 'right');
      const refused = await look(locked.url.replace('//', '//:hunter2@'));
      expect(refused.text).toMatch(/cannot be used \(WRONGPASS\): mend user and password in REDIS_URL$/);
      expect(refused.text).not.toContain('hunter2');
      await using paused = await TestRedis.start();
      paused.pause();
      expect((await look(paused.url)).text).toMatch(/cannot be used \(TIMEOUT\): start it, open its port/);
    });
  });
});

describe('the HTTP server', () => {
  const failing = (message: string, code?: string) => () => {
    throw Object.assign(new Error(message), { code });
  };
  const here = `Node ${process.version}, ${process.platform} ${process.arch}`;

  test.runIf(httpServers.includes('uws'))('is uWebSockets.js, and which build', async () => {
    const { status, text } = await findingOf(httpServerCheck);
    expect(status).toBe('ok');
    expect(text).toMatch(/^uWebSockets\.js, \S+ \d+\.\d+\.\d+, binary uws_\w+_\w+_\d+; Node v/);
    expect(text).toContain(here);
  });

  test('is node:http, since the settings say so', async () => {
    const { status, text } = await findingOf(httpServerCheck, { env: { HTTP_SERVER: 'node' } });
    expect({ status, text }).toEqual({ status: 'ok', text: expect.stringContaining('node:http, as HTTP_SERVER says') });
  });

  test.each([
    ["version `GLIBC_2.38' not found", undefined, 'its binary needs GLIBC 2.38'],
    ["Cannot find module 'uWebSockets.js'", 'MODULE_NOT_FOUND', 'the optional package is not installed'],
    [
      'x\n\nCannot find module ./uws_linux_x64_999.node',
      undefined,
      'it has no binary uws_linux_x64_999.node that fits',
    ],
    ['Error loading shared library', undefined, 'its binary does not fit'],
  ])('is node:http, since uWebSockets.js cannot be loaded: %s', async (message, code, why) => {
    const loadUws = failing(message, code);
    const { status, text } = await findingOf(httpServerCheck, { loadUws });
    expect(status).toBe('ok');
    expect(text).toContain(`node:http, which is slower: uWebSockets.js cannot be loaded (${why})`);
    const asked = await findingOf(httpServerCheck, { loadUws, env: { HTTP_SERVER: 'uws' } });
    expect(asked.status).toBe('failed');
    expect(asked.text).toMatch(/so node:http would serve, .*: see "uWebSockets.js" in the README$/);
  });
});
