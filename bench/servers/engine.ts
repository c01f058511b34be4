/** One engine, kept busy: the command line says which. */
import { loadSettings, withOverrides } from '../../dist/config/settings.js';
import { BenchError } from '../support/bench-error.ts';
import { ENGINE_LABELS, type EngineName } from '../support/engine-names.ts';
import { describeWorkers, serveBench } from './child-side.ts';
import { type Engine, startEngine } from './engine-list.ts';
import { runSaturated } from './saturation.ts';

/** Starts what an engine starts with its first unwrap, in every thread. */
async function prove(engine: Engine, workers: number): Promise<void> {
  const unwraps = await Promise.all(Array.from({ length: workers }, () => engine.unwrap()));
  if (unwraps.includes(false)) throw new BenchError('it unwraps keys wrongly');
}

let engine: Engine | undefined;

await serveBench(
  async () => {
    const { config, secrets } = loadSettings(withOverrides({ LOG_LEVEL: 'error' }));
    const [, , name = ''] = process.argv;
    if (!(name in ENGINE_LABELS)) throw new BenchError(`there is no engine ${name}`);
    if (!secrets) throw new BenchError('ROLE must not be worker');
    engine = await startEngine(name as EngineName, { keys: secrets.keys, workers: config.workers });
    await prove(engine, config.workers);
    return { port: 0, description: describeWorkers(config.workers) };
  },
  { run: (load) => runSaturated(() => engine?.unwrap() ?? Promise.reject(new BenchError('there is no engine')), load) },
);
