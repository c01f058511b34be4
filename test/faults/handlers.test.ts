/** Handlers that fail, or take the process with them: bounded attempts, and nobody else suffers. */
import { expect, test, vi } from 'vitest';
import { textMessage } from '../../src/testing/index.ts';
import { run } from '../support/command.ts';
import { GIVE_UP, TEST_TIMEOUT_MS } from './support/give-up.ts';
import { Installation } from './support/installation.ts';
import { messageIdOf } from './support/meta.ts';
import { messages } from './support/outage.ts';
import type { Server } from './support/server.ts';

vi.setConfig({ testTimeout: TEST_TIMEOUT_MS });

const ATTEMPTS = 5;
const isIdle = { waiting: 0, leased: 0 };

test('a process killed between the effect and its end runs the handler again, and the effect not', async () => {
  await using site = new Installation();
  const message = textMessage('after the effect');
  const first = await site.serve('dying');
  await first.phone.deliver([message]);
  expect((await first.ended).code).toBeNull();
  expect([site.journal('effects'), site.journal('handled')]).toEqual([[messageIdOf(message)], []]);

  const second = await site.serve('dying');
  await expect.poll(() => second.inbox.stats(), GIVE_UP).toMatchObject({ ...isIdle, done: 1 });
  expect([site.journal('effects'), site.journal('handled')]).toEqual([[messageIdOf(message)], [messageIdOf(message)]]);
});

test('a process killed within the effect leaves it to an operator, who may let it run again', async () => {
  await using site = new Installation();
  const first = await site.serve('dying');
  await first.phone.deliver([textMessage('in the effect')]);
  await first.ended;

  const second = await site.serve('recording');
  await expect.poll(() => second.inbox.stats(), GIVE_UP).toMatchObject({ ...isIdle, dead: 1 });
  const [dead] = await second.inbox.list('dead', 10);
  expect(dead).toMatchObject({ attempts: 2, error: expect.stringMatching(/^EFFECT_UNCERTAIN: /) });
  expect([site.journal('effects').length, site.journal('handled').length]).toEqual([1, 0]);

  expect(await second.inbox.replay(dead?.id)).toBe(1);
  await expect.poll(() => second.inbox.stats(), GIVE_UP).toMatchObject({ ...isIdle, done: 1 });
  expect([site.journal('effects').length, site.journal('handled').length]).toEqual([2, 1]);
});

test('a handler that always throws has its attempts, holds up nobody, and succeeds when replayed after the fix', async () => {
  await using site = new Installation();
  const bad = textMessage('bad');
  const others = messages(20, 'good');
  const broken = await site.serve('failing', { INBOX_CONCURRENCY: '1' });
  await broken.phone.deliver([bad, ...others]);
  await expect.poll(() => broken.inbox.stats(), GIVE_UP).toMatchObject({ ...isIdle, done: 20, dead: 1 });
  const [dead] = await broken.inbox.list('dead', 10);
  expect(dead).toMatchObject({ attempts: ATTEMPTS, error: expect.stringMatching(/^HANDLER_FAILED: .*as always/) });
  expect(site.journal('attempts').filter((id) => id === messageIdOf(bad))).toHaveLength(ATTEMPTS);
  expect(site.journal('handled')).toEqual(others.map(messageIdOf));
  expect(await broken.kill('SIGTERM')).toMatchObject({ code: 0, stderr: '' });

  const fixed = await site.serve('recording');
  const replay = await run(['inbox', 'replay', '--all', '--url', fixed.adminUrl], { DATA_DIR: site.dataDir });
  expect(replay).toMatchObject({ code: 0, stdout: expect.stringContaining('Replayed 1 item') });
  await expect.poll(() => fixed.inbox.stats(), GIVE_UP).toMatchObject({ ...isIdle, done: 21, dead: 0 });
  expect(site.journal('handled')).toEqual([...others, bad].map(messageIdOf));
});

test.each(['process.exit', 'SIGKILL'])(
  'a handler that ends the process by %s runs out of attempts, and takes nobody along',
  async (death) => {
    await using site = new Installation();
    const deadly = textMessage(death);
    const bystanders = messages(20, 'bystander');
    let server = await site.serve('dying', { BYSTANDERS: '20' });
    await server.phone.deliver([deadly, ...bystanders]);
    await server.ended;
    let deaths = 1;
    for (;;) {
      server = site.spawn('dying');
      if (await settles(server)) break;
      deaths += 1;
    }

    expect(deaths).toBe(ATTEMPTS);
    expect(site.journal('attempts')).toEqual(Array(ATTEMPTS).fill(messageIdOf(deadly)));
    expect(new Set(site.journal('handled'))).toEqual(new Set(bystanders.map(messageIdOf)));
    const [dead, ...more] = await server.inbox.list('dead', 10);
    expect([dead?.error, more]).toEqual([expect.stringMatching(/^ATTEMPTS_EXHAUSTED: /), []]);
    await server.phone.deliver([textMessage('life goes on')]);
    await expect.poll(() => server.inbox.stats(), GIVE_UP).toMatchObject({ ...isIdle, done: 21, dead: 1 });
  },
);

/** @returns whether everything was finished before the process ended. */
async function settles(server: Server): Promise<boolean> {
  const idle = server.listening().then(async () => {
    await expect.poll(() => server.inbox.stats(), GIVE_UP).toMatchObject(isIdle);
    return true;
  });
  idle.catch(() => {});
  return Promise.race([idle, server.ended.then(() => false)]);
}
