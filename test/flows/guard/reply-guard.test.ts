import { expect, test } from 'vitest';
import bookingJson from '../../../examples/booking/booking.flow.json' with { type: 'json' };
import { datesFor, departments, locationsFor, type Picks, timesFor } from '../../../examples/booking/calendar.ts';
import type { FlowJson } from '../../../src/flows/flow-json.ts';
import {
  checkReply,
  checkSize,
  compileGuard,
  type GuardedAnswer,
  MAX_ANSWER_BYTES,
  MAX_VIOLATIONS,
} from '../../../src/flows/guard/reply-guard.ts';
import { bound, branch, everyComponent, examplesOf, flowOf, told, violationsOf } from './a-flow.ts';

const guard = compileGuard(bookingJson);
const slot = { department: 'eyes', location: 'north', date: '2030-01-07', time: '09:30' };

function appointment(picks: Picks) {
  const [locations, dates, times] = [locationsFor(picks.department), datesFor(picks), timesFor(picks)];
  const [can_pick_location, can_pick_date] = [locations.length > 0, dates.length > 0];
  const can_pick_time = times.length > 0;
  return { departments, locations, dates, times, can_pick_location, can_pick_date, can_pick_time };
}

function answer(over: Partial<GuardedAnswer>): GuardedAnswer {
  return {
    action: 'data_exchange',
    currentScreen: 'APPOINTMENT',
    screen: 'APPOINTMENT',
    data: appointment({}),
    ...over,
  };
}

test.each<[string, Partial<GuardedAnswer>]>([
  ['INIT, nothing picked, so three lists are empty', { action: 'INIT', currentScreen: undefined }],
  ['INIT that names no screen', { action: 'INIT', currentScreen: '' }],
  ['one thing picked', { data: appointment({ department: 'eyes' }) }],
  ['everything picked', { data: appointment(slot) }],
  ['an error', { data: { ...appointment(slot), error_message: 'That time is taken' } }],
  ['the next screen', { screen: 'DETAILS', data: { ...slot, error_messages: {} } }],
  ['field errors', { currentScreen: 'DETAILS', screen: 'DETAILS', data: { ...slot, error_messages: { name: 'x' } } }],
  ['BACK', { action: 'BACK', currentScreen: 'DETAILS', data: appointment(slot) }],
  ['the summary', { currentScreen: 'DETAILS', screen: 'SUMMARY', data: { ...slot, appointment: 'x', details: 'y' } }],
  ['a screen without data', { currentScreen: 'SUMMARY', screen: 'TERMS', data: {} }],
  ['its error', { currentScreen: 'TERMS', screen: 'TERMS', data: { error_message: 'no' } }],
  ['the end', { screen: 'SUCCESS', data: { extension_message_response: { params: { flow_token: 'x' } } } }],
])('the booking example answers as a client takes it: %s', (_, over) => {
  expect(guard.check(answer(over))).toEqual([]);
});

test('a guard without a doubt has no warnings', () => {
  expect(guard.warnings).toEqual([]);
  expect(compileGuard(everyComponent).warnings).toEqual([]);
});

test.each(everyComponent.screens.map(({ id }) => id))('the examples of every component are let pass: %s', (screen) => {
  const data = examplesOf(everyComponent, screen);
  expect(compileGuard(everyComponent).check({ action: 'BACK', currentScreen: screen, screen, data })).toEqual([]);
});

test.each<[string, Partial<GuardedAnswer>, string]>([
  ['a screen that is not there', { screen: 'APOINTMENT' }, ' screen: the Flow JSON has no screen APOINTMENT'],
  ['a name that is none', { screen: '+49 170 123' }, ' screen: the Flow JSON has no screen'],
  [
    'INIT to a later screen',
    { action: 'INIT', currentScreen: undefined, screen: 'TERMS', data: {} },
    ' entry: INIT may show a screen without a route to it: APPOINTMENT',
  ],
  [
    'INIT to another screen than asked for',
    { action: 'INIT', currentScreen: 'DETAILS' },
    ' entry: INIT asked for DETAILS',
  ],
  ['a jump', { screen: 'TERMS', data: {} }, ' route: from APPOINTMENT an answer may show APPOINTMENT, DETAILS'],
  [
    'a key left out',
    { data: { ...appointment({}), times: undefined } },
    'times missing: the screen declares this key: send it, empty if need be',
  ],
  [
    'a key more',
    { data: { ...appointment({}), price: 3 } },
    'price undeclared: the screen does not declare this key: declare it in its data, or leave it out',
  ],
  [
    'a key for a screen that takes none',
    { currentScreen: 'SUMMARY', screen: 'TERMS', data: { x: 1 } },
    'x undeclared: the screen declares no data, so clients refuse any key',
  ],
  [
    'an error that is no text',
    { data: { ...appointment({}), error_message: { name: 'x' } } },
    'error_message type: must be a string, is an object',
  ],
  [
    'null',
    { data: { ...appointment({}), times: null } },
    'times null: null is never valid: leave the key out, or send "" or []',
  ],
  [
    'a wrong type',
    { data: { ...appointment({}), can_pick_time: 0 } },
    'can_pick_time type: must be a boolean, is a number',
  ],
  [
    'a wrong type inside',
    { data: { ...appointment({}), departments: [{ id: 7, title: 'x' }] } },
    'departments[0].id type: must be a string, is a number',
  ],
  [
    'an empty list for a dropdown that is on',
    { data: { ...appointment({}), can_pick_time: true } },
    'times list-size: must have at least 1 item while the component is shown and enabled, has 0',
  ],
])('an answer that a client refuses is found, with its key, its rule and the fix: %s', (_, over, expected) => {
  const violations = guard.check(answer(over)).map(({ key, rule, message }) => `${key} ${rule}: ${message}`);
  expect(violations).toEqual([expected]);
});

test('each violation names its screen, which is no label for a name that a handler made up', () => {
  expect(guard.check(answer({ screen: 'DETAILS', data: {} }))[0]).toMatchObject({ screen: 'DETAILS' });
  expect(guard.check(answer({ screen: 'x'.repeat(500) }))).toEqual([
    { screen: '?', key: '', rule: 'screen', message: 'the Flow JSON has no screen' },
  ]);
});

test('who comes from a screen of another version of the Flow may go anywhere', () => {
  for (const currentScreen of ['OLD', undefined, '', 'constructor']) {
    expect(guard.check(answer({ currentScreen, screen: 'TERMS', data: {} }))).toEqual([]);
  }
});

test('INIT that names a screen which is no entry may open it', () => {
  expect(guard.check(answer({ action: 'INIT', currentScreen: 'TERMS', screen: 'TERMS', data: {} }))).toEqual([]);
});

test('at most 20 violations are told', () => {
  const data = { ...appointment({}), departments: Array.from({ length: 200 }, () => ({ id: 1, title: 2 })) };
  expect(guard.check(answer({ data }))).toHaveLength(MAX_VIOLATIONS);
});

test('at most 20 of the keys that are missing are told', () => {
  const model = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`k${i}`, { type: 'string' }]));
  expect(violationsOf(flowOf([], model), {})).toHaveLength(MAX_VIOLATIONS);
});

test('no message and no key holds what the data holds', () => {
  const secret = 'ada.example+49170';
  const data = {
    [`${secret}@x`]: secret,
    departments: [{ id: secret, title: { [`${secret}!`]: null } }],
    times: secret,
  };
  const violations = guard.check(answer({ data }));
  expect(violations.length).toBeGreaterThan(5);
  expect(JSON.stringify(violations)).not.toContain(secret);
});

test.each([
  ['an object', { type: 'object', properties: { a: { type: 'string' }, b: { type: 'number' } } }, { a: 'x' }, []],
  ['an object with a key more', { type: 'object', properties: { a: { type: 'string' } } }, { a: 'x', z: 1 }, []],
  ['a required key', { type: 'object', required: ['a', 'b'], properties: {} }, { a: 1 }, ['x.b required']],
  ['null in a key that nobody declared', { type: 'object', properties: {} }, { z: { y: [null] } }, ['x.z.y[0] null']],
  ['null in a key of an object', { type: 'object', properties: { a: { type: 'string' } } }, { a: null }, ['x.a null']],
  ['minItems', { type: 'array', minItems: 2, items: { type: 'string' } }, ['a'], ['x list-size']],
  ['maxItems', { type: 'array', maxItems: 1 }, ['a', 'b'], ['x list-size']],
  ['uniqueItems', { type: 'array', uniqueItems: true }, ['a', 'b', 'a'], ['x unique-items']],
  ['uniqueItems of objects', { type: 'array', uniqueItems: true }, [{ a: 1 }, { a: 1 }], ['x unique-items']],
  ['unique items', { type: 'array', uniqueItems: true }, [{ a: 1 }, { a: 2 }, 1, '1'], []],
  ['items', { type: 'array', items: { type: 'number' } }, [1, '2', 3], ['x[1] type']],
  ['an array for an object', { type: 'object' }, [], ['x type']],
  ['an object for an array', { type: 'array' }, {}, ['x type']],
  ['NaN', { type: 'number' }, Number.NaN, ['x null']],
  ['Infinity where nothing is declared', { type: 'object' }, { a: Number.POSITIVE_INFINITY }, ['x.a null']],
  ['undefined in a list', { type: 'array', items: { type: 'string' } }, [undefined], ['x[0] null']],
  ['undefined in an object', { type: 'object', properties: { a: { type: 'string' } } }, { a: undefined }, []],
  ['a type that nobody knows', { type: 'integer' }, 'anything', []],
  ['no type', {}, { a: [1] }, []],
  ['null of a type that nobody knows', { type: ['string', 'null'] }, null, ['x null']],
  ['no schema', 7, 'x', []],
])('the data model is checked in depth: %s', (_, schema, x, expected) => {
  expect(told(violationsOf(flowOf([], { x: schema }), { x }))).toEqual(expected);
});

test('error_message and extension_message_response need not be sent where a screen declares them', () => {
  const model = { error_message: { type: 'string' }, extension_message_response: { type: 'object' } };
  expect(violationsOf(flowOf([], model), {})).toEqual([]);
});

test('keys that every object has are looked for in the data, and not found on its prototype', () => {
  const model = Object.fromEntries(['constructor', '__proto__', 'toString'].map((key) => [key, { type: 'object' }]));
  expect(told(violationsOf(flowOf([], model), {}))).toEqual([
    'constructor missing',
    '__proto__ missing',
    'toString missing',
  ]);
  const data = JSON.parse('{"constructor":{},"__proto__":{},"toString":{}}') as object;
  expect(violationsOf(flowOf([], model), data)).toEqual([]);
});

test('data that goes on for ever does not', () => {
  const data: Record<string, unknown> = {};
  data['x'] = data;
  expect(() => violationsOf(flowOf([], { x: { type: 'object' } }), data)).not.toThrow();
});

const dated = flowOf([{ type: 'TextBody', text: bound('text') }], {
  text: { type: 'string' },
  more: { type: 'object', properties: { day: { type: 'string' } } },
});

function reply(data: object) {
  const sent = { action: 'BACK', currentScreen: undefined, screen: 'A', data } as const;
  return checkReply(compileGuard(dated), sent, JSON.stringify({ screen: 'A', data }));
}

test.each([
  ['a Date', { text: new Date(0), more: { day: new Date(0) } }],
  ['toJSON', { text: 'x', more: { toJSON: () => ({ day: 'Monday' }) } }],
  ['a boxed text', { text: new String('x'), more: {} }],
  ['undefined', { text: 'x', more: { day: undefined }, other: undefined }],
  [
    'a class',
    {
      text: 'x',
      more: new (class {
        day = 'Monday';
      })(),
    },
  ],
  ['a function', { text: 'x', more: {}, other: () => 1 }],
])('what only becomes right as JSON is right: %s', (_, data) => {
  expect(reply(data)).toEqual([]);
});

test.each([
  [
    'a class whose getter JSON drops',
    {
      text: 'x',
      more: new (class {
        get toJSON() {
          return () => 'text';
        }
      })(),
    },
    ['more type'],
  ],
  ['an object that says what it becomes', { text: 'x', more: { toJSON: () => 'text' } }, ['more type']],
  ['a boxed text for an object', { text: 'x', more: new String('x') }, ['more type']],
  ['an object that becomes a text', { text: 'x', more: new Date(0) }, ['more type']],
  ['a Date that is none', { text: 'x', more: { day: new Date(Number.NaN) } }, ['more.day null']],
  ['a function that JSON drops', { text: () => 'x', more: {} }, ['text missing']],
])('what becomes wrong as JSON is found: %s', (_, data, expected) => {
  expect(told(reply(data))).toEqual(expected);
});

test('an answer of 1 MB passes, and one byte more does not', () => {
  expect(checkSize('x'.repeat(MAX_ANSWER_BYTES))).toBeUndefined();
  expect(checkSize('x'.repeat(MAX_ANSWER_BYTES + 1), 'A')).toMatchObject({ screen: 'A', key: '', rule: 'size' });
  expect(checkSize('é'.repeat(MAX_ANSWER_BYTES / 2))).toBeUndefined();
  expect(checkSize('é'.repeat(MAX_ANSWER_BYTES / 2 + 1))).toMatchObject({ rule: 'size' });
  expect(checkSize('漢'.repeat(Math.ceil(MAX_ANSWER_BYTES / 3)))).toMatchObject({ rule: 'size' });
});

test('the size is told first, and with it still at most 20 violations', () => {
  const data = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`k${i}`, 'x'.repeat(40_000)]));
  const violations = reply(data);
  expect(violations[0]).toMatchObject({ screen: 'A', rule: 'size' });
  expect(violations).toHaveLength(MAX_VIOLATIONS);
});

test.each(['8.0', '7.4', 'next', '', 7, undefined])('a version that is not known is a warning: %j', (version) => {
  const json = {
    ...flowOf([{ type: 'TextHeading', text: bound('x') }], { x: { type: 'string' } }),
    version,
  } as FlowJson;
  expect(compileGuard(json).warnings).toEqual([expect.stringContaining('limits of components are not checked')]);
  expect(violationsOf(json, { x: 'x'.repeat(81) })).toEqual([]);
  expect(told(violationsOf(json, { x: 1 }))).toEqual(['x type']);
});

test('a component or a property that is not known is a warning and lets pass', () => {
  const data = { items: { type: 'array' }, text: { type: 'string' } };
  const components: object[] = [
    { type: 'Hologram', items: bound('items') },
    { type: 'TextHeading', text: 'x', spin: bound('text') },
    { text: bound('text') },
    { type: 'constructor', toString: bound('text') },
  ];
  const json = flowOf(components, data);
  expect(compileGuard(json).warnings).toEqual([
    'screen A: the component Hologram is not known, and not checked',
    'screen A: the property spin of TextHeading is not known, and not checked',
    'screen A: a component without a type is not known, and not checked',
    'screen A: the component constructor is not known, and not checked',
  ]);
  expect(violationsOf(json, { items: [], text: 'x'.repeat(5_000) })).toEqual([]);
});

test.each([null, 7, 'x', [], {}, { screens: 7 }, { screens: [null, 7, {}, { id: 7 }] }])(
  'of a Flow JSON that is none, nothing is known, and nothing throws: %j',
  (json) => {
    const broken = compileGuard(json as never);
    expect(told(broken.check(answer({})))).toEqual([' screen']);
  },
);

test.each([
  ['a layout', { layout: 7 }],
  ['children', { layout: { children: {} } }],
  ['a component', { layout: { children: [null, 7, [], { type: 7 }, { type: 'Form', children: 'x' }] } }],
  [
    'an If',
    {
      layout: {
        children: [branch(7, 7, null), { type: 'Switch', cases: 7 }],
      },
    },
  ],
  ['data', { data: [1] }],
])('of a screen that is broken, what can be checked is: %s', (_, screen) => {
  const json = { version: '7.3', screens: [{ id: 'A', ...screen }] } as unknown as FlowJson;
  expect(told(violationsOf(json, { y: 1 }))).toEqual(['y undeclared']);
});
