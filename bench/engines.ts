/**
 * How fast does each way to unwrap keys get, without HTTP around it?
 *
 * How to read it: 1,000 unwraps are in flight at any time. "CPU / raw" is the CPU of the whole process for one unwrap,
 * in units of the bare operation: what is above 1 is the price of crossing threads. Throughput cannot pass the number
 * of cores times that of the bare operation. Loop delay tells who kept the main thread.
 */
import { type Bench, formatCount, Samples } from './support/bench.ts';
import { BenchChild } from './support/child.ts';
import { ENGINE_LABELS, type EngineName } from './support/engine-names.ts';
import { measureRawUnwrapMicros } from './support/raw-cost.ts';

const COLUMNS = ['unwrapsPerSec', 'cpuMicros', 'cpuToRaw', 'loopDelayP99Ms', 'rssMb'] as const;
const RAW_ROW = 'bare privateDecrypt, one thread';

export const bench: Bench = {
  name: 'engines',
  question: 'How fast does each way to unwrap keys get, without HTTP around it?',
  async run({ scale, credentials, progress }) {
    const names = Object.keys(ENGINE_LABELS) as EngineName[];
    const load = { inFlight: scale.crowd, warmUpMs: scale.engineWarmUpMs, measuredMs: scale.engineMs };
    progress.begin(scale.rounds * names.length);
    const samples = new Samples();
    let setup = '';
    for (let round = 0; round < scale.rounds; round++) {
      const rawMicros = await measureRawUnwrapMicros(credentials, scale.rawMs);
      samples.add(RAW_ROW, { unwrapsPerSec: 1e6 / rawMicros, cpuMicros: rawMicros, cpuToRaw: 1 });
      for (const name of names) {
        progress.step(ENGINE_LABELS[name]);
        await using child = await BenchChild.start('engine', credentials, [name]);
        const { operations, seconds, cpuMicros, loopDelayP99Ms, rssBytes } = await child.run(load);
        const each = cpuMicros / operations;
        samples.add(ENGINE_LABELS[name], {
          unwrapsPerSec: operations / seconds,
          cpuMicros: each,
          cpuToRaw: each / rawMicros,
          loopDelayP99Ms,
          rssMb: rssBytes / 1e6,
        });
        setup = child.description;
      }
    }
    return {
      setup: `${setup}; ${formatCount(load.inFlight)} in flight`,
      tables: [samples.table('engine', COLUMNS)],
      verdicts: [],
      notes: [],
    };
  },
};
