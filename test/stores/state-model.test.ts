/** Random sequences of calls, few keys, every store: each call must tell what a model of the contract tells. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StateStore } from '../../src/state/state-store.ts';
import { type StateEngine, stateEngines, type TestStore } from '../support/state-engines.ts';

const MINUTE_MS = 60_000;

interface Model {
  nowMs: number;
  readonly records: Map<string, { value: string; version: number; expiresAtMs: number }>;
  /** Every version that any record of the key ever had. */
  readonly versions: Map<string, number[]>;
}

interface Real {
  readonly store: TestStore;
  readonly isDurable: boolean;
  state: StateStore;
}

/** Which version a call names: the one that stands there, one before it, none, or not at all. */
type Which = 'this' | 'last' | 'none' | 'any';

function command(name: string, run: (model: Model, real: Real) => Promise<void>): fc.AsyncCommand<Model, Real> {
  return { check: () => true, run, toString: () => name };
}

function live(model: Model, key: string) {
  const record = model.records.get(key);
  return record && record.expiresAtMs > model.nowMs ? record : undefined;
}

function versionOf(model: Model, key: string, which: Which): number | undefined {
  const standing = live(model, key)?.version ?? 0;
  if (which === 'any') return undefined;
  if (which === 'none') return 0;
  if (which === 'this') return standing;
  return model.versions.get(key)?.findLast((version) => version !== standing) ?? standing + 1;
}

const put = (key: string, value: string, minutes: number, which: Which) =>
  command(`put(${key}, ${value}, ${minutes} min, ${which})`, async (model, { state }) => {
    const standing = live(model, key)?.version ?? 0;
    const ifVersion = versionOf(model, key, which);
    const version = await state.put(key, { value, ttlMs: minutes * MINUTE_MS, ifVersion });
    const fits = ifVersion === undefined || ifVersion === standing;
    expect(version !== undefined).toBe(fits);
    if (version === undefined) return;
    const before = model.versions.get(key) ?? [];
    expect(before).not.toContain(version);
    expect(version).toBeGreaterThan(standing);
    model.versions.set(key, [...before, version]);
    model.records.set(key, { value, version, expiresAtMs: model.nowMs + minutes * MINUTE_MS });
  });

const get = (key: string) =>
  command(`get(${key})`, async (model, { state }) => {
    const record = live(model, key);
    expect(await state.get(key)).toEqual(record && { value: record.value, version: record.version });
  });

const remove = (key: string, which: Which) =>
  command(`delete(${key}, ${which})`, async (model, { state }) => {
    const record = live(model, key);
    const ifVersion = versionOf(model, key, which);
    const isTaken = record !== undefined && (ifVersion === undefined || ifVersion === record.version);
    expect(await state.delete(key, ifVersion)).toBe(isTaken);
    if (isTaken) model.records.delete(key);
  });

/** Half a minute beside every end of a record, so that Redis' own clock makes no difference. */
const elapse = (minutes: number) =>
  command(`elapse(${minutes} min)`, async (model, { store }) => {
    model.nowMs += minutes * MINUTE_MS;
    await store.elapse(minutes * MINUTE_MS);
  });

const reopen = () =>
  command('reopen()', async (_, real) => {
    if (!real.isDurable) return;
    await real.state.close();
    real.state = await real.store.open();
  });

const key = fc.constantFrom('a', 'b', 'c');
const which = fc.constantFrom<Which>('this', 'last', 'none', 'any');
const commands = [
  fc.tuple(key, fc.string({ maxLength: 5 }), fc.integer({ min: 1, max: 5 }), which).map((put_) => put(...put_)),
  key.map(get),
  fc.tuple(key, which).map((remove_) => remove(...remove_)),
  fc.integer({ min: 0, max: 3 }).map((minutes) => elapse(minutes + 0.5)),
  fc.constant(reopen()),
];

describe.each(stateEngines.map((engine) => [engine.name, engine] as const))('the %s state', (_, engine) => {
  let started: Awaited<ReturnType<StateEngine['start']>>;
  beforeAll(async () => {
    started = await engine.start();
  });
  afterAll(() => started[Symbol.asyncDispose]());

  test('does what the contract says, whatever is called in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { maxCommands: 40 }), async (calls) => {
        const store = started.newStore();
        const real: Real = { store, isDurable: engine.isDurable, state: await store.open() };
        try {
          const model: Model = { nowMs: 0, records: new Map(), versions: new Map() };
          await fc.asyncModelRun(() => ({ model, real }), calls);
        } finally {
          await real.state.close();
        }
      }),
      { numRuns: engine.name === 'memory' ? 300 : 40 },
    );
  });
});
