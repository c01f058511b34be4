import { expect, test } from 'vitest';
import { Deferrals, MAX_REMEMBERED } from '../../../src/playground/deferrals.ts';
import { MAX_RECORDS, messageOf, RequestRecords } from '../../../src/playground/request-records.ts';
import { Handlers } from '../../../src/webhooks/handlers.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { itemId, MemoryInbox, newItem } from '../../support/memory-inbox.ts';

test('of requests that nobody came back for the newest are remembered', () => {
  const records = new RequestRecords();
  for (let n = 0; n <= MAX_RECORDS; n++) records.expect(`r${n}`);
  expect(records.size).toBe(MAX_RECORDS);
  expect(records.find('r0')).toBeUndefined();
  expect(records.find('r1')).toBeDefined();
  records.forget('r1');
  expect(records.find('r1')).toBeUndefined();
});

test('of requests that are not the playground’s nothing is remembered', () => {
  const records = new RequestRecords();
  records.onHandlerFailed('theirs', new Error('no'));
  records.onViolations({ requestId: 'theirs', text: '{}', violations: [] });
  expect(records.size).toBe(0);
});

test.each<[unknown, string]>([
  [new Error('no database'), 'no database'],
  [new TypeError(''), 'TypeError'],
  ['a text', 'a text'],
  [undefined, 'undefined'],
  [Symbol('s'), 'Symbol(s)'],
  [Object.create(null), 'something that has no text'],
  [
    Object.defineProperty(new Error('x'), 'message', {
      get() {
        throw new Error('hostile');
      },
    }),
    'something that has no text',
  ],
])('whatever a handler throws has a text: %#', (thrown, text) => {
  expect(messageOf(thrown)).toBe(text);
});

test('of jobs, the newest are remembered with the item that left them', async () => {
  const deferrals = new Deferrals();
  const inbox = deferrals.inbox(new MemoryInbox(new FakeClock()));
  const handlers = new Handlers(new Map());
  const job = (n: number) => newItem(n, { kind: 'job' });
  handlers.job('many', {}, async () => {
    for (let n = 0; n <= MAX_REMEMBERED; n++) await inbox.append([job(n)]);
  });
  handlers.job('one', {}, () => inbox.append([job(MAX_REMEMBERED)])); // which is known by then
  await inbox.append([job(7_000)]);
  const first = { id: itemId(1), kind: 'job', type: 'many', payload: {}, attempt: 1, storedAtMs: 0 } as const;
  await deferrals
    .handlers(handlers)
    .find(first)
    ?.run({} as never);
  const second = { ...first, id: itemId(2), type: 'one' };
  await deferrals
    .handlers(handlers)
    .find(second)
    ?.run({} as never);
  expect(deferrals.itemOf(itemId(0, 'job'))).toBeUndefined();
  expect(deferrals.itemOf(itemId(1, 'job'))).toBe(first.id);
  expect(deferrals.itemOf(itemId(MAX_REMEMBERED, 'job'))).toBe(first.id);
  expect(deferrals.itemOf(itemId(7_000, 'job'))).toBeUndefined();
});
