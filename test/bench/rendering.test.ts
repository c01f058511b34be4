import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { drawGoodput, drawIntake, drawThroughput } from '../../bench/support/charts.ts';
import { parseCoreList } from '../../bench/support/cores.ts';
import { machineLine, thisMachine } from '../../bench/support/machine.ts';
import { renderResult, renderTable } from '../../bench/support/markdown.ts';
import { readReadings, rewriteResults } from '../../bench/support/readme.ts';
import { type BenchResult, readResults, writeResults } from '../../bench/support/results.ts';
import { judge, TARGETS } from '../../bench/support/targets.ts';
import { temporaryDirectory } from '../support/command.ts';

const MACHINE = { cores: 2, cpu: 'AMD EPYC', node: 'v20.20.2', kernel: 'Linux 6.1', date: '2026-11-22' };
const row = (label: string, median: object) => ({ label, median, rounds: [median] });
const result = (bench: string, over: Partial<BenchResult> = {}): BenchResult => ({
  bench,
  question: 'How fast?',
  machine: MACHINE,
  scale: 'full',
  rounds: 3,
  setup: 'uWebSockets.js, 2 workers; 1,000 connections',
  tables: [],
  verdicts: [],
  notes: [],
  ...over,
});
const against = (other: string, [ours, theirs]: readonly [number, number]) =>
  result(`against-${other}`, {
    tables: [
      {
        rowTitle: 'server',
        columns: ['requestsPerSec', 'p50Ms'],
        rows: [row('Flowgate', { requestsPerSec: ours, p50Ms: 200.04 }), row(other, { requestsPerSec: theirs })],
      },
    ],
  });

test('a table is Markdown with units in its head, a dash where there is no figure, and aligned columns', () => {
  expect(renderTable(against('inline', [5_123.4, 2_600]).tables[0] as BenchResult['tables'][number])).toBe(
    [
      '| server   | requests/s | p50, ms |',
      '| -------- | ---------: | ------: |',
      '| Flowgate |      5,123 |   200.0 |',
      '| inline   |      2,600 |       - |',
    ].join('\n'),
  );
});

test('a result tells its question, its figures, its targets, its notes and where it was measured', () => {
  const verdicts = judge(TARGETS.memory, { rssMb: 250 });
  const text = renderResult({ ...against('inline', [2, 1]), verdicts, notes: ['5,000 connections left out'] }, 'Good.');
  for (const part of [
    '### against-inline\n\nHow fast?\n\nGood.\n\n| server',
    '| memory at 1,000 connections |   250 MB | at most 200 MB |  missed |',
    '\n- 5,000 connections left out\n',
    'uWebSockets.js, 2 workers; 1,000 connections. Medians of 3 rounds. 2 cores, AMD EPYC, Node v20.20.2, Linux 6.1, 2026-11-22.',
  ]) {
    expect(text).toContain(part);
  }
  expect(renderResult(result('engines', { scale: 'quick', rounds: 1 }))).toContain('One round, quick run.');
});

test('the machine line names cores, CPU, Node, kernel and the day', () => {
  expect(machineLine(MACHINE)).toBe('2 cores, AMD EPYC, Node v20.20.2, Linux 6.1, 2026-11-22');
  expect(thisMachine(new Date('2030-01-07T12:00:00Z'))).toMatchObject({ node: process.version, date: '2030-01-07' });
});

test('results are read back as they were written, whole to three decimals', () => {
  const directory = join(temporaryDirectory(), 'results');
  expect(readResults(directory)).toEqual([]);
  const written = [against('inline', [5_123.4567, 2]), result('engines')];
  writeResults(directory, written);
  const json = readFileSync(join(directory, 'against-inline.json'), 'utf8');
  expect(json).toContain('"requestsPerSec": 5123.457');
  expect(readResults(directory).map(({ bench }) => bench)).toEqual(['against-inline', 'engines']);
  writeResults(directory, [result('engines', { rounds: 7 })]);
  expect(readResults(directory)).toMatchObject([
    { bench: 'against-inline', rounds: 3 },
    { bench: 'engines', rounds: 7 },
  ]);
});

const PICTURES = [{ file: 'charts/a.svg', text: 'What it shows' }];

test('the results section of a README is written anew, and what somebody wrote about a bench stays', () => {
  const readme = [
    '# Before',
    '<!-- results -->',
    'old figures',
    '<!-- reading: engines -->',
    'Batches of 16',
    'are enough.',
    '<!-- /reading -->',
    '<!-- /results -->',
    'After',
  ].join('\n');
  const once = rewriteResults(readme, [result('overload'), result('engines')], PICTURES);
  expect(once).toMatch(/^# Before\n<!-- results -->\n\n!\[What it shows\]\(charts\/a\.svg\)\n\n### overload\n/);
  expect(once).toMatch(/<\/sub>\n\n<!-- \/results -->\nAfter$/);
  expect(once).not.toContain('old figures');
  expect(readReadings(once)).toEqual(
    new Map([
      ['overload', ''],
      ['engines', 'Batches of 16\nare enough.'],
    ]),
  );
  expect(rewriteResults(once, [result('overload'), result('engines')], PICTURES)).toBe(once);
  expect(readReadings(rewriteResults(once, [result('overload')], PICTURES)).get('engines')).toContain('Batches of 16');
});

test('a README without markers is refused', () => {
  expect(() => rewriteResults('# Benches', [], [])).toThrow('<!-- results -->');
});

test('bench/README.md has its markers, and a place for a reading of every bench', () => {
  const file = join(temporaryDirectory(), 'README.md');
  writeFileSync(file, rewriteResults(readFileSync('bench/README.md', 'utf8'), [result('engines')], []));
  const readings = readReadings(readFileSync('bench/README.md', 'utf8'));
  expect([...readings.keys()].sort()).toEqual([
    'against-inline',
    'against-naive',
    'against-unbatched',
    'engines',
    'flow-endpoint',
    'isolation',
    'metrics-cost',
    'overload',
    'reply-guard',
    'tracing-cost',
    'webhook-drain',
    'webhook-intake',
  ]);
});

test('the throughput chart has a bar, a name and a value for each server, Flowgate once', () => {
  const svg = drawThroughput([against('inline', [5_000, 2_600]), against('naive', [5_200, 750])]) ?? '';
  for (const text of ['per second', 'Flowgate', 'inline', 'naive', '5,100', '2,600', '750', 'AMD EPYC']) {
    expect(svg).toContain(text);
  }
  expect(svg.match(/>Flowgate</g)).toHaveLength(1);
  expect(svg).toMatch(/^<svg [^>]*>\n<rect [^>]*fill="#ffffff"/); // its own ground, for a dark page
});

test('the goodput chart has goodput and refusals of each load, and the capacity', () => {
  const rows = [
    row('capacity, closed loop', { goodputPerSec: 3_000 }),
    row('1 x capacity', { offeredPerSec: 3_001, goodputPerSec: 2_950, shedPerSec: 0 }),
    row('5 x capacity', { offeredPerSec: 15_000, goodputPerSec: 2_700, shedPerSec: 12_300 }),
  ];
  const overload = result('overload', { tables: [{ rowTitle: 'load', columns: [], rows }] });
  const svg = drawGoodput([overload]) ?? '';
  for (const text of [
    'goodput',
    'shed',
    'capacity',
    '3,000/s',
    '5 x capacity',
    '15,000/s',
    '2,950',
    '2,700',
    '12,300',
  ]) {
    expect(svg).toContain(text);
  }
});

test('the intake chart has a bar for each way at each number of connections, none for batches', () => {
  const table = (rowTitle: string, [ours, theirs]: readonly [number, number]) => ({
    rowTitle,
    columns: ['eventsPerSec'] as const,
    rows: [row('embedded store', { eventsPerSec: ours }), row('Redis', { eventsPerSec: theirs })],
  });
  const tables = [
    table('100 connections', [9_001.4, 2_000]),
    table('1,000 connections', [8_002, 3_003]),
    table('10 connections, 100 events a delivery', [20_004, 10_005]),
    { rowTitle: 'ratio', columns: [], rows: [row('embedded / bare, 100 connections', { eventsRatio: 0.5 })] },
  ];
  const svg = drawIntake([result('webhook-intake', { tables })]) ?? '';
  for (const text of [
    'on the disk',
    'embedded store',
    'Redis',
    '1,000 connections',
    '9,001',
    '2,000',
    '8,002',
    '3,003',
  ]) {
    expect(svg).toContain(text);
  }
  expect(svg).not.toContain('20,004');
  expect(svg).not.toContain('bare');
});

test('there is no chart of what was not measured', () => {
  expect(drawThroughput([result('engines')])).toBeUndefined();
  expect(drawGoodput([result('engines')])).toBeUndefined();
  expect(drawIntake([result('engines')])).toBeUndefined();
});

test.each([
  ['0,1', [0, 1]],
  ['0-3,6', [0, 1, 2, 3, 6]],
  ['5', [5]],
  ['', []],
])('the list of cores %j is %j', (list, cores) => {
  expect(parseCoreList(list)).toEqual(cores);
});
