import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { createBookingStock, mistakeIn } from '../../bench/support/booking-load.ts';
import { BurstTally, DEADLINE_MS } from '../../bench/support/burst-tally.ts';
import { runClosedLoop } from '../../bench/support/closed-loop.ts';
import { ConnectionPool, type Ticket } from '../../bench/support/connection-pool.ts';
import { Probe } from '../../bench/support/probe.ts';
import { CHECK_EVERY, type ReadyRequest } from '../../bench/support/request-stock.ts';
import { answerRightly, type Behaviour, credentials, startFakeServer } from './fake-server.ts';

const SHORT = { connections: 4, warmUpMs: 20, measuredMs: 80 };
const stock = createBookingStock(credentials);

/** A crowd at a server that behaves like this. */
async function runCrowd(behave: Behaviour) {
  await using server = await startFakeServer(behave);
  const figures = await runClosedLoop(server, { ...SHORT, stock });
  return { figures, bookings: server.bookings };
}

test('a crowd sends signed bookings, none twice, from stock and when it is used up', async () => {
  stock.fill(10);
  const { figures, bookings } = await runCrowd(answerRightly);
  expect(figures.requestsPerSec).toBeGreaterThan(0);
  expect(bookings.length).toBeGreaterThan(20);
  expect(new Set(bookings.map(({ body }) => body)).size).toBe(bookings.length);
  for (const { body, signature, payload } of bookings) {
    expect(signature).toBe(`sha256=${createHmac('sha256', credentials.appSecret).update(body).digest('hex')}`);
    expect(payload.screen).toBe('APPOINTMENT');
  }
});

test.each<[string, Behaviour, string]>([
  ['a refusal', (booking) => (booking.number === 30 ? { status: 503 } : answerRightly(booking)), 'answered 503'],
  ['another screen', ({ seal }) => ({ status: 200, body: seal('DETAILS') }), 'decrypted to DETAILS'],
  ['an answer that does not open', () => ({ status: 200, body: 'AAAA' }), 'decrypted to nothing'],
  [
    'a lost connection',
    (booking) => (booking.number === 30 ? 'hang up' : answerRightly(booking)),
    'connection was lost',
  ],
])('a run ends without a figure on %s', async (_, behave, reason) => {
  await expect(runCrowd(behave)).rejects.toThrow(reason);
});

test('a run rejects when nobody listens', async () => {
  const server = await startFakeServer(answerRightly);
  await server[Symbol.asyncDispose]();
  await expect(runClosedLoop(server, { ...SHORT, stock })).rejects.toThrow('ECONNREFUSED');
});

test('every 20th answer is opened, and one that was tampered with is a mistake', async () => {
  await using server = await startFakeServer(answerRightly);
  using probe = new Probe(server.port);
  stock.fill(100);
  const requests = Array.from({ length: 100 }, () => stock.next());
  expect(requests.flatMap(({ open }, i) => (open ? [i] : []))).toEqual([0, 20, 40, 60, 80]);
  const checked = requests[0] as ReadyRequest;
  const { status, body } = await probe.send(checked);
  expect(mistakeIn(status, () => body, checked)).toBeUndefined();
  const tampered = `${body[0] === 'A' ? 'B' : 'A'}${body.slice(1)}`;
  expect(mistakeIn(200, () => tampered, checked)).toContain('decrypted to nothing');
  expect(mistakeIn(500, () => body, checked)).toBe('the server answered 500');
  expect(CHECK_EVERY).toBe(20);
});

test('a pool at its bound lets requests wait, and their latency counts from the moment they were due', async () => {
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await using server = await startFakeServer(async (booking) => {
    await released;
    return answerRightly(booking) as { status: number };
  });
  const tally = new BurstTally();
  using pool = new ConnectionPool(server.port, tally, 2);
  const dueMs = performance.now() - 5_000; // five seconds late already
  for (let i = 0; i < 5; i++) pool.send({ dueMs, request: stock.next() });
  expect(pool.waited).toBe(3);
  release();
  await pool.settled();
  expect(tally).toMatchObject({ good: 5, shed: 0, late: 0, failures: 0 });
  expect(tally.accepted.percentile(0)).toBeGreaterThanOrEqual(5_000);
  expect(pool.lateness.count).toBe(5);
  expect(await server.connections()).toBe(2);
});

test('a pool opens another connection where the server closed one', async () => {
  await using server = await startFakeServer(({ seal }) => ({ status: 200, body: seal('APPOINTMENT'), close: true }));
  const tally = new BurstTally();
  using pool = new ConnectionPool(server.port, tally, 1);
  for (let i = 0; i < 3; i++) {
    pool.send({ dueMs: performance.now(), request: stock.next() });
    await pool.settled();
  }
  expect(tally).toMatchObject({ good: 3, failures: 0 });
});

test('a pool forgets what was not sent', async () => {
  await using server = await startFakeServer(answerRightly);
  const tally = new BurstTally();
  using pool = new ConnectionPool(server.port, tally, 1);
  for (let i = 0; i < 4; i++) pool.send({ dueMs: performance.now(), request: stock.next() });
  expect(pool.dropUnsent()).toBe(3);
  await pool.settled();
  expect(tally.good).toBe(1);
});

test('a request whose connection breaks is a failure, with its reason', async () => {
  await using server = await startFakeServer(() => 'hang up');
  const tally = new BurstTally();
  using pool = new ConnectionPool(server.port, tally);
  pool.send({ dueMs: performance.now(), request: stock.next() });
  await pool.settled();
  expect(tally).toMatchObject({ good: 0, failures: 1, firstFailure: expect.stringMatching(/closed|ECONNRESET/) });
});

test('each request of a burst is counted once, by how it ended', () => {
  const tally = new BurstTally();
  const ticket: Ticket = { dueMs: 0, request: { bytes: Buffer.alloc(0), open: undefined } };
  const answer = (status: number, latencyMs: number, request = ticket.request) =>
    tally.answered({ dueMs: 0, request }, { status, body: () => 'sealed' }, latencyMs);
  answer(200, 5);
  answer(200, DEADLINE_MS);
  answer(200, DEADLINE_MS + 1);
  answer(503, 1);
  answer(421, 1);
  tally.failed(ticket, 'the line broke');
  tally.end();
  answer(200, 7);
  expect(tally).toMatchObject({ good: 2, late: 1, shed: 1, failures: 2, firstFailure: 'the server answered 421' });
  expect(tally.accepted.count).toBe(3); // the last came in time, but after the burst
  expect(tally.mistake).toBeUndefined();
  answer(200, 7, { bytes: Buffer.alloc(0), open: () => ({ screen: 'DETAILS' }) });
  expect(tally.mistake).toContain('decrypted to DETAILS');
});
