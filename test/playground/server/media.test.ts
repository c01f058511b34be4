import { expect, test } from 'vitest';
import { createApp } from '../../../src/app.ts';
import type { MediaReport } from '../../../src/playground/api.ts';
import { Cdn, MAX_CDN_BYTES, MAX_FILE_BYTES } from '../../../src/playground/cdn.ts';
import type { PickedMediaJson } from '../../../src/testing/media.ts';
import { init, TestPlayground } from './support/playground.ts';

const bytes = new Uint8Array(300_000).map((_, i) => i % 251);

test('a picked file comes to the handler, through the service’s own download', async () => {
  const app = createApp();
  const received: unknown[] = [];
  app.flow('demo').on('A', async (c) => {
    for (const file of c.media('photos')) {
      const downloaded = await file.download();
      received.push({ name: file.name, bytes: await downloaded.bytes() });
    }
    return c.screen('A', {});
  });
  await using playground = await TestPlayground.start(app);
  const picked = await playground.post<MediaReport>('media?name=Ada%27s%20%C3%A4.bin', bytes);
  const payload = { ...init(), action: 'data_exchange', screen: 'A', data: { photos: [picked] } };
  const { report } = await playground.exchange('demo', payload);
  expect(report.thrown).toBeUndefined();
  expect(report.status).toBe(200);
  expect(received).toEqual([{ name: expect.stringContaining('Ada'), bytes: Buffer.from(bytes) }]);
});

test('a link to the admin port is not followed, and one that nobody uploaded is none', async () => {
  const app = createApp();
  app.flow('demo').on('A', async (c) => {
    for (const file of c.media('photos')) await file.download();
    return c.screen('A', {});
  });
  await using playground = await TestPlayground.start(app);
  const picked = (await playground.post<MediaReport>('media?name=a', bytes)) as unknown as PickedMediaJson;
  const thrownFor = async (cdnUrl: string) => {
    const photos = [{ ...picked, cdn_url: cdnUrl }] as never;
    const payload = { ...init(), action: 'data_exchange', screen: 'A', data: { photos } };
    return (await playground.exchange('demo', payload)).report.thrown;
  };
  expect(await thrownFor(`${playground.service.adminUrl}/metrics`)).toContain('its host is not one of those allowed');
  expect(await thrownFor(`${picked.cdn_url}x`)).toContain('404');
});

test('the oldest files go when there are too many, and none is larger than a picker takes', async () => {
  const cdn = await Cdn.start();
  try {
    const large = new Uint8Array(MAX_FILE_BYTES);
    const [first, second, third] = ['a', 'b', 'c'].map((name) => cdn.put(large, name).cdn_url);
    const statusOf = async (url = '') => (await fetch(url)).status;
    expect(3 * MAX_FILE_BYTES).toBeGreaterThan(MAX_CDN_BYTES);
    expect([await statusOf(first), await statusOf(second), await statusOf(third)]).toEqual([404, 200, 200]);
    expect((await fetch(second ?? '', { method: 'POST' })).status).toBe(404);
    expect(await statusOf(`${cdn.origin}/`)).toBe(404);
  } finally {
    await cdn.close();
  }
});
