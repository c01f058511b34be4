/**
 * How many webhook events a second are acknowledged once they are durable, and how long does a delivery wait?
 *
 * How to read it: each event is on the disk before its delivery is answered 200, and a run is thrown away unless the inbox
 * then holds exactly what was acknowledged. Every row begins with an empty inbox of its own; batches are measured for half
 * the time.
 * "As it runs": the embedded store's own workers claim and settle each event meanwhile, for an app that has no handler
 * for it, on the same cores and in the same file. "Intake alone" is without them: `ROLE=web`, which the settings allow on
 * Redis only. What is bare has no HTTP, no HMAC and no JSON to parse: the store's `append`, and BullMQ's `Queue.add` or
 * `addBulk` under the id of the event, with as many calls in flight as there are connections. The inbox on Redis does
 * more than those do: it stores a delivery in one transaction and tells what is a duplicate. Ratios are to what is bare.
 *
 * 1,000 connections of a closed loop wait for 1,000 answers: with less than 10,000 a second their p99 must be above
 * 100 ms, so that target is judged at 100 connections.
 *
 * "fsyncs/s" are transactions of the embedded store, by its metric `flowgate_inbox_commit_seconds`: one that changes
 * something syncs the log once. What changes nothing, a claim that finds nothing, is counted and syncs nothing; a
 * checkpoint, every 16 MB of log, syncs up to three times and is not counted. Redis does not tell how often it syncs. Its
 * CPU is that of its process, and comes on top of the server's "CPU each".
 */
import { type Bench, type BenchContext, formatCount, Samples } from './support/bench.ts';
import { takingTurns } from './support/comparison.ts';
import { sharedCores } from './support/cores.ts';
import { measureDisk } from './support/disk.ts';
import type { Figures } from './support/figures.ts';
import { INTAKE_WAYS, type IntakeLoad, type IntakeWay, measureIntake } from './support/intake.ts';
import { lookForRedis } from './support/redis-server.ts';
import { judge, TARGETS, type Verdict } from './support/targets.ts';

/** A delivery with as many events as this, from as many connections as make 1,000 events in flight. */
const BATCH = { connections: 10, batch: 100 };
const COLUMNS = [
  ...(['eventsPerSec', 'p50Ms', 'p99Ms', 'cpuMicros', 'redisCpuMicros', 'fsyncsPerSec', 'eventsPerFsync'] as const),
  ...(['loopDelayP99Ms', 'rssMb'] as const),
] as const;

export const bench: Bench = {
  name: 'webhook-intake',
  question:
    'How many webhook events a second are acknowledged once they are durable, and how long does a delivery wait?',
  async run(context) {
    const { scale, progress } = context;
    const redis = lookForRedis();
    const ways = INTAKE_WAYS.filter(({ store }) => store === 'embedded' || redis.isThere);
    const loads = [...scale.intakeConnections.map((connections) => ({ connections, batch: 1 })), BATCH];
    progress.begin(scale.rounds * ways.length * loads.length);
    const disk = measureDisk(scale.rawMs);
    const steps = loads.map((load): Step => ({ load, samples: new Samples() }));
    const ratios = new Samples();
    let server = '';
    for (let round = 0; round < scale.rounds; round++) {
      for (const step of steps) server = await measureRound(takingTurns(ways, round), step, ratios, context);
    }
    return {
      setup: `${server}; ${disk.description}${redis.description}; ${sharedCores().description}`,
      tables: [
        ...steps.map(({ load, samples }) => samples.table(titleOf(load), COLUMNS)),
        ratios.table('ratio', ['eventsRatio', 'p99Ratio', 'cpuRatio']),
      ],
      verdicts: judgeEmbedded(steps.filter(({ load }) => load !== BATCH)),
      notes: [...disk.notes, ...redis.notes],
    };
  },
};

interface Step {
  readonly load: IntakeLoad;
  readonly samples: Samples;
}

/** Each way once. @returns what served those that are Flowgate. */
async function measureRound(
  ways: readonly IntakeWay[],
  { load, samples }: Step,
  ratios: Samples,
  context: BenchContext,
): Promise<string> {
  const measured = new Map<string, Figures>();
  let server = '';
  for (const way of ways) {
    context.progress.step(`${way.label}, ${titleOf(load)}`);
    const { figures, description } = await measureIntake(way, load, context);
    samples.add(way.label, figures);
    measured.set(way.label, figures);
    if (way.child === 'intake') server = description;
  }
  for (const { label, against } of ways) {
    const [ours, theirs] = [measured.get(label), measured.get(against?.bare ?? '')];
    if (against && ours && theirs) ratios.add(`${against.ratio}, ${titleOf(load)}`, ratioOf(ours, theirs));
  }
  return server;
}

function ratioOf(ours: Figures, theirs: Figures): Figures {
  const ratio = (name: 'eventsPerSec' | 'p99Ms' | 'cpuMicros') =>
    (ours[name] ?? Number.NaN) / (theirs[name] ?? Number.NaN);
  return { eventsRatio: ratio('eventsPerSec'), p99Ratio: ratio('p99Ms'), cpuRatio: ratio('cpuMicros') };
}

/** The embedded store as it runs. */
function judgeEmbedded([few, many]: readonly Step[]): Verdict[] {
  const [{ label }] = INTAKE_WAYS;
  return [
    ...judge(TARGETS.intake, few?.samples.median(label)),
    ...judge(TARGETS.intakeP99, few?.samples.median(label)),
    ...judge(TARGETS.intakeOfCrowd, many?.samples.median(label)),
  ];
}

function titleOf({ connections, batch }: IntakeLoad): string {
  const events = batch === 1 ? '' : `, ${batch} events a delivery`;
  return `${formatCount(connections)} connections${events}`;
}
