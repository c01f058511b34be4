/**
 * What does the guard of one answer cost?
 *
 * How to read it: CPU of the check that stands before every seal, on answers that are fine, as nearly all are; the data
 * are the booking example's own. Of 1 MB the guard sees how long the images are, not what is in them. The last row is
 * an answer with 20 violations, which are believed only once the JSON text has told the same.
 */
import { setImmediate } from 'node:timers/promises';
import { checkReply, compileGuard, type GuardedAnswer } from '../dist/flows/guard/reply-guard.js';
import bookingJson from '../examples/booking/booking.flow.json' with { type: 'json' };
import { datesFor, departments, locationsFor, type Picks, timesFor } from '../examples/booking/calendar.ts';
import { type Bench, Samples } from './support/bench.ts';
import { BenchError } from './support/bench-error.ts';
import { judge, type Target } from './support/targets.ts';

const BOOKING_ROW = 'booking, all three lists full';
const BROKEN_ROW = 'booking, 20 violations';
const TARGET: Target = { what: 'CPU of the guard, a booking screen', figure: 'cpuMicros', bound: 'at most', limit: 20 };
const SLOT = { department: 'eyes', location: 'north', date: '2030-01-07', time: '09:30' };
/** Between two looks at the clock. */
const ROUND = 200;

type Answers = Readonly<Record<string, GuardedAnswer>>;

export const bench: Bench = {
  name: 'reply-guard',
  question: 'What does the guard of one answer cost?',
  async run({ scale, progress }) {
    const guard = compileGuard(bookingJson);
    const answers = makeAnswers();
    progress.begin(scale.rounds * Object.keys(answers).length);
    const samples = new Samples();
    for (let round = 0; round < scale.rounds; round++) {
      for (const [label, answer] of Object.entries(answers)) {
        progress.step(label);
        const text = JSON.stringify({ screen: answer.screen, data: answer.data });
        const expected = label === BROKEN_ROW ? 20 : 0;
        const check = () => {
          if (checkReply(guard, answer, text).length !== expected) throw new BenchError(`${label} was judged wrongly`);
        };
        samples.add(label, { cpuMicros: await measure(scale.rawMs, check) });
      }
    }
    return {
      setup: 'one thread, no server',
      tables: [samples.table('answer', ['cpuMicros'])],
      verdicts: judge(TARGET, samples.median(BOOKING_ROW)),
      notes: [],
    };
  },
};

function makeAnswers(): Answers {
  const options = Array.from({ length: 200 }, (_, i) => ({ id: `${i}`, title: `Option ${i}` }));
  const image = Buffer.alloc(10 * 1024, 1).toString('base64');
  const images = options.slice(0, 70).map((option) => ({ ...option, image }));
  const broken = options.map(({ id }) => ({ id, title: 7 }));
  return {
    'booking, nothing picked': appointment({}),
    [BOOKING_ROW]: appointment(SLOT),
    'booking, the next screen': { ...appointment({}), screen: 'DETAILS', data: { ...SLOT, error_messages: {} } },
    'a dropdown of 200 options': appointment(SLOT, { departments: options }),
    'an answer of 1 MB': appointment(SLOT, { departments: images }),
    [BROKEN_ROW]: appointment(SLOT, { departments: broken }),
  };
}

function appointment(picks: Picks, over: object = {}): GuardedAnswer {
  const [locations, dates, times] = [locationsFor(picks.department), datesFor(picks), timesFor(picks)];
  const can = {
    can_pick_location: locations.length > 0,
    can_pick_date: dates.length > 0,
    can_pick_time: times.length > 0,
  };
  const data = { departments, locations, dates, times, ...can, ...over };
  return { action: 'data_exchange', currentScreen: 'APPOINTMENT', screen: 'APPOINTMENT', data };
}

/** @returns microseconds of CPU for one call, after as long again of warm-up. */
async function measure(durationMs: number, check: () => void): Promise<number> {
  await repeat(durationMs, check);
  const before = process.cpuUsage();
  const checked = await repeat(durationMs, check);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / checked;
}

async function repeat(durationMs: number, check: () => void): Promise<number> {
  const endMs = performance.now() + durationMs;
  let checked = 0;
  for (; performance.now() < endMs; checked += ROUND) {
    for (let i = 0; i < ROUND; i++) check();
    await setImmediate(); // lets the progress bar move and Ctrl-C be heard
  }
  return checked;
}
