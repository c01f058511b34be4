import { expect, test } from 'vitest';
import { RefusalLog, SILENT_MS } from '../../src/http/refusal-log.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { recordingLog } from '../support/log.ts';

function setUp() {
  const clock = new FakeClock();
  const { log, lines } = recordingLog();
  const refusals = new RefusalLog('/webhook', { log, clock });
  const request = { header: () => 'id' };
  return { clock, lines, note: (code: Parameters<RefusalLog['note']>[0]) => refusals.note(code, 'why', request) };
}

test('of a flood, a line a minute is written, with how many there were since the last', () => {
  const { clock, lines, note } = setUp();
  for (let second = 0; second < 150; second++) {
    for (let i = 0; i < 10; i++) note('SIGNATURE_INVALID');
    clock.advance(1_000);
  }
  expect(lines).toMatchObject([
    { code: 'SIGNATURE_INVALID', path: '/webhook', requestId: 'id', count: 1, msg: 'why' },
    { count: 600 },
    { count: 600 },
  ]);
});

test('one code does not silence another', () => {
  const { lines, note } = setUp();
  note('SIGNATURE_INVALID');
  note('BODY_TOO_LARGE');
  note('SIGNATURE_INVALID');
  expect(lines.map(({ code }) => code)).toEqual(['SIGNATURE_INVALID', 'BODY_TOO_LARGE']);
});

test('the first after a quiet minute is told at once', () => {
  const { clock, lines, note } = setUp();
  note('SIGNATURE_INVALID');
  clock.advance(SILENT_MS);
  note('SIGNATURE_INVALID');
  expect(lines).toMatchObject([{ count: 1 }, { count: 1 }]);
});

test('a client that left, and what is logged elsewhere, is not told here', () => {
  const { lines, note } = setUp();
  for (const code of ['CLIENT_GONE', 'HANDLER_FAILED', 'INTERNAL', 'PATH_UNKNOWN'] as const) note(code);
  expect(lines).toEqual([]);
});
