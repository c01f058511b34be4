/** What a server does while its inbox cannot be used, and afterwards. */
import { expect } from 'vitest';
import { type MetaEvent, textMessage } from '../../../src/testing/index.ts';
import { GIVE_UP } from './give-up.ts';
import type { Installation } from './installation.ts';
import { messageIdOf } from './meta.ts';
import type { Server } from './server.ts';

const AT_ONCE = 10;

export const messages = (count: number, text = 'hello'): MetaEvent[] =>
  Array.from({ length: count }, () => textMessage(text));

/** Delivers until so many deliveries were refused, each by the inbox, while Flows are answered. @returns the events. */
export async function refusals(server: Server, count: number): Promise<MetaEvent[]> {
  const refused: MetaEvent[] = [];
  const { phone } = server;
  const refusedSoFar = () => server.metric('flowgate_webhook_duration_seconds_count', { outcome: 'inbox_unavailable' });
  const before = await refusedSoFar();
  while (refused.length < count) {
    const batch = messages(AT_ONCE);
    const replies = Promise.all(batch.map((message) => phone.deliverRaw([message])));
    expect(await phone.open('demo')).toMatchObject({ screen: 'A' });
    expect((await replies).flat().map(({ status }) => status)).toEqual(Array(AT_ONCE).fill(503));
    refused.push(...batch);
  }
  expect((await refusedSoFar()) - before).toBe(refused.length);
  return refused;
}

/** Meta tries again until it is answered 200. */
export async function deliverUntilTaken(server: Server, events: readonly MetaEvent[]): Promise<void> {
  await expect.poll(() => server.phone.deliver(events).catch(() => 0), GIVE_UP).toBe(200);
}

export async function handledOnce(site: Installation, events: readonly MetaEvent[]): Promise<void> {
  const ids = events.map(messageIdOf).sort();
  await expect.poll(() => site.journal('handled').sort(), GIVE_UP).toEqual(ids);
  expect(site.journal('effects').sort()).toEqual(ids);
}

/** No request ran into the time limit of last resort, and no store was taken for an emptied one. */
export async function expectNoAlarm(server: Server): Promise<void> {
  const { stdout } = await server.kill();
  expect(stdout).not.toMatch(/EXCHANGE_TIMEOUT|INBOX_LOST/);
}
