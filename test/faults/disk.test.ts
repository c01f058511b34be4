/** A disk that is full, read-only, broken or another's: refusals that tell why, and nothing acknowledged is lost. */
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { canFreeze, canLimitFiles, canMount } from '../support/disk-available.ts';
import { HangingDisk, SmallDisk } from './support/disk.ts';
import { GIVE_UP, TEST_TIMEOUT_MS } from './support/give-up.ts';
import { Installation } from './support/installation.ts';
import { Meta } from './support/meta.ts';
import { deliverUntilTaken, expectNoAlarm, handledOnce, messages, refusals } from './support/outage.ts';
import { Random } from './support/random.ts';

vi.setConfig({ testTimeout: TEST_TIMEOUT_MS });

describe.runIf(canMount)('a disk', () => {
  test('that others have filled refuses webhooks, and takes them when there is space again', async () => {
    using disk = new SmallDisk();
    await using site = new Installation(join(disk.path, 'data'));
    const server = await site.serve('recording');
    const before = messages(5);
    await server.phone.deliver(before);
    await handledOnce(site, before);
    disk.fill();
    const refused = await refusals(server, 50);
    await server.logged(/"code":"INBOX_UNAVAILABLE","reason":"SQLITE_FULL"/);
    disk.free();
    await deliverUntilTaken(server, refused);
    await handledOnce(site, [...before, ...refused]);
    await expectNoAlarm(server);
  });

  test('that the inbox itself has filled holds all that was acknowledged, and gives it to the handlers when enlarged', async () => {
    using disk = new SmallDisk();
    await using site = new Installation(join(disk.path, 'data'));
    const server = await site.serve('recording');
    const meta = new Meta(new Random(1));
    let refused = 0;
    const isOver = () => refused >= 20;
    await meta.pour(server.phone, isOver, (status, count) => {
      expect([200, 503]).toContain(status);
      if (status === 503) refused = count;
    });
    disk.enlarge();
    const acknowledgedBefore = meta.acknowledged.size;
    await meta.finish(server.phone);
    const acknowledged = [...meta.acknowledged].sort();
    await expect.poll(() => [...new Set(site.journal('handled'))].sort(), GIVE_UP).toEqual(acknowledged);
    expect(site.journal('effects').sort()).toEqual(acknowledged);
    await expect.poll(() => server.inbox.stats(), GIVE_UP).toMatchObject({ done: acknowledged.length, dead: 0 });
    console.log({ acknowledgedBefore, refusedDeliveries: refused, handled: acknowledged.length });
  });

  test('that is full, or read-only, at the start is told of in one sentence; what is on it is handled afterwards', async () => {
    using disk = new SmallDisk();
    await using site = new Installation(join(disk.path, 'data'));
    disk.makeReadOnly();
    await expectRefused(site, /cannot be opened \(EROFS\)/);
    disk.makeWritable();
    const first = await site.serve('dying');
    const events = messages(5, 'bystander');
    await first.phone.deliver(events);
    await first.kill();

    disk.makeReadOnly();
    await expectRefused(site, /cannot be opened \(EROFS\)/);
    disk.makeWritable();
    disk.fill();
    await expectRefused(site, /cannot be opened \(SQLITE_FULL\)/);
    disk.free();
    await site.serve('recording');
    await handledOnce(site, events);
  });
});

test.runIf(canFreeze)('a disk that hangs is given up in time, and used again when it goes on', async () => {
  using disk = new HangingDisk();
  await using site = new Installation(join(disk.path, 'data'));
  const server = await site.serve('recording', { FLOW_DEADLINE_MS: '9000' });
  const before = messages(5);
  await server.phone.deliver(before);
  await handledOnce(site, before);
  disk.freeze();
  const refused = await refusals(server, 50);
  await server.logged(/"code":"INBOX_UNAVAILABLE","reason":"STALLED"/);
  disk.thaw();
  await deliverUntilTaken(server, refused);
  await handledOnce(site, [...before, ...refused]);
  await expectNoAlarm(server);
});

test.runIf(canLimitFiles)(
  'a disk that fails to write refuses webhooks, and takes them when it writes again',
  async () => {
    await using site = new Installation();
    const server = await site.serve('recording');
    const before = messages(5);
    await server.phone.deliver(before);
    await handledOnce(site, before);
    server.refuseWrites(true);
    const refused = await refusals(server, 50);
    await server.logged(/"code":"INBOX_UNAVAILABLE","reason":"SQLITE_IOERR/);
    server.refuseWrites(false);
    await deliverUntilTaken(server, refused);
    await handledOnce(site, [...before, ...refused]);
    await expectNoAlarm(server);
  },
);

test('a second process on the same file is refused in one sentence, and the first goes on', async () => {
  await using site = new Installation();
  const first = await site.serve('recording');
  const refused = expectRefused(site, /belongs to another process: stop it, or give this one a DATA_DIR of its own/);
  const meanwhile = messages(5);
  await first.phone.deliver(meanwhile);
  await refused;
  const after = messages(5);
  await first.phone.deliver(after);
  await handledOnce(site, [...meanwhile, ...after]);
});

/** Another process is not started, says why in one sentence, and ends with 1. */
async function expectRefused(site: Installation, why: RegExp): Promise<void> {
  const { code, stderr } = await site.spawn('recording').ended;
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(why) });
  expect(stderr).toMatch(/^flowgate: .+\n$/);
}
