/** `npm run bench`: picks benches, runs them one after the other, prints and keeps what they found. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { bench as againstInline } from './against-inline.ts';
import { bench as againstNaive } from './against-naive.ts';
import { bench as againstUnbatched } from './against-unbatched.ts';
import { bench as engines } from './engines.ts';
import { bench as flowEndpoint } from './flow-endpoint.ts';
import { bench as isolation } from './isolation.ts';
import { bench as metricsCost } from './metrics-cost.ts';
import { bench as overload } from './overload.ts';
import { bench as replyGuard } from './reply-guard.ts';
import type { Bench } from './support/bench.ts';
import { BenchError, reasonOf } from './support/bench-error.ts';
import { makeCredentials } from './support/credentials.ts';
import { machineLine, thisMachine } from './support/machine.ts';
import { renderResult } from './support/markdown.ts';
import { showProgress } from './support/progress-bar.ts';
import { rewriteResults } from './support/readme.ts';
import { type BenchResult, readResults, writeJson, writeResults, writeText } from './support/results.ts';
import { FULL, QUICK, type Scale, SMOKE } from './support/scale.ts';
import { bench as tracingCost } from './tracing-cost.ts';
import { bench as webhookDrain } from './webhook-drain.ts';
import { bench as webhookIntake } from './webhook-intake.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
/** A median of fewer says little. */
const LEAST_ROUNDS = 3;
/** In the order they run and are shown. */
const BENCHES: readonly Bench[] = [
  ...[flowEndpoint, againstInline, againstUnbatched, againstNaive],
  ...[overload, isolation, webhookIntake, webhookDrain],
  ...[engines, replyGuard, metricsCost, tracingCost],
];

interface RunOptions {
  readonly quick?: true;
  readonly rounds?: number;
  readonly json?: string;
  readonly writeReadme?: true;
  /** Tiny runs; everything is written under this folder. */
  readonly smoke?: string;
}

const program = new Command('bench')
  .description('Measures Flowgate on this machine. Without a name, everything is measured.')
  .argument('[benches...]', 'which ones; "list" tells their names')
  .option('--quick', 'one short round each')
  .option('--rounds <count>', `rounds of each bench, at least ${LEAST_ROUNDS} unless quick`, wholeNumber(1, 20))
  .option('--json <file>', 'write all figures to this file, instead of one for each bench in bench/results')
  .option('--write-readme', 'write the results section of bench/README.md anew')
  .addOption(new Option('--smoke <directory>').hideHelp())
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'bench: ')) })
  .action((names: string[], options: RunOptions) => (names[0] === 'list' ? list(names) : runAll(names, options)));

// A child is killed when this process exits, in whichever way it does.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
// Whoever reads our output may stop early (`| head`): that ends the run, and is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : EXIT_FAILED));

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

function list(names: readonly string[]): void {
  if (names.length > 1) misuse('list stands alone');
  const width = Math.max(...BENCHES.map(({ name }) => name.length));
  for (const { name, question } of BENCHES) console.log(`${name.padEnd(width)}  ${question}`);
}

async function runAll(names: readonly string[], options: RunOptions): Promise<void> {
  const benches = pick(names);
  const scale = scaleOf(options);
  const machine = thisMachine();
  const results: BenchResult[] = [];
  console.log(machineLine(machine));
  for (const bench of benches) {
    const report = await run(bench, scale);
    const result = {
      bench: bench.name,
      question: bench.question,
      machine,
      scale: scale.name,
      rounds: scale.rounds,
      ...report,
    };
    console.log(`\n${renderResult(result)}`);
    results.push(result);
  }
  await keep(results, options);
}

async function run(bench: Bench, scale: Scale) {
  using progress = showProgress(bench.name);
  try {
    return await bench.run({ scale, credentials: makeCredentials(), progress });
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    throw new BenchError(`${bench.name} measured nothing: ${error.message}`);
  }
}

/** Writes the figures; then the charts, and the README if wanted, from all that were ever kept. */
async function keep(results: readonly BenchResult[], { json, writeReadme, smoke }: RunOptions): Promise<void> {
  const directory = smoke ?? fileURLToPath(new URL('.', import.meta.url));
  const kept = join(directory, 'results');
  if (json === undefined) writeResults(kept, results);
  else writeJson(json, results);
  const known = inOrder(new Map([...readResults(kept), ...results].map((result) => [result.bench, result])));
  const { drawGoodput, drawIntake, drawThroughput } = await import('./support/charts.ts'); // echarts takes a while to load
  const drawn = [
    { file: 'charts/throughput.svg', text: 'Requests answered per second, by server', svg: drawThroughput(known) },
    { file: 'charts/goodput.svg', text: 'Goodput and refusals, by offered load', svg: drawGoodput(known) },
    { file: 'charts/intake.svg', text: 'Webhook events acknowledged per second, by store', svg: drawIntake(known) },
  ];
  const charts = drawn.filter(({ svg }) => svg !== undefined);
  for (const { file, svg = '' } of charts) writeText(join(directory, file), svg);
  const readme = join(directory, 'README.md');
  if (writeReadme) writeText(readme, rewriteResults(readFileSync(readme, 'utf8'), known, charts));
}

function inOrder(results: ReadonlyMap<string, BenchResult>): BenchResult[] {
  return BENCHES.flatMap(({ name }) => results.get(name) ?? []);
}

function pick(names: readonly string[]): readonly Bench[] {
  const unknown = names.find((name) => !BENCHES.some((bench) => bench.name === name));
  if (unknown !== undefined) misuse(`there is no bench ${unknown}: ${BENCHES.map(({ name }) => name).join(', ')}`);
  return names.length === 0 ? BENCHES : BENCHES.filter(({ name }) => names.includes(name));
}

function scaleOf({ quick, rounds, smoke }: RunOptions): Scale {
  const scale = smoke !== undefined ? SMOKE : quick ? QUICK : FULL;
  if (rounds !== undefined && rounds < LEAST_ROUNDS && scale === FULL) {
    misuse(`a median needs at least ${LEAST_ROUNDS} rounds, except with --quick`);
  }
  return { ...scale, rounds: rounds ?? scale.rounds };
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

function misuse(sentence: string): never {
  return program.error(`bench: ${sentence}`);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE; // commander has said why
  console.error(`bench: ${error instanceof BenchError ? error.message : `unexpected failure: ${reasonOf(error)}`}`);
  return EXIT_FAILED;
}
