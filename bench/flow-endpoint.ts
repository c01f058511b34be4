/**
 * How many Flow requests a second does one process answer, and how long does a user wait?
 *
 * How to read it: with few connections latency is the figure, with many throughput is. "CPU / raw" is what a request
 * costs the server in CPU, in units of the one RSA operation that it cannot do without; loop delay is how long anything
 * else in the process had to wait for the main thread. The generator runs on the same cores and takes its share.
 */
import { type Bench, type BenchContext, formatCount, Samples } from './support/bench.ts';
import { RefusalError } from './support/bench-error.ts';
import { createBookingStock } from './support/booking-load.ts';
import { BenchChild } from './support/child.ts';
import { runClosedLoop } from './support/closed-loop.ts';
import { SPARE_FILES } from './support/connection-pool.ts';
import { sharedCores } from './support/cores.ts';
import { openFileLimit } from './support/machine.ts';
import { measureRawUnwrapMicros } from './support/raw-cost.ts';
import { stockSize } from './support/stock-size.ts';
import { judge, TARGETS } from './support/targets.ts';

const COLUMNS = ['requestsPerSec', 'p50Ms', 'p99Ms', 'cpuMicros', 'cpuToRaw', 'loopDelayP99Ms', 'rssMb'] as const;

export const bench: Bench = {
  name: 'flow-endpoint',
  question: 'How many Flow requests a second does one process answer, and how long does a user wait?',
  async run(context) {
    const { scale, credentials, progress } = context;
    const limit = openFileLimit() - SPARE_FILES;
    const steps = scale.connections.filter((connections) => connections <= limit);
    const tooMany = scale.connections.filter((connections) => connections > limit);
    const notes = tooMany.map((connections) => leftOut(connections, 'the limit of open files is too low'));
    progress.begin(scale.rounds * steps.length);
    await using server = await BenchChild.start('flowgate', credentials);
    const samples = new Samples();
    for (let round = 0; round < scale.rounds; round++) {
      notes.push(...(await measureSteps(server, steps, context, samples)));
    }
    const crowd = samples.median('1,000');
    return {
      setup: `${server.description}; ${sharedCores().description}`,
      tables: [samples.table('connections', COLUMNS)],
      verdicts: [TARGETS.cpu, TARGETS.p99, TARGETS.loopDelay, TARGETS.memory].flatMap((target) => judge(target, crowd)),
      notes,
    };
  },
};

/** One round. @returns notes on steps that gave no figure. */
async function measureSteps(
  server: BenchChild,
  steps: readonly number[],
  { scale, credentials, progress }: BenchContext,
  samples: Samples,
): Promise<string[]> {
  const stock = createBookingStock(credentials);
  const rawMicros = await measureRawUnwrapMicros(credentials, scale.rawMs);
  const notes: string[] = [];
  for (const connections of steps) {
    progress.step(`connections: ${formatCount(connections)}`);
    stock.fill(stockSize(scale, connections, rawMicros));
    try {
      const figures = await runClosedLoop(server, { ...scale, connections, stock });
      samples.add(formatCount(connections), { ...figures, cpuToRaw: figures.cpuMicros / rawMicros });
    } catch (error) {
      if (!(error instanceof RefusalError) || connections <= scale.crowd) throw error;
      notes.push(leftOut(connections, 'more than this machine serves within the wait that the server allows (503)'));
    }
  }
  return notes;
}

function leftOut(connections: number, why: string): string {
  return `${formatCount(connections)} connections left out of a round: ${why}`;
}
