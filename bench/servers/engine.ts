/** One engine, kept busy: the command line says which. */
import { setTimeout as sleep } from 'node:timers/promises';
import { loadSettings, withOverrides } from '../../dist/config/settings.js';
import { BenchError } from '../support/bench-error.ts';
import { ENGINE_LABELS, type EngineName } from '../support/engine-names.ts';
import type { EngineLoad, EngineRun } from '../support/messages.ts';
import { describeWorkers, serveBench, takeUsage } from './child-side.ts';
import { type Engine, startEngine } from './engine-list.ts';

/** Keeps a number of unwraps in flight. */
class Saturation {
  done = 0;
  readonly #engine: Engine;
  readonly #inFlight: number;
  #pending = 0;
  #wrong = 0;
  #stopped = false;
  #isFillScheduled = false;

  constructor(engine: Engine, inFlight: number) {
    this.#engine = engine;
    this.#inFlight = inFlight;
    this.#scheduleFill();
  }

  /** Waits for what is in flight. Rejects when any unwrap gave another key than was wrapped. */
  async stop(): Promise<void> {
    this.#stopped = true;
    while (this.#pending > 0) await sleep(5);
    if (this.#wrong > 0) throw new BenchError(`${this.#wrong} unwraps went wrong`);
  }

  /** Once for every turn of the event loop, as requests come in on a server. */
  #scheduleFill(): void {
    if (this.#isFillScheduled || this.#stopped) return;
    this.#isFillScheduled = true;
    setImmediate(() => {
      this.#isFillScheduled = false;
      while (!this.#stopped && this.#pending < this.#inFlight) void this.#one();
    });
  }

  async #one(): Promise<void> {
    this.#pending += 1;
    const isRight = await this.#engine.unwrap().catch(() => false);
    this.#pending -= 1;
    this.done += 1;
    if (!isRight) this.#wrong += 1;
    this.#scheduleFill();
  }
}

async function run(engine: Engine, { inFlight, warmUpMs, measuredMs }: EngineLoad): Promise<EngineRun> {
  const saturation = new Saturation(engine, inFlight);
  await sleep(warmUpMs);
  takeUsage();
  const before = { done: saturation.done, ms: performance.now() };
  await sleep(measuredMs);
  const usage = takeUsage();
  const seconds = (performance.now() - before.ms) / 1_000;
  const unwraps = saturation.done - before.done;
  await saturation.stop();
  if (unwraps === 0) throw new BenchError('no unwrap ended in the measured time');
  return { ...usage, unwraps, seconds };
}

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
    engine = await startEngine(name as EngineName, { keys: secrets.keys, workers: config.workers });
    await prove(engine, config.workers);
    return { port: 0, description: describeWorkers(config.workers) };
  },
  (load) => (engine ? run(engine, load) : Promise.reject(new BenchError('there is no engine'))),
);
