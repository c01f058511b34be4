import { expect, test } from 'vitest';
import { ArrivalSchedule, sendOnSchedule } from '../../bench/support/arrivals.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** Can jump ahead without its timers firing, as time does for a process that is not given the CPU. */
class StallingClock extends FakeClock {
  stalledMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.stalledMs;
  }
}

const SCHEDULE = new ArrivalSchedule({ ratePerSec: 200, durationMs: 1_000 });

/** Starts at 1 000 ms of the fake clock. */
function sendAll(clock: FakeClock, schedule = SCHEDULE): { dueMs: number[]; sentMs: number[]; ended: Promise<void> } {
  const dueMs: number[] = [];
  const sentMs: number[] = [];
  const ended = sendOnSchedule(schedule, clock, (due) => {
    dueMs.push(due);
    sentMs.push(clock.nowMs());
  });
  return { dueMs, sentMs, ended };
}

test('a schedule has as many requests as the rate makes, evenly spaced', () => {
  expect(SCHEDULE.count).toBe(200);
  expect([0, 1, 199].map((index) => SCHEDULE.dueMs(index))).toEqual([0, 5, 995]);
  expect([0, 4.9, 5, 995, 10_000].map((elapsedMs) => SCHEDULE.dueBy(elapsedMs))).toEqual([1, 1, 2, 200, 200]);
});

test('requests are sent at their time though none is ever answered', async () => {
  const clock = new FakeClock();
  const { dueMs, sentMs, ended } = sendAll(clock);
  clock.advance(500);
  expect(dueMs).toHaveLength(101);
  clock.advance(500);
  await ended;
  expect(dueMs).toEqual(Array.from({ length: 200 }, (_, i) => 1_000 + i * 5));
  expect(sentMs).toEqual(dueMs);
});

test('a generator that stood still sends what it missed, each as due when it was due', async () => {
  const clock = new StallingClock();
  const { dueMs, sentMs, ended } = sendAll(clock);
  clock.stalledMs = 500;
  clock.advance(1_000);
  await ended;
  expect(dueMs).toEqual(Array.from({ length: 200 }, (_, i) => 1_000 + i * 5));
  expect(sentMs.slice(0, 102)).toEqual([1_000, ...Array(100).fill(1_501), 1_505]);
});

test('a generator far behind looks for answers between the portions it catches up with', async () => {
  const clock = new StallingClock();
  const { sentMs, ended } = sendAll(clock, new ArrivalSchedule({ ratePerSec: 1_000, durationMs: 1_000 }));
  clock.stalledMs = 2_000;
  clock.advance(1);
  expect(sentMs.length).toBeLessThan(300);
  clock.advance(10);
  await ended;
  expect(sentMs).toHaveLength(1_000);
});

test('a failure to send ends the schedule', async () => {
  const clock = new FakeClock();
  const ended = sendOnSchedule(SCHEDULE, clock, () => {
    throw new Error('no socket');
  });
  await expect(ended).rejects.toThrow('no socket');
  expect(clock.pending).toBe(0);
});
