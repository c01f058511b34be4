/**
 * How long does everything else wait while Flow requests saturate the decrypt pool?
 *
 * How to read it: the idle columns are the same requests without a crowd. `/healthz` shows how free the main thread is.
 * The signed request costs an HMAC and is refused, which stands for the acknowledgement of a webhook. A ping is
 * encrypted: it waits in the decrypt queue like everybody, and shows how long that is.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, type BenchContext, formatCount, Samples } from './support/bench.ts';
import { createBookingStock } from './support/booking-load.ts';
import { BenchChild } from './support/child.ts';
import { Crowd } from './support/closed-loop.ts';
import { sharedCores } from './support/cores.ts';
import { flowPing, HEALTH, measureSideTraffic, type SideTraffic, signedNonsense } from './support/side-traffic.ts';
import { judge, TARGETS } from './support/targets.ts';

/** Sealed before the crowd comes; the rest is sealed while it is there. */
const STOCK = 50_000;
const COLUMNS = ['idleP50Ms', 'idleP99Ms', 'p50Ms', 'p99Ms', 'latenessP99Ms', 'samples'] as const;

export const bench: Bench = {
  name: 'isolation',
  question: 'How long does everything else wait while Flow requests saturate the decrypt pool?',
  async run(context) {
    const { scale, credentials, progress } = context;
    progress.begin(scale.rounds * 2);
    await using server = await BenchChild.start('flowgate', credentials);
    const kinds = [HEALTH, signedNonsense(credentials), flowPing(credentials)];
    const samples = new Samples();
    for (let round = 0; round < scale.rounds; round++) {
      progress.step('idle');
      const idle = await measureAll(server, kinds, scale.measuredMs / 2);
      progress.step('saturated');
      const saturated = await measureUnderCrowd(server, kinds, context);
      for (const [i, { label }] of kinds.entries()) {
        samples.add(label, {
          idleP50Ms: idle[i]?.latencies.percentile(0.5) ?? Number.NaN,
          idleP99Ms: idle[i]?.latencies.percentile(0.99) ?? Number.NaN,
          p50Ms: saturated[i]?.latencies.percentile(0.5) ?? Number.NaN,
          p99Ms: saturated[i]?.latencies.percentile(0.99) ?? Number.NaN,
          latenessP99Ms: saturated[i]?.lateness.percentile(0.99) ?? Number.NaN,
          samples: saturated[i]?.latencies.count ?? 0,
        });
      }
    }
    return {
      setup: `${server.description}; ${formatCount(scale.crowd)} connections, ${sharedCores().description}`,
      tables: [samples.table('request', COLUMNS)],
      verdicts: judge(TARGETS.acknowledgement, samples.median(kinds[1]?.label ?? '')),
      notes: [],
    };
  },
};

function measureAll({ port }: BenchChild, kinds: readonly SideTraffic[], durationMs: number) {
  return Promise.all(kinds.map((kind) => measureSideTraffic(port, kind, durationMs)));
}

async function measureUnderCrowd(server: BenchChild, kinds: readonly SideTraffic[], context: BenchContext) {
  const { scale, credentials } = context;
  const stock = createBookingStock(credentials);
  stock.fill(STOCK);
  using crowd = new Crowd({ port: server.port, connections: scale.crowd, stock });
  await crowd.start();
  await crowd.during(sleep(scale.warmUpMs));
  const measured = await crowd.during(measureAll(server, kinds, scale.measuredMs));
  await crowd.stop();
  return measured;
}
