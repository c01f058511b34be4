import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { type GetOptions, get } from '../../src/media/get.ts';
import { FakeCdn, silent } from '../support/fake-cdn.ts';

const options: GetOptions = {
  headers: {},
  lookup: undefined,
  ca: undefined,
  connectMs: 5_000,
  idleMs: 5_000,
  clock: systemClock,
  signal: new AbortController().signal,
};

test('a connection that is lost before anybody reads is told to whoever reads then', async () => {
  await using cdn = await FakeCdn.start();
  const sockets: Socket[] = [];
  const url = cdn.serve((response, { socket }) => {
    sockets.push(socket);
    response.writeHead(200, { 'Content-Length': 100 }).flushHeaders();
  });
  const answer = await get(new URL(url), options);
  const [socket] = sockets;
  socket?.resetAndDestroy();
  if (socket) await once(socket, 'close');
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
  await expect(answer.body().next()).rejects.toMatchObject({ code: 'ECONNRESET' });
});

test('a request that is aborted before it is made rejects', async () => {
  await using cdn = await FakeCdn.start();
  const asking = get(new URL(cdn.serve(silent())), { ...options, signal: AbortSignal.abort() });
  await expect(asking).rejects.toMatchObject({ name: 'AbortError' });
  expect(cdn.requests).toHaveLength(0);
});
