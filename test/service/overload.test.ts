import { describe, expect, test } from 'vitest';
import { FlowgateError } from '../../src/errors.ts';
import { createApp } from '../../src/index.ts';
import { httpServers } from '../support/http-servers.ts';
import { silentLog } from '../support/log.ts';
import { post, seal, startTestService } from '../support/service.ts';

const app = createApp();
app.flow('demo').init((c) => c.screen('A'));

/** A service whose decryption does as it is told. */
async function start(httpServer: string) {
  const decryption = {
    isSaturated: false,
    unwrap: () => Promise.reject(new FlowgateError('DEADLINE_EXPIRED', 'told so')),
    close: async () => {},
  };
  const parts = { startDecryption: async () => decryption };
  return { decryption, service: await startTestService(app, { HTTP_SERVER: httpServer }, silentLog, parts) };
}

describe.each(httpServers)('beyond capacity, on %s', (httpServer) => {
  test('a request is refused with 503 and Retry-After before its signature is looked at, and without a body', async () => {
    const { decryption, service } = await start(httpServer);
    await using _ = service;
    decryption.isSaturated = true;
    const url = `${service.url}/flows/demo`;
    const responses = await Promise.all(Array.from({ length: 20 }, () => post(url, 'not even signed', {})));
    for (const response of responses) {
      expect([response.status, response.headers.get('retry-after'), await response.text()]).toEqual([503, '1', '']);
    }
    const { adminUrl } = service;
    expect(await (await fetch(`${adminUrl}/metrics`)).text()).toContain('flowgate_shed_total{reason="queue_full"} 20');
    decryption.isSaturated = false;
    expect((await post(url, 'not even signed', {})).status).toBe(432);
  });

  test('/healthz is answered all the same', async () => {
    const { decryption, service } = await start(httpServer);
    await using _ = service;
    decryption.isSaturated = true;
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
  });

  test('a request that waited too long is told to come back', async () => {
    const { service } = await start(httpServer);
    await using _ = service;
    const response = await post(`${service.url}/flows/demo`, (await seal({ action: 'INIT' })).body);
    expect([response.status, response.headers.get('retry-after'), await response.text()]).toEqual([503, '1', '']);
  });
});
