import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatCounts, formatProblems } from '../../src/cli/format-flow.ts';
import { MAX_JSON_BYTES } from '../../src/cli/read-json-file.ts';
import type { FlowJsonProblem } from '../../src/flows/guard/problems.ts';
import { run, temporaryDirectory } from '../support/command.ts';

const BOOKING = 'examples/booking/booking.flow.json';
const directory = temporaryDirectory();
function file(name: string, content: string | Buffer | object): string {
  const path = join(directory, name);
  const isText = typeof content === 'string' || Buffer.isBuffer(content);
  writeFileSync(path, isText ? content : JSON.stringify(content));
  return path;
}
const footer = (name: string) => ({ type: 'Footer', label: 'Go', 'on-click-action': { name, payload: {} } });
const screen = (id: string, fields: object = {}) => ({
  id,
  title: id,
  layout: { type: 'SingleColumnLayout', children: [footer('data_exchange')] },
  ...fields,
});
const end = { terminal: true, layout: { type: 'SingleColumnLayout', children: [footer('complete')] } };
const small = {
  version: '7.3',
  data_api_version: '3.0',
  routing_model: { PICK: ['DONE'], DONE: [] },
  screens: [screen('PICK', { data: { hint: { type: 'string', __example__: 'x' } } }), screen('DONE', end)],
};
/** What Meta would refuse, though the screens and routes are known. */
const faulty = file('faulty.json', { ...small, routing_model: { PICK: ['DONE'], DONE: ['PICK'] } });
/** Names that are warned of, and after 500 of them a screen that is none. */
const manyProblems = { version: '7.3', screens: [...Array.from({ length: 500 }, (_, i) => screen(`S-${i}`)), null] };
const withoutScreens = file('none.json', { version: '7.3', screens: [] });

describe('what is printed of problems', () => {
  const problem = (severity: 'error' | 'warning', where: string): FlowJsonProblem => ({
    severity,
    where,
    rule: 'some-rule',
    message: 'must be mended',
  });

  test('errors come first, each on its line', () => {
    const problems = [problem('warning', 'screen A'), problem('error', 'screen B'), problem('error', 'screen C')];
    expect(formatProblems(problems)).toBe(`\
2 errors:
  screen B: must be mended [some-rule]
  screen C: must be mended [some-rule]
1 warning:
  screen A: must be mended [some-rule]`);
    expect(formatCounts(problems)).toBe('2 errors, 1 warning');
    expect(formatCounts(problems.slice(0, 1))).toBe('1 warning');
  });

  test('a name from the file cannot write to the terminal', () => {
    expect(formatProblems([problem('error', '\u001b[2J\n')])).toContain('\\u001b[2J\\u000a: must be mended');
  });

  test('it is said when there may be more than are told', () => {
    const many = Array.from({ length: 500 }, () => problem('warning', 'screen A'));
    expect(formatProblems(many)).toContain('These are the first 500; there may be more.');
    expect(formatProblems(many.slice(1))).not.toContain('may be more');
  });
});

describe('flow check', () => {
  test('says that nothing is wrong with the booking example, and shows its routes', async () => {
    expect(await run(['flow', 'check', BOOKING])).toEqual({
      code: 0,
      stderr: '',
      stdout: `${BOOKING}: no problem found

Routes:
  APPOINTMENT* -> DETAILS* -> SUMMARY* (end) -> TERMS
  * asks the endpoint
`,
    });
  });

  test('ends with 1 when there is an error, and still shows the routes where they are known', async () => {
    const { code, stdout, stderr } = await run(['flow', 'check', faulty]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toMatch(/^\d errors?:\n/);
    expect(stdout).toContain('[routing-back]');
    expect(stdout).toContain('Routes:\n  PICK* -> DONE (end) -> PICK* (above)\n');
  });

  test('shows no routes where they cannot be known', async () => {
    const { code, stdout } = await run(['flow', 'check', withoutScreens]);
    expect(code).toBe(1);
    expect(stdout).toContain('[screens-missing]');
    expect(stdout).not.toContain('Routes');
  });

  test('shows no routes where more is wrong than is told', async () => {
    const { code, stdout, stderr } = await run(['flow', 'check', file('many.json', manyProblems)]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toContain('These are the first 500');
    expect(stdout).not.toContain('Routes');
  });

  test('--json prints the problems and nothing else', async () => {
    const { code, stdout, stderr } = await run(['flow', 'check', '--json', faulty]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(JSON.parse(stdout)).toContainEqual(
      expect.objectContaining({ severity: 'error', rule: 'routing-back', where: 'routing_model' }),
    );
    expect((await run(['flow', 'check', '--json', BOOKING])).stdout).toBe('[]\n');
  });

  test('--mermaid prints a flowchart and nothing else; problems are told on stderr', async () => {
    const { code, stdout, stderr } = await run(['flow', 'check', '--mermaid', faulty]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^flowchart LR\n {2}s1\(\[/);
    expect(stderr).toMatch(/^flowgate: \d errors?.*: see flowgate flow check .*faulty\.json\n$/);
    const { stderr: nothing } = await run(['flow', 'check', '--mermaid', BOOKING]);
    expect(nothing).toBe('');
  });

  test('reads stdin as -, and takes a byte order mark for no part of the JSON', async () => {
    const { code, stdout } = await run(['flow', 'check', '-'], {}, `\ufeff${JSON.stringify(small)}`);
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('PICK* -> DONE (end)') });
  });
});

describe('flow types', () => {
  test('prints the types, named after the file', async () => {
    const { code, stdout, stderr } = await run(['flow', 'types', file('pick-one.flow.json', small)]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(`\
// Generated by \`flowgate flow types pick-one.flow.json\`. Do not edit: run it again after a change of the Flow JSON.

/** Each screen with the data it takes. */
export type PickOneScreens = {
  PICK: {
    hint: string;
  };
  DONE: Record<never, never>;
};

/** The screens that an answer may show: when the Flow opens, and from each screen. */
export type PickOneMoves = {
  INIT: 'PICK';
  PICK: 'PICK' | 'DONE';
  DONE: 'PICK' | 'DONE';
};
`);
  });

  test.each([
    ['Booking.FLOW.JSON', [], 'Booking'],
    ['my_first flow.json', [], 'MyFirstFlow'],
    ['2nd.json', [], 'Flow2nd'],
    ['été.json', [], 'Ete'],
    ['.json', [], 'Flow'],
    ['a.json', ['--name', 'Order'], 'Order'],
  ])('of %j %j are called %s...', async (name, options, prefix) => {
    const { stdout } = await run(['flow', 'types', file(name, small), ...options]);
    expect(stdout).toContain(`export type ${prefix}Screens = {`);
    expect(stdout).toContain(`export type ${prefix}Moves = {`);
    expect(stdout).toContain(`flow types ${[name, ...options].join(' ')}\``);
  });

  test('-o writes them to a file, and again over what it wrote', async () => {
    const out = join(directory, 'types.ts');
    const { stdout } = await run(['flow', 'types', '-'], {}, JSON.stringify(small));
    for (let i = 0; i < 2; i++) {
      const written = await run(['flow', 'types', '-', '-o', out], {}, JSON.stringify(small));
      expect(written).toEqual({ code: 0, stdout: '', stderr: '' });
      expect(readFileSync(out, 'utf8')).toBe(stdout);
    }
  });

  test('-o writes over no file that it did not write', async () => {
    const app = file('app.ts', 'export default app;\n');
    const { code, stderr } = await run(['flow', 'types', BOOKING, '-o', app]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('was not written by flowgate') });
    expect(readFileSync(app, 'utf8')).toBe('export default app;\n');
  });

  test('writes them in spite of problems that do not touch them, and says that there are some', async () => {
    const { code, stdout, stderr } = await run(['flow', 'types', faulty]);
    expect(code).toBe(0);
    expect(stdout).toContain('export type FaultyScreens');
    expect(stderr).toMatch(/^flowgate: \d errors?.*: see flowgate flow check/);
  });

  test('writes nothing of a Flow JSON whose screens cannot be known', async () => {
    const out = join(directory, 'never.ts');
    const { code, stderr } = await run(['flow', 'types', withoutScreens, '-o', out]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('is no usable Flow JSON') });
    expect(existsSync(out)).toBe(false);
  });
});

mkdirSync(join(directory, 'folder.json'), { recursive: true });
const deep = '['.repeat(100_000) + ']'.repeat(100_000);
const screens = Array.from({ length: 1_001 }, (_, i) => screen(`S${'X'.repeat(i)}`, end));
test.each<[string, string[], string]>([
  ['a file that is not there', ['check', 'nowhere.json'], 'cannot read nowhere.json: ENOENT'],
  ['a folder', ['check', join(directory, 'folder.json')], 'cannot read '],
  [
    'no JSON',
    ['check', file('not.json', '{\n  "version": "7.3",\n  "screens": [}\n}')],
    'line 3, column 15: expected a value',
  ],
  ['an empty file', ['check', file('b.json', ' \n')], 'b.json is not JSON: it is empty'],
  ['UTF-16', ['check', file('c.json', Buffer.from('\ufeff{}', 'utf16le'))], 'c.json is not UTF-8 text'],
  ['what is too large', ['check', file('d.json', ' '.repeat(MAX_JSON_BYTES + 1))], 'd.json is larger than the 10 MB'],
  [
    'what is as large as it may be',
    ['check', file('e.json', ' '.repeat(MAX_JSON_BYTES))],
    'e.json is not JSON: it is empty',
  ],
  ['what is nested too deep', ['check', file('f.json', deep)], 'f.json is nested deeper than 200 levels'],
  [
    'more screens than make a picture',
    ['types', file('g.json', { version: '7.3', screens })],
    'has more than 1000 screens',
  ],
  [
    'Mermaid of no screens',
    ['check', '--mermaid', withoutScreens],
    'is no usable Flow JSON: the Flow JSON: "screens" must',
  ],
  ['a folder to write to', ['types', BOOKING, '-o', directory], 'cannot write '],
  ['a folder that is not there', ['types', BOOKING, '-o', join(directory, 'no', 'x.ts')], 'ENOENT'],
])('answers %s with one sentence and exit code 1', async (_, args, sentence) => {
  const { code, stdout, stderr } = await run(['flow', ...args]);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(sentence) });
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(stdout).toBe('');
});

test.each([
  [['check'], "missing required argument 'file'"],
  [['check', 'a.json', 'b.json'], 'too many arguments'],
  [['check', BOOKING, '--json', '--mermaid'], "'--mermaid' cannot be used with option '--json'"],
  [['types', BOOKING, '--name', 'a-b'], 'It must begin with a letter'],
  [['types', BOOKING, '--name', "X = 1; export const y = '"], 'It must begin with a letter'],
  [['types', BOOKING, '--name', ''], 'It must begin with a letter'],
  [['nope'], "unknown command 'nope'"],
])('answers a wrong use with one sentence and exit code 2: flow %j', async (args, sentence) => {
  const { code, stderr } = await run(['flow', ...args]);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(sentence) });
  expect(stderr.trim().split('\n')).toHaveLength(1);
});

test.each([[[]], [['check']], [['types']]])('explains itself: flow %j --help', async (command) => {
  const { code, stdout, stderr } = await run(['flow', ...command, '--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(new RegExp(`^Usage: flowgate flow ${command.join(' ')}`));
});
