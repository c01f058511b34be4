/** Random sequences of calls, few ids, every inbox: each call must tell what a model of the contract tells. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Claim, Inbox, ItemState } from '../../src/webhooks/inbox.ts';
import { inboxEngines } from '../support/inbox-engines.ts';
import { itemId, newItem } from '../support/memory-inbox.ts';
import { within } from '../support/raw-http.ts';

/** What the contract says is known of an item. Time does not pass here: delays are none, and leases outlast the test. */
interface ModelItem {
  state: ItemState;
  attempts: number;
  result: string | undefined;
  readonly payload: { readonly n: number; readonly copy: number };
  readonly effects: Map<string, 'begun' | 'done'>;
}
type Model = Map<string, ModelItem>;
type Command = fc.AsyncCommand<Model, Inbox>;

const never = new AbortController().signal;
const inState = (model: Model, state: ItemState) => [...model].filter(([, item]) => item.state === state);

/** A command from its name, as a failing run prints it, and what it does. */
function command(name: string, run: (model: Model, inbox: Inbox) => Promise<void>): Command {
  return { check: () => true, run, toString: () => name };
}

const append = (ns: readonly number[], copy: number) =>
  command(`append(${ns})`, async (model, inbox) => {
    const isNew = ns.map((n) => {
      const isKnown = model.has(itemId(n));
      const payload = { n, copy };
      if (!isKnown)
        model.set(itemId(n), { state: 'waiting', attempts: 0, result: undefined, payload, effects: new Map() });
      return !isKnown;
    });
    expect(await inbox.append(ns.map((n) => newItem(n, { payload: { n, copy } })))).toEqual(isNew);
  });

const claim = (max: number) =>
  command(`claim(${max})`, async (model, inbox) => {
    const dueIds = inState(model, 'waiting').map(([id]) => id);
    const leaving = new AbortController();
    const claiming = inbox.claim(max, dueIds.length > 0 ? never : leaving.signal);
    leaving.abort();
    const claimed = await within(claiming, 'a claim');
    expect(claimed).toHaveLength(Math.min(max, dueIds.length));
    for (const { id, attempt, payload } of claimed) {
      const item = model.get(id);
      expect({ state: item?.state, attempt, payload }).toEqual({
        state: 'waiting',
        attempt: (item?.attempts ?? 0) + 1,
        payload: item?.payload,
      });
      if (item) Object.assign(item, { state: 'leased', attempts: attempt } satisfies Partial<ModelItem>);
    }
  });

/** Ends an attempt, or tries to: of an item that is not leased, or another attempt than the one that is. */
const end = (n: number, attempt: 'this' | 'last', how: 'settle' | 'retryAt' | 'dead' | 'renew') =>
  command(`${how}(${n}, ${attempt} attempt)`, async (model, inbox) => {
    const item = model.get(itemId(n));
    const claim: Claim = { id: itemId(n), attempt: (item?.attempts ?? 0) - (attempt === 'last' ? 1 : 0) };
    const isHeld = item?.state === 'leased' && attempt === 'this';
    const ends = {
      settle: () => inbox.settle(claim, `"${n}"`),
      retryAt: () => inbox.retryAt(claim, 0, 'HANDLER_FAILED'),
      dead: () => inbox.dead(claim, 'HANDLER_FAILED'),
      renew: () => inbox.renew(claim),
    };
    expect(await ends[how]()).toBe(isHeld);
    if (!isHeld) return;
    item.state = ({ settle: 'done', retryAt: 'waiting', dead: 'dead', renew: 'leased' } as const)[how];
    if (how === 'settle') item.result = `"${n}"`;
  });

const replay = (n: number | undefined) =>
  command(`replay(${n ?? ''})`, async (model, inbox) => {
    const dead = inState(model, 'dead').filter(([id]) => n === undefined || id === itemId(n));
    for (const [, item] of dead) {
      Object.assign(item, { state: 'waiting', attempts: 0 } satisfies Partial<ModelItem>);
      for (const [key, state] of item.effects) if (state === 'begun') item.effects.delete(key);
    }
    expect(await inbox.replay(n === undefined ? undefined : itemId(n))).toBe(dead.length);
  });

const purge = (n: number | undefined) =>
  command(`purge(${n ?? ''})`, async (model, inbox) => {
    const dead = inState(model, 'dead').filter(([id]) => n === undefined || id === itemId(n));
    for (const [id] of dead) model.delete(id);
    expect(await inbox.purge(n === undefined ? undefined : itemId(n))).toBe(dead.length);
  });

/** Only of what is leased: a handler runs. */
const effect = (n: number, key: string, happens: boolean) =>
  command(`effect(${n}, ${key}, ${happens})`, async (model, inbox) => {
    const item = model.get(itemId(n));
    if (item?.state !== 'leased') return;
    expect((await inbox.beginEffect(itemId(n), key)).state).toBe(item.effects.get(key) ?? 'new');
    if (!item.effects.has(key)) item.effects.set(key, 'begun');
    if (!happens) return;
    await inbox.endEffect(itemId(n), key, undefined);
    item.effects.set(key, 'done');
  });

const look = () =>
  command('look()', async (model, inbox) => {
    const counts = { waiting: 0, leased: 0, done: 0, dead: 0 };
    for (const { state } of model.values()) counts[state] += 1;
    expect(await inbox.stats()).toMatchObject(counts);
    for (const state of ['waiting', 'leased', 'done', 'dead'] as const) {
      const listed = (await inbox.list(state, 1_000)).map(({ id }) => id);
      expect(listed.sort()).toEqual(
        inState(model, state)
          .map(([id]) => id)
          .sort(),
      );
    }
    for (const n of NS) {
      const item = model.get(itemId(n));
      const { state, attempts, result, payload } = (await inbox.find(itemId(n))) ?? {};
      const expected = item && { ...item, payload: item.state === 'done' ? undefined : item.payload };
      expect({ state, attempts, result, payload }).toEqual({
        state: expected?.state,
        attempts: expected?.attempts,
        result: expected?.result,
        payload: expected?.payload,
      });
    }
  });

const NS = [1, 2, 3, 4, 5];
const n = fc.constantFrom(...NS);
const maybeN = fc.option(n, { nil: undefined });
const commands = fc.commands(
  [
    fc.tuple(fc.array(n, { maxLength: 4 }), fc.nat()).map(([ns, copy]) => append(ns, copy)),
    fc.integer({ min: 1, max: 4 }).map(claim),
    fc
      .tuple(n, fc.constantFrom('this', 'this', 'last'), fc.constantFrom('settle', 'retryAt', 'dead', 'dead', 'renew'))
      .map(([id, attempt, how]) => end(id, attempt, how)),
    maybeN.map(replay),
    maybeN.map(purge),
    fc.tuple(n, fc.constantFrom('send', 'book'), fc.boolean()).map(([id, key, happens]) => effect(id, key, happens)),
    fc.constant(look()),
  ],
  { maxCommands: 60, size: 'max' },
);

describe.each(inboxEngines)('the inbox on $name', ({ start }) => {
  let stores: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    stores = await start();
  });
  afterAll(() => stores[Symbol.asyncDispose]());

  test('does what the contract says, whatever is called in whatever order', async () => {
    const property = fc.asyncProperty(commands, async (sequence) => {
      const inbox = await stores.newStore()();
      try {
        await fc.asyncModelRun(() => ({ model: new Map(), real: inbox }), sequence);
      } finally {
        await inbox.close();
      }
    });
    await fc.assert(property, { numRuns: 40, endOnFailure: true });
  });
});
