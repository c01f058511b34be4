import { afterAll, beforeAll, expect, test } from 'vitest';
import { openFacilities } from '../src/facilities.ts';
import { createApp } from '../src/index.ts';
import { createMetrics } from '../src/metrics/registry.ts';
import { createPhone } from '../src/testing/index.ts';
import { eventually } from './support/eventually.ts';
import { FakeCdn, silent } from './support/fake-cdn.ts';
import { FakeClock } from './support/fake-clock.ts';
import { silentLog } from './support/log.ts';
import { MemoryState } from './support/memory-state.ts';

let cdn: FakeCdn;
beforeAll(async () => {
  cdn = await FakeCdn.start();
});
afterAll(() => cdn[Symbol.asyncDispose]());

function open(options: { mediaMaxBytes?: number; mediaTimeoutMs?: number }) {
  const clock = new FakeClock();
  const metrics = createMetrics();
  const facilities = openFacilities({
    store: new MemoryState(clock),
    redisUrl: undefined,
    mediaHosts: [cdn.origin],
    mediaMaxBytes: 1_000,
    mediaTimeoutMs: 60_000,
    flowDeadlineMs: 8_000,
    clock,
    log: silentLog,
    metrics,
    ...options,
  });
  return { clock, metrics, facilities };
}

test('a picked file may have as many bytes as the settings say, and no more', async () => {
  const { facilities } = open({ mediaMaxBytes: 5 });
  await using scope = facilities.media.scope();
  const [fits, tooLarge] = [...scope.picked([cdn.pick('12345')]), ...scope.picked([cdn.pick('123456')])];
  expect(await fits?.download()).toMatchObject({ sizeBytes: 5 });
  await expect(tooLarge?.download()).rejects.toMatchObject({ code: 'MEDIA_INVALID' });
});

test('a download is waited for as long as the settings say', async () => {
  const { clock, facilities } = open({ mediaTimeoutMs: 3_000 });
  await using scope = facilities.media.scope();
  let isOver = false;
  const download = scope.picked([cdn.pick('a file', silent)])[0]?.download();
  download?.catch(() => {
    isOver = true;
  });
  const before = cdn.requests.length;
  await eventually(() => expect(cdn.requests.length).toBeGreaterThan(before));
  clock.advance(2_999);
  await new Promise(setImmediate);
  expect(isOver).toBe(false);
  clock.advance(1);
  await expect(download).rejects.toMatchObject({ code: 'MEDIA_UNAVAILABLE' });
});

test('a server has the limits of its settings', async () => {
  const app = createApp();
  const codes: unknown[] = [];
  app
    .flow('damage')
    .init((c) => c.screen('PHOTOS'))
    .on('PHOTOS', async (c) => {
      const results = await Promise.allSettled(c.media('photos').map((file) => file.download(c.signal)));
      codes.push(...results.map((result) => (result.status === 'rejected' ? result.reason.code : 'ok')));
      return c.complete();
    });
  await using phone = createPhone(app, { settings: { MEDIA_HOSTS: cdn.origin, MEDIA_MAX_BYTES: 5 } });
  await phone.open('damage');
  await phone.submit({ photos: [cdn.pick('12345'), cdn.pick('123456')] });
  expect(codes).toEqual(['ok', 'MEDIA_INVALID']);
});

test('what the cache gives is counted, in the metrics of the server', async () => {
  const { metrics, facilities } = open({});
  await facilities.cache.getOrSet('a', { ttl: '1m' }, () => 1);
  expect(await metrics.render()).toContain('flowgate_cache_requests_total{outcome="loaded"} 1');
  await facilities.close();
});
