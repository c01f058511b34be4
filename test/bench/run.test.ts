import { spawn } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { BenchChild } from '../../bench/support/child.ts';
import { makeCredentials } from '../../bench/support/credentials.ts';
import type { BenchResult } from '../../bench/support/results.ts';
import { type Outcome, temporaryDirectory } from '../support/command.ts';

const BENCHES = readdirSync('bench')
  .filter((file) => file.endsWith('.ts') && file !== 'run.ts')
  .map((file) => file.replace('.ts', ''));

function runBench(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'bench/run.ts', ...args], {
    env: { PATH: process.env['PATH'], NO_COLOR: '1', ...env },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
}

test.concurrent.each([
  [['nope'], 'there is no bench nope: flow-endpoint, '],
  [['overload', 'nope'], 'there is no bench nope'],
  [['list', 'overload'], 'list stands alone'],
  [['--nope'], "unknown option '--nope'"],
  [['--rounds', '2'], 'a median needs at least 3 rounds'],
  [['--rounds', '0', '--quick'], 'It must be a whole number from 1 to 20.'],
  [['--rounds', 'many'], 'It must be a whole number from 1 to 20.'],
  [['--json'], "option '--json <file>' argument missing"],
])('answers a wrong use with one sentence and exit code 2: %j', async (args, sentence) => {
  const { code, stdout, stderr } = await runBench(args);
  expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringContaining(sentence) });
  expect(stderr).toMatch(/^bench: .*\n$/);
});

test('list names every bench there is, with its question', async () => {
  const { code, stdout } = await runBench(['list']);
  expect(code).toBe(0);
  const lines = stdout.trim().split('\n');
  expect(lines.map((line) => line.split(' ')[0]).sort()).toEqual(BENCHES.sort());
  for (const line of lines) expect(line).toMatch(/^[a-z-]+ +[A-Z].*\?$/);
});

test('a server that does not start ends the run with one sentence, exit code 1 and no figure', async () => {
  const { code, stdout, stderr } = await runBench(['flow-endpoint', '--smoke', temporaryDirectory()], { WORKERS: '0' });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^bench: flow-endpoint measured nothing: .*WORKERS must be a whole number.*\n$/);
  expect(stdout).not.toContain('|');
});

test('a child of a bench is gone when its scope ends, and says why when it ends too early', async () => {
  const credentials = makeCredentials();
  const child = await BenchChild.start('naive', credentials);
  const { port } = child;
  const asked = child.measure();
  await child[Symbol.asyncDispose]();
  await expect(asked).rejects.toThrow('naive ended');
  await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toThrow('fetch failed');
  await expect(BenchChild.start('engine', credentials, ['nope'])).rejects.toThrow(/engine nope (failed|ended)/);
});

test('without a redis-server the webhook benches leave its rows out, and say so', async () => {
  const [directory, nothing] = [temporaryDirectory(), temporaryDirectory()];
  const { code, stdout, stderr } = await runBench(['webhook-drain', '--smoke', directory], { PATH: nothing });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/\n- Redis was left out: there is no redis-server in PATH\n/);
  expect(stdout).toMatch(/\| embedded store +\|/);
  expect(stdout).not.toMatch(/\| Redis +\|/);
});

describe('a run of every bench, too short for its figures to mean anything', () => {
  const directory = temporaryDirectory();
  let outcome: Outcome;

  beforeAll(async () => {
    cpSync('bench/README.md', join(directory, 'README.md'));
    outcome = await runBench(['--smoke', directory, '--write-readme']);
  }, 300_000);

  test('ends well', () => {
    expect({ ...outcome, stdout: '' }).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test.each(BENCHES)('%s has rows, and a figure in each', (name) => {
    expect(outcome.stdout).toContain(`### ${name}\n`);
    const result = JSON.parse(readFileSync(join(directory, 'results', `${name}.json`), 'utf8')) as BenchResult;
    expect(result).toMatchObject({ bench: name, scale: 'smoke', rounds: 1 });
    expect(result.tables.length).toBeGreaterThan(0);
    for (const { rows, columns } of result.tables) {
      expect(rows.length).toBeGreaterThan(0);
      for (const { label, median } of rows) {
        const figures = columns.flatMap((column) => median[column] ?? []);
        expect(figures.length, label).toBeGreaterThan(0);
        expect(figures.every(Number.isFinite), label).toBe(true);
      }
    }
  });

  test('draws every chart and writes the README', () => {
    for (const chart of ['throughput', 'goodput', 'intake'])
      expect(existsSync(join(directory, `charts/${chart}.svg`))).toBe(true);
    const readme = readFileSync(join(directory, 'README.md'), 'utf8');
    for (const name of BENCHES) expect(readme).toContain(`### ${name}\n`);
    expect(readme).toContain('(charts/goodput.svg)');
  });
});
