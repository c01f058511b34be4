/**
 * How long does everything else wait while Flow requests saturate the decrypt pool?
 *
 * How to read it: the idle columns are the same requests without a crowd. `/healthz` shows how free the main thread is.
 * A webhook delivery is one text message, acknowledged when the embedded store has it on the disk: that takes the main
 * thread twice, a thread that has to find a core, and a sync. A ping is encrypted: it waits in the decrypt queue like
 * everybody, and shows how long that is.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { checkStored } from './support/admin-port.ts';
import { type Bench, type BenchContext, formatCount, Samples } from './support/bench.ts';
import { createBookingStock } from './support/booking-load.ts';
import { BenchChild, EMBEDDED_STORE } from './support/child.ts';
import { Crowd } from './support/closed-loop.ts';
import { sharedCores } from './support/cores.ts';
import { flowPing, HEALTH, measureSideTraffic, type SideTraffic, webhookDeliveries } from './support/side-traffic.ts';
import { judge, TARGETS } from './support/targets.ts';
import { DeliveryLoad } from './support/webhook-load.ts';

/** Sealed before the crowd comes; the rest is sealed while it is there. */
const STOCK = 50_000;
/** More than are sent in five rounds; three megabytes. */
const DELIVERIES = 3_000;
const COLUMNS = ['idleP50Ms', 'idleP99Ms', 'p50Ms', 'p99Ms', 'latenessP99Ms', 'samples'] as const;

export const bench: Bench = {
  name: 'isolation',
  question: 'How long does everything else wait while Flow requests saturate the decrypt pool?',
  async run(context) {
    const { scale, credentials, progress } = context;
    progress.begin(scale.rounds * 2);
    await using server = await BenchChild.start('flowgate', credentials, [], EMBEDDED_STORE);
    const deliveries = new DeliveryLoad(credentials);
    deliveries.fill(DELIVERIES);
    const webhooks = webhookDeliveries(deliveries);
    const kinds = [HEALTH, webhooks, flowPing(credentials)];
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
    await checkStored(server.adminPort, deliveries.acknowledged);
    return {
      setup: `${server.description}; ${formatCount(scale.crowd)} connections, ${sharedCores().description}`,
      tables: [samples.table('request', COLUMNS)],
      verdicts: judge(TARGETS.acknowledgement, samples.median(webhooks.label)),
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
