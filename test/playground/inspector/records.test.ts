import { describe, expect, test } from 'vitest';
import type { InboxItem, StageTime } from '../../../src/playground/api.ts';
import { dueText, rowsOf } from '../../../src/playground/web/inbox/inbox-tree.ts';
import {
  childrenOf,
  concerns,
  MAX_TEXT_CHARS,
  PAGE_SIZE,
  preview,
} from '../../../src/playground/web/inspector/tree-model.ts';
import { barOf, formatBytes, formatMs } from '../../../src/playground/web/session/records.ts';

const attempt = (stages: StageTime[], tookMs: number, addedMs = 0) => ({
  startMs: 0,
  endMs: 0,
  status: 200,
  addedMs,
  sealMs: 0,
  report: { status: 200, body: '', contentType: null, tookMs, requestBytes: 0, responseBytes: 0, stages },
});

describe('the bar of a request', () => {
  test('is as long as the request, and what no stage covers is network', () => {
    const stages: StageTime[] = [
      { stage: 'rsa', startMs: 1, durationMs: 2 },
      { stage: 'queue', startMs: 0, durationMs: 1 },
    ];
    expect(barOf(attempt(stages, 10, 500))).toEqual([
      { stage: 'added', ms: 500 },
      { stage: 'queue', ms: 1 },
      { stage: 'rsa', ms: 2 },
      { stage: 'network', ms: 7 },
    ]);
  });

  test('counts once what overlaps', () => {
    const stages: StageTime[] = [
      { stage: 'handler', startMs: 0, durationMs: 8 },
      { stage: 'fallback', startMs: 6, durationMs: 4 },
      { stage: 'guard', startMs: 7, durationMs: 1 },
    ];
    expect(barOf(attempt(stages, 10))).toEqual([
      { stage: 'handler', ms: 8 },
      { stage: 'fallback', ms: 2 },
    ]);
  });

  test('is empty for a request that reached nobody', () => {
    expect(barOf({ ...attempt([], 0), report: undefined })).toEqual([]);
  });

  test.each([
    [0.234, '0.23 ms'],
    [52, '52.0 ms'],
    [250.4, '250 ms'],
    [11_000, '11.0 s'],
  ])('%d ms reads %s', (ms, text) => expect(formatMs(ms)).toBe(text));

  test.each([
    [12, '12 B'],
    [1_536, '1.5 kB'],
    [1_048_576, '1.00 MB'],
  ])('%d bytes read %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));
});

describe('the tree of a value', () => {
  test('names its branches as violations do', () => {
    const times = [{ title: 'a' }];
    const [data] = childrenOf({ data: { times } }, '', PAGE_SIZE);
    const [list] = childrenOf(data?.value ?? null, data?.path ?? '', PAGE_SIZE);
    const [first] = childrenOf(list?.value ?? null, list?.path ?? '', PAGE_SIZE);
    expect([data?.path, list?.path, first?.path]).toEqual(['data', 'data.times', 'data.times[0]']);
    expect(concerns('data.times[0].title', 'data.times')).toBe(true);
    expect(concerns('data.timeshare', 'data.times')).toBe(false);
  });

  test('shows a hundred branches at a time', () => {
    const list = Array.from({ length: 10_000 }, (_, index) => index);
    expect(childrenOf(list, '', PAGE_SIZE)).toHaveLength(100);
    expect(preview(list)).toBe('[ 10000 items ]');
    expect(MAX_TEXT_CHARS).toBeLessThan(1_000);
  });
});

describe('the inbox', () => {
  const item = (id: string, storedAtMs: number, deferredBy?: string): InboxItem => ({
    id,
    kind: deferredBy ? 'job' : 'event',
    type: 'x',
    state: 'done',
    attempts: 1,
    storedAtMs,
    ...(deferredBy !== undefined && { deferredBy }),
  });

  test('has the jobs below the event that left them, newest events first', () => {
    const rows = rowsOf([item('old', 1), item('job', 3, 'old'), item('new', 2), item('orphan', 0, 'gone')]);
    expect(rows.map(({ item, jobs }) => [item.id, jobs.map(({ id }) => id)])).toEqual([
      ['new', []],
      ['old', ['job']],
      ['orphan', []],
    ]);
  });

  test.each([
    [undefined, ''],
    [1_000, ''],
    [13_000, 'in 12 s'],
    [601_000, 'in 10 min'],
  ])('due at %s reads %j', (dueAtMs, text) => expect(dueText(dueAtMs, 1_000)).toBe(text));
});
