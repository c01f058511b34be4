/** The end of a service under load: what it took, it answers; what it leased, it gives back. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import { createPhone, textMessage } from '../../src/testing/index.ts';
import type { Inbox } from '../../src/webhooks/inbox.ts';
import { RunningCommand, temporaryDirectory } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { httpServers } from '../support/http-servers.ts';
import { keyPair } from '../support/keys.ts';
import { MemoryInbox } from '../support/memory-inbox.ts';
import { Tally } from '../support/raw-http.ts';
import { APP_SECRET, startTestService, VERIFY_TOKEN } from '../support/service.ts';

const phoneOf = (url: string) => createPhone({ url, publicKey: keyPair.publicKey, appSecret: APP_SECRET });

/** Does it again and again, until the server takes no more. @returns how often it was answered. */
async function untilRefused(act: () => Promise<unknown>): Promise<number> {
  for (let answered = 0; ; answered++) {
    try {
      await act();
    } catch (error) {
      if ((error as Error).name === 'PhoneError') throw error; // an answer, but a wrong one
      return answered;
    }
  }
}

describe.each(httpServers)('closing on %s', (server) => {
  test('answers every request whose handler began, and stores every delivery it acknowledged', async () => {
    const begun = new Tally();
    const app = createApp();
    app.flow('slow').init(async (c) => {
      begun.add();
      await new Promise((resolve) => setTimeout(resolve, 5));
      return c.screen('A');
    });
    let inbox: Inbox | undefined;
    const openInbox = async ({ clock }: { clock: ConstructorParameters<typeof MemoryInbox>[0] }) => {
      inbox = new MemoryInbox(clock);
      return inbox;
    };
    const service = await startTestService(app, { HTTP_SERVER: server }, undefined, { openInbox });
    const flows = Array.from({ length: 20 }, () => {
      const phone = phoneOf(service.url);
      return untilRefused(() => phone.open('slow'));
    });
    const webhooks = Array.from({ length: 5 }, () => {
      const phone = phoneOf(service.url);
      return untilRefused(() => phone.deliver([textMessage('hello')]));
    });
    await begun.reached(200);
    await service.close();
    const answered = (await Promise.all(flows)).reduce((sum, count) => sum + count, 0);
    const acknowledged = (await Promise.all(webhooks)).reduce((sum, count) => sum + count, 0);
    expect(answered).toBe(begun.count);
    const { waiting = 0, done = 0, leased } = (await inbox?.stats()) ?? {};
    expect(waiting + done).toBeGreaterThanOrEqual(acknowledged);
    expect(leased).toBe(0);
  });
});

test('serve ends with 0 on SIGTERM under load, and lets the handlers that run finish', async () => {
  const secrets = { APP_SECRET, VERIFY_TOKEN, PRIVATE_KEY: keyPair.privateKey };
  const ports = { HOST: '127.0.0.1', PORT: '0', ADMIN_PORT: '0', WORKERS: '1', DATA_DIR: temporaryDirectory() };
  const command = new RunningCommand(['serve', 'examples/booking/app.ts'], { ...secrets, ...ports });
  const [, port] = await command.printed(/"port":(\d+)/);
  const loops = Array.from({ length: 10 }, () => {
    const phone = phoneOf(`http://127.0.0.1:${port}`);
    return untilRefused(() => phone.open('booking'));
  });
  await phoneOf(`http://127.0.0.1:${port}`).open('booking');
  command.process.kill('SIGTERM');
  expect(await command.ended).toMatchObject({ code: 0, stderr: '' });
  await Promise.all(loops);
});

test('serve waits for a handler after the first signal, with /readyz red, and for nothing after the second', async () => {
  const directory = temporaryDirectory();
  const file = join(directory, 'app.mjs');
  const flowgate = JSON.stringify(new URL('../../dist/index.js', import.meta.url).href);
  writeFileSync(
    file,
    `import { createApp } from ${flowgate};
    const app = createApp();
    app.on('message.text', () => new Promise(() => console.log('it began')));
    export default app;`,
  );
  const secrets = { APP_SECRET, VERIFY_TOKEN, PRIVATE_KEY: keyPair.privateKey };
  const ports = { HOST: '127.0.0.1', PORT: '0', ADMIN_PORT: '0', WORKERS: '1', DATA_DIR: directory };
  const command = new RunningCommand(['serve', file], { ...secrets, ...ports });
  const [, port, adminPort] = await command.printed(/"port":(\d+),"adminPort":(\d+)/);
  await phoneOf(`http://127.0.0.1:${port}`).sendText('wait');
  await command.printed(/it began/);
  command.process.kill('SIGTERM');
  await eventually(async () => {
    const ready = await fetch(`http://127.0.0.1:${adminPort}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('ending')]);
  });
  command.process.kill('SIGTERM');
  expect(await command.ended).toMatchObject({ code: 1 });
});
