/** Data made from a declared model passes; one thing changed in it is found, at its key. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FlowJson } from '../../../src/flows/flow-json.ts';
import { checkFlowJson } from '../../../src/flows/guard/check-flow-json.ts';
import { compileGuard, type Violation } from '../../../src/flows/guard/reply-guard.ts';
import { isObject } from '../../../src/json.ts';
import { bound, type Data, everyComponent, examplesOf, flowOf, PNG, violationsOf } from './a-flow.ts';

type Schema = Record<string, unknown>;

interface Case {
  readonly schema: Schema;
  readonly value: fc.Arbitrary<unknown>;
}

const key = fc.stringMatching(/^[a-z]{1,6}$/);

/** A schema of any shape, with an arbitrary for what fits it. */
const { node: anyCase } = fc.letrec<{ node: Case }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant<Case>({ schema: { type: 'string' }, value: fc.string() }),
    fc.constant<Case>({ schema: { type: 'number' }, value: fc.double({ noNaN: true, noDefaultInfinity: true }) }),
    fc.constant<Case>({ schema: { type: 'boolean' }, value: fc.boolean() }),
    fc.tuple(tie('node'), fc.nat(2), fc.nat(3)).map(([{ schema, value }, minItems, more]): Case => {
      const maxItems = minItems + more;
      return {
        schema: { type: 'array', items: schema, minItems, maxItems },
        value: fc.array(value, { minLength: minItems, maxLength: maxItems }),
      };
    }),
    fc.dictionary(key, tie('node'), { maxKeys: 4 }).chain((cases) =>
      fc.subarray(Object.keys(cases)).map((required): Case => {
        const entries = Object.entries(cases);
        const properties = Object.fromEntries(entries.map(([name, { schema }]) => [name, schema]));
        const values = Object.fromEntries(entries.map(([name, { value }]) => [name, value]));
        return {
          schema: { type: 'object', properties, required },
          value: fc.record(values, { requiredKeys: required }),
        };
      }),
    ),
  ),
}));

/** A screen's data model and data that fits it. */
const modelAndData = fc.dictionary(key, anyCase, { minKeys: 1, maxKeys: 5 }).chain((cases) => {
  const entries = Object.entries(cases);
  const model = Object.fromEntries(entries.map(([name, { schema }]) => [name, schema]));
  const data = fc.record(Object.fromEntries(entries.map(([name, { value }]) => [name, value])));
  return data.map((made) => ({ model, data: made as Data }));
});

/** The paths of everything in a value, itself included. */
function pathsIn(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Object.entries(value).flatMap(([name, part]) =>
    pathsIn(part, [...path, Array.isArray(value) ? Number(name) : name]),
  );
  return [path, ...inner];
}

function withValue(data: unknown, [part, ...rest]: readonly (string | number)[], value: unknown): unknown {
  if (part === undefined) return value;
  const copy = (Array.isArray(data) ? [...data] : { ...(data as object) }) as Record<string | number, unknown>;
  copy[part] = withValue(copy[part], rest, value);
  return copy;
}

function keyOf(path: readonly (string | number)[]): string {
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${part}`)).join('');
}

function ruleAt(violations: readonly Violation[], path: readonly (string | number)[]): string | undefined {
  return violations.find((violation) => violation.key === keyOf(path))?.rule;
}

test('data that fits its model passes', () => {
  fc.assert(
    fc.property(modelAndData, ({ model, data }) => {
      expect(violationsOf(flowOf([], model), data)).toEqual([]);
    }),
  );
});

const mutated = modelAndData.chain(({ model, data }) =>
  fc.constantFrom(...pathsIn(data).slice(1)).map((path) => ({ model, data, path })),
);

test('null in any place is found at its key', () => {
  fc.assert(
    fc.property(mutated, ({ model, data, path }) => {
      const violations = violationsOf(flowOf([], model), withValue(data, path, null) as Data);
      expect(ruleAt(violations, path)).toBe('null');
    }),
  );
});

test('a value of another type in any place is found at its key', () => {
  const others: Record<string, unknown> = { string: 7, number: '7', boolean: 'true', array: {}, object: [] };
  fc.assert(
    fc.property(mutated, ({ model, data, path }) => {
      const was = path.reduce<unknown>((value, part) => (value as Record<string | number, unknown>)[part], data);
      const other = others[Array.isArray(was) ? 'array' : typeof was];
      const violations = violationsOf(flowOf([], model), withValue(data, path, other) as Data);
      expect(ruleAt(violations, path)).toBe('type');
    }),
  );
});

test('any declared key that is left out is found, and so is any that is added', () => {
  fc.assert(
    fc.property(modelAndData, fc.nat(), ({ model, data }, nth) => {
      const keys = Object.keys(data);
      const dropped = keys[nth % keys.length] ?? '';
      const { [dropped]: _, ...rest } = data;
      expect(ruleAt(violationsOf(flowOf([], model), rest), [dropped])).toBe('missing');
      expect(ruleAt(violationsOf(flowOf([], model), { ...data, ADDED: 1 }), ['ADDED'])).toBe('undeclared');
    }),
  );
});

const uniqueOptions = (min: number, max: number) =>
  fc.uniqueArray(
    fc.record(
      {
        id: fc.string({ minLength: 1 }),
        title: fc.stringMatching(/^[A-Za-z].{0,12}$/u),
        description: fc.string({ maxLength: 100, unit: 'grapheme-ascii' }),
        metadata: fc.string({ maxLength: 20 }),
        enabled: fc.boolean(),
        image: fc.constant(PNG),
        color: fc.stringMatching(/^#[0-9a-f]{6}$/),
      },
      { requiredKeys: ['id', 'title'] },
    ),
    { minLength: min, maxLength: max, selector: ({ id }) => id },
  );

const lists = fc.constantFrom(
  { type: 'Dropdown', min: 1, max: 100 },
  { type: 'RadioButtonsGroup', min: 1, max: 20 },
  { type: 'CheckboxGroup', min: 1, max: 20 },
  { type: 'ChipsSelector', min: 2, max: 20 },
);
const listAndOptions = lists.chain((list) => uniqueOptions(list.min, list.max).map((items) => ({ ...list, items })));

function violationsOfList(type: string, items: readonly unknown[]): readonly Violation[] {
  const component = { type, name: 'n', label: 'L', 'data-source': bound('items') };
  return violationsOf(flowOf([component], { items: { type: 'array' } }), { items });
}

test('options within the limits pass', () => {
  fc.assert(
    fc.property(listAndOptions, ({ type, items }) => {
      expect(violationsOfList(type, items)).toEqual([]);
    }),
  );
});

test('one option that is too long, doubled, of a wrong type or without its title is found at its key', () => {
  const changes: readonly [string, object, string][] = [
    ['title', { title: 'x'.repeat(31) }, 'text-length'],
    ['title', { title: undefined }, 'required'],
    ['description', { description: 'x'.repeat(301) }, 'text-length'],
    ['enabled', { enabled: 1 }, 'type'],
    ['color', { color: '#12' }, 'color'],
    ['image', { image: 'data:image/png;base64,' }, 'image'],
    ['id', { id: null }, 'null'],
  ];
  fc.assert(
    fc.property(listAndOptions, fc.nat(), fc.constantFrom(...changes), ({ type, items }, nth, change) => {
      const index = nth % items.length;
      const [field, over, rule] = change;
      const changed = items.map((item, i) => (i === index ? { ...item, ...over } : item));
      expect(ruleAt(violationsOfList(type, changed), ['items', index, field])).toBe(rule);
      const doubled = [...items.slice(0, -1), items[0], items[0]].filter((item) => item !== undefined);
      const { rule: found } = violationsOfList(type, doubled).find(({ key: at }) => at.endsWith('.id')) ?? {};
      expect(found).toBe('unique-ids');
    }),
  );
});

test('too many options, and too few, are found at the list', () => {
  fc.assert(
    fc.property(lists, fc.integer({ min: 1, max: 50 }), ({ type, min, max }, more) => {
      const make = (count: number) => Array.from({ length: count }, (_, i) => ({ id: `${i}`, title: 'x', image: PNG }));
      expect(ruleAt(violationsOfList(type, make(max + more)), ['items'])).toBe('list-size');
      expect(ruleAt(violationsOfList(type, make(min - 1)), ['items'])).toBe('list-size');
    }),
  );
});

const everyPlace = everyComponent.screens.flatMap(({ id }) => {
  const data = examplesOf(everyComponent, id);
  return pathsIn(data)
    .slice(1)
    .map((path) => ({ screen: id, data, path }));
});

test('null in any place of the Flow that uses every component is found at its key', () => {
  const guard = compileGuard(everyComponent);
  for (const { screen, data, path } of everyPlace) {
    const answer = {
      action: 'BACK',
      currentScreen: screen,
      screen,
      data: withValue(data, path, null) as Data,
    } as const;
    expect(ruleAt(guard.check(answer), path), `${screen} ${keyOf(path)}`).toBe('null');
  }
});

test('whatever a handler answers, the guard returns, and tells at most 20 things', () => {
  const guard = compileGuard(everyComponent);
  const anything = fc.anything({ withDate: true, withBigInt: true, withNullPrototype: true, withMap: true });
  fc.assert(
    fc.property(fc.constantFrom(...everyPlace), anything, ({ screen, data, path }, value) => {
      const answer = {
        action: 'BACK',
        currentScreen: screen,
        screen,
        data: withValue(data, path, value) as Data,
      } as const;
      expect(guard.check(answer).length).toBeLessThanOrEqual(20);
    }),
    { numRuns: 500 },
  );
});

/** The Flow JSON with one place replaced, or taken away. */
const brokenFlow = fc
  .tuple(fc.constantFrom(...pathsIn(everyComponent)), fc.jsonValue({ maxDepth: 3 }), fc.boolean())
  .map(([path, value, isRemoved]) => withValue(everyComponent, path, isRemoved ? undefined : value));

test('no Flow JSON makes the check or the guard throw', () => {
  const answer = { action: 'INIT', currentScreen: undefined, screen: 'WELCOME', data: {} } as const;
  fc.assert(
    fc.property(fc.oneof(brokenFlow, fc.jsonValue()), (json) => {
      for (const problem of checkFlowJson(json)) expect(Object.values(problem).every(Boolean)).toBe(true);
      compileGuard(json as FlowJson).check(answer);
    }),
    { numRuns: 300 },
  );
});

test('the examples of the Flow that uses every component bind every key they declare', () => {
  for (const { id, data = {} } of everyComponent.screens) {
    const text = JSON.stringify(everyComponent.screens.find((screen) => screen.id === id));
    for (const name of Object.keys(data)) expect(text.includes(`\${data.${name}`), `${id} ${name}`).toBe(true);
    expect(isObject(data)).toBe(true);
  }
});
