import { describe, expect, test } from 'vitest';
import bookingJson from '../../../examples/booking/booking.flow.json' with { type: 'json' };
import { checkFlowJson, isFatal } from '../../../src/flows/guard/check-flow-json.ts';
import { catalogueOf } from '../../../src/flows/guard/components.ts';
import { componentsOf } from '../../../src/flows/guard/layout.ts';
import { MAX_PROBLEMS } from '../../../src/flows/guard/problems.ts';
import { bound, branch, type Data, everyComponent, PNG } from './a-flow.ts';

/** `error rule: where: message` of each. */
function problems(json: unknown): string[] {
  return checkFlowJson(json).map(({ severity, rule, where, message }) => `${severity} ${rule}: ${where}: ${message}`);
}

/** `error rule` of each. */
function rules(json: unknown): string[] {
  return checkFlowJson(json).map(({ severity, rule }) => `${severity} ${rule}`);
}

const body = { type: 'TextBody', text: 'Hello' };
const footer = { type: 'Footer', label: 'Done', 'on-click-action': { name: 'complete', payload: {} } };

function screen(id: string, children: readonly object[] = [body], over: object = {}): object {
  return { id, title: id, layout: { type: 'SingleColumnLayout', children }, ...over };
}

const end = (id: string, children: readonly object[] = []) => screen(id, [...children, footer], { terminal: true });

function flow(routes: unknown, screens: readonly object[]): object {
  return { version: '7.3', data_api_version: '4.0', routing_model: routes, screens };
}

/** A terminal screen `A` with a Footer and these components. */
function one(children: readonly object[], data: object = {}, version = '7.3'): object {
  const last = { ...end('A', children), data };
  return { version, data_api_version: '4.0', routing_model: { A: [] }, screens: [last] };
}

const named = (type: string, name: string, over: object = {}) => ({ type, name, label: 'L', ...over });
const option = { id: 'a', title: 'A' };

test('the booking example and the Flow with every component have no problem', () => {
  expect(problems(bookingJson)).toEqual([]);
  expect(problems(everyComponent)).toEqual([]);
});

test('the Flow with every component uses each that is known', () => {
  const types = everyComponent.screens.flatMap((one) =>
    componentsOf('layout' in one && one.layout).map(({ type }) => type),
  );
  expect([...new Set(types)].sort()).toEqual([...catalogueOf(703).keys()].sort());
});

describe('what is no Flow JSON stops an app', () => {
  test.each([
    [null, 'not-an-object'],
    ['x', 'not-an-object'],
    [[], 'not-an-object'],
    [{}, 'screens-missing'],
    [{ screens: {} }, 'screens-missing'],
    [{ screens: [] }, 'screens-missing'],
    [flow({ A: [] }, [end('A'), 7 as never]), 'screen-malformed'],
    [flow({ A: [] }, [end('A'), { id: 7 }]), 'screen-id-missing'],
    [flow({ A: [] }, [end('A'), end('A')]), 'screen-id-doubled'],
    [flow([], [end('A')]), 'routing-malformed'],
    [flow({ A: 'B' }, [end('A')]), 'routing-malformed'],
    [flow({ A: ['B'] }, [end('A')]), 'routing-unknown-screen'],
    [flow({ A: [], B: [] }, [end('A')]), 'routing-unknown-screen'],
  ])('%j: %s', (json, rule) => {
    const fatal = checkFlowJson(json).filter(isFatal);
    expect(fatal.map((problem) => problem.rule)).toEqual([rule]);
    expect(fatal.map((problem) => problem.severity)).toEqual(['error']);
  });
});

test('a Flow of screens without a layout, as handlers are tested with, does not', () => {
  const json = { version: '7.3', screens: [{ id: 'A' }, { id: 'B_2' }] };
  expect(rules(json)).toEqual(['warning screen-id', 'error layout-malformed', 'error layout-malformed']);
  expect(checkFlowJson(json).some(isFatal)).toBe(false);
});

test.each([
  ['SUCCESS', ['error screen-id-reserved: screen SUCCESS: SUCCESS is reserved: it ends the Flow']],
  ['A B', ['error screen-id: screen A B: a screen id takes letters and underscores']],
  ['A-1', ['warning screen-id: screen A-1: a screen id takes letters and underscores, no digits and no hyphens']],
  ['MY_screen', []],
])('a screen id takes letters and underscores: %s', (id, expected) => {
  expect(problems(flow({ [id]: [] }, [end(id)]))).toEqual(expected);
});

test.each([
  [undefined, ['error version']],
  ['latest', ['error version']],
  ['7.4', ['warning version-newer']],
  ['2.1', []],
])('a version is a number like 7.3: %j', (version, expected) => {
  expect(rules({ ...flow({ A: [] }, [end('A')]), version })).toEqual(expected);
});

test('a Flow with an endpoint has a routing model, and a data API that is known', () => {
  const { routing_model: _, ...without } = flow({}, [end('A')]) as Data;
  expect(rules(without)).toEqual(['error routing-missing']);
  expect(rules({ ...flow({ A: [] }, [end('A')]), data_api_version: '5.0' })).toEqual(['warning data-api-version']);
});

describe('the routing model', () => {
  const many = Array.from({ length: 11 }, (_, i) => `T${String.fromCharCode(65 + i)}`);

  test.each<[string, object, string[]]>([
    [
      'a route to the screen itself',
      flow({ A: ['A'] }, [end('A')]),
      ['error routing-self: routing_model: A has a route to itself, which is allowed anyway'],
    ],
    [
      'a route twice',
      flow({ A: ['B', 'B'], B: [] }, [screen('A'), end('B')]),
      ['warning routing-doubled: routing_model: A names a screen twice'],
    ],
    [
      'a way back',
      flow({ A: ['B'], B: ['C'], C: ['B', 'D'], D: [] }, [screen('A'), screen('B'), screen('C'), end('D')]),
      [
        'error routing-back: routing_model: B, C lead back to each other: keep the routes forward, the way back is allowed anyway',
      ],
    ],
    [
      'a circle behind an entry',
      flow({ A: ['B'], B: ['C'], C: ['D'], D: ['B', 'E'], E: [] }, [
        ...['A', 'B', 'C', 'D'].map((id) => screen(id)),
        end('E'),
      ]),
      [
        'error routing-back: routing_model: B, C, D lead back to each other: keep the routes forward, the way back is allowed anyway',
      ],
    ],
    [
      'no entry',
      flow({ A: ['B'], B: ['A'] }, [screen('A'), end('B')]),
      [
        'error routing-back: routing_model: A, B lead back to each other: keep the routes forward, the way back is allowed anyway',
        'error routing-no-entry: routing_model: every screen has a route to it: the Flow has no screen to open with',
      ],
    ],
    [
      'more than ten routes',
      flow(Object.fromEntries([['A', many], ...many.map((id) => [id, []])]), [
        screen('A'),
        ...many.map((id) => end(id)),
      ]),
      ['error routing-too-many: routing_model: A has 11 routes, at most 10 are allowed'],
    ],
    [
      'a path that ends before a terminal screen',
      flow({ A: ['B', 'C'], B: [], C: [] }, [screen('A'), end('B'), screen('C')]),
      [
        'error routing-dead-end: routing_model: a path ends at C without a terminal screen: give C "terminal": true, or a route onwards',
      ],
    ],
    ['a path that goes on after a terminal screen', flow({ A: ['B'], B: [] }, [end('A'), screen('B')]), []],
    ['two entries', flow({ A: ['C'], B: ['C'], C: [] }, [screen('A'), screen('B'), end('C')]), []],
    [
      'a screen that is in it nowhere',
      flow({ A: [] }, [end('A'), end('B')]),
      ['error routing-incomplete: routing_model: B has no entry: add "B": []'],
    ],
    [
      'a screen that is only led to',
      flow({ A: ['B'] }, [screen('A'), end('B')]),
      ['warning routing-incomplete: routing_model: B has no entry: add "B": []'],
    ],
    ['nothing in it', flow({}, [end('A')]), ['warning routing-incomplete: routing_model: A has no entry: add "A": []']],
  ])('%s', (_, json, expected) => {
    expect(problems(json)).toEqual(expected);
  });
});

describe('the data model', () => {
  const binds = { type: 'RichText', text: bound('x') };

  test.each([
    ['no type', { __example__: 'x' }, ['error model-type']],
    ['a type that is not known', { type: 'integer', __example__: 1 }, ['warning model-type']],
    ['no example', { type: 'string' }, ['error model-example']],
    ['an example of another type', { type: 'string', __example__: 7 }, ['error model-example-type']],
    ['an example that is null', { type: 'object', __example__: null }, ['error model-example-type']],
    [
      'an example with another type inside',
      { type: 'array', items: { type: 'string' }, __example__: ['a', 7] },
      ['warning model-example-type'],
    ],
    ['items without a type', { type: 'array', items: {}, __example__: [] }, ['error model-type']],
    ['a property without a type', { type: 'object', properties: { a: {} }, __example__: {} }, ['error model-type']],
    ['a text for a schema', 'string', ['error model-type']],
    [
      'all of it',
      { type: 'array', items: { type: 'object', properties: { a: { type: 'string' } } }, __example__: [] },
      [],
    ],
  ])('a key has a type and an example that fits it: %s', (_, schema, expected) => {
    const json = one([], { x: schema });
    expect(rules(json)).toEqual(expected);
    for (const { where } of checkFlowJson(json)) expect(where).toContain('screen A, data "x"');
  });

  test('is an object', () => {
    expect(rules(one([], []))).toEqual(['error model-malformed']);
  });

  test('a key that clients take out is better called otherwise', () => {
    expect(rules(one([], { error_message: { type: 'string', __example__: 'x' } }))).toEqual(['warning model-reserved']);
  });

  test('has every key that is bound, and says so where it stands', () => {
    const object = { type: 'object', properties: { a: { type: 'string' } }, __example__: { a: 'x' } };
    expect(
      problems({
        ...one([]),
        screens: [screen('A', [binds], { data: {} })],
        routing_model: undefined,
        data_api_version: undefined,
      }),
    ).toEqual([
      'error binding-undeclared: screen A, component 1, a RichText: binds data.x: the screen\'s data has no "x"',
    ]);
    expect(rules(one([named('TextInput', 'n', { 'init-value': bound('x.b') })], { x: object }))).toEqual([
      'warning binding-undeclared',
    ]);
    expect(rules(one([named('TextInput', 'n', { 'init-value': bound('x.a') })], { x: object }))).toEqual([]);
    const loose = { type: 'object', __example__: { b: 'x' } };
    expect(rules(one([named('TextInput', 'n', { 'init-value': bound('x.b') })], { x: loose }))).toEqual([]);
    expect(rules(one([{ ...body, text: `\`'Hi ' ${bound('who')}\`` }]))).toEqual(['error binding-undeclared']);
    expect(rules(one([{ ...body, text: bound('error_message') }]))).toEqual(['error binding-undeclared']);
  });

  test('is of the type that the property takes', () => {
    const number = { type: 'number', __example__: 1 };
    expect(rules(one([{ ...body, visible: bound('x') }], { x: number }))).toEqual(['warning binding-type']);
  });

  test('has examples within the limits of what shows them', () => {
    const x = { type: 'array', __example__: [option] };
    expect(problems(one([named('ChipsSelector', 'n', { 'data-source': bound('x') })], { x }))).toEqual([
      'warning example-list-size: screen A: the example of x must have at least 2 items while the component is shown and enabled, has 1',
    ]);
  });
});

describe('components', () => {
  const times = (count: number, component: object) => Array.from({ length: count }, () => component);
  const nested = (depth: number): object => branch(bound('on'), [depth === 1 ? body : nested(depth - 1)], [body]);
  const on = { on: { type: 'boolean', __example__: true } };
  const link = { type: 'EmbeddedLink', text: 'L', 'on-click-action': { name: 'open_url', url: 'https://example.org' } };
  const image = { type: 'Image', src: PNG };
  const optIns = (count: number) => Array.from({ length: count }, (_, i) => named('OptIn', `o${i}`));
  const picker = (over: object = {}) => named('PhotoPicker', 'p', over);

  test.each<[string, readonly object[], string[], object?]>([
    ['49 and a Footer', times(49, body), []],
    ['50 and a Footer', times(50, body), ['error component-total']],
    ['3 Images', times(3, image), []],
    ['4 Images', times(4, image), ['error component-count']],
    ['5 OptIns', optIns(5), []],
    ['6 OptIns', optIns(6), ['error component-count']],
    ['2 links', times(2, link), []],
    ['3 links', times(3, link), ['error component-count']],
    ['2 Footers', [footer], ['error component-count']],
    ['both pickers', [picker(), named('DocumentPicker', 'd')], ['error picker-count']],
    ['3 If in each other', [nested(3)], [], on],
    ['4 If in each other', [nested(4)], ['error if-depth'], on],
    ['a Footer in one branch', [branch(bound('on'), [footer], [body])], ['error if-footer'], on],
    ['an If that asks nothing', [branch('1 == 1', [body], [body])], ['warning if-condition']],
    ['a Switch without a case', [{ type: 'Switch', value: bound('on'), cases: {} }], ['error switch-empty'], on],
    ['a name twice', [named('TextInput', 'n'), named('TextArea', 'n')], ['error name-doubled']],
    [
      'a name in two branches',
      [branch(bound('on'), [named('TextInput', 'n')], [named('TextArea', 'n')])],
      ['warning name-doubled'],
      on,
    ],
    ['a component that is not known', [{ type: 'Hologram' }], ['warning component-unknown']],
    ['no type', [{ text: 'x' }], ['warning component-unknown']],
    ['a property that is not known', [{ ...body, blink: true }], ['warning property-unknown']],
    ['no text', [{ type: 'TextBody' }], ['error property-missing']],
    ['a long text', [{ type: 'TextHeading', text: 'x'.repeat(81) }], ['error text-length']],
    ['a long caption', [{ type: 'TextCaption', text: 'x'.repeat(410) }], ['warning text-length']],
    ['a list of texts', [{ ...body, text: ['a', 'b'], markdown: true }], []],
    ['a blank text', [{ ...body, text: ' ' }], ['error blank']],
    ['a long expression', [{ type: 'TextHeading', text: `\`'${'x'.repeat(81)}'\`` }], []],
    ['a blank text that is hidden', [{ ...body, text: ' ', visible: false }], []],
    ['a text for a boolean', [{ ...body, visible: 'true' }], ['warning property-type']],
    ['an option too few', [named('ChipsSelector', 'n', { 'data-source': [option] })], ['error list-size']],
    ['an option twice', [named('Dropdown', 'n', { 'data-source': [option, option] })], ['error unique-ids']],
    [
      'an option bound in part',
      [named('Dropdown', 'n', { 'data-source': [{ ...option, title: `\`${bound('on')}\`` }] })],
      [],
      on,
    ],
    ['a URL for an image', [{ ...image, src: 'https://example.org/a.png' }], ['error image']],
    [
      'a first value that is no option',
      [named('Dropdown', 'n', { 'data-source': [option], 'init-value': 'b' })],
      ['error init-value'],
    ],
    ['files of 26 MB', [picker({ 'max-file-size-kb': 26_000 })], ['error picker-range']],
    ['31 files', [picker({ 'max-uploaded-photos': 31 })], ['error picker-range']],
    [
      'at least more files than at most',
      [picker({ 'min-uploaded-photos': 3, 'max-uploaded-photos': 2 })],
      ['error picker-range'],
    ],
    [
      'a first value for files',
      [{ type: 'Form', name: 'f', 'init-values': { p: 'x' }, children: [picker()] }],
      ['error picker-init'],
    ],
    [
      'a list beside others',
      [{ type: 'NavigationList', name: 'n', 'list-items': [{ id: 'a', 'main-content': { title: 'A' } }] }],
      ['error terminal-list', 'warning component-alone'],
    ],
    ['a RichText beside others', [{ type: 'RichText', text: 'x' }, body], ['warning component-alone']],
    ['a RichText with a Footer', [{ type: 'RichText', text: 'x' }], []],
  ])('%s', (_, children, expected, data = {}) => {
    expect(rules(one(children, data))).toEqual(expected);
  });

  test('are named where they stand', () => {
    const dropdown = named('Dropdown', 'time', { 'data-source': [{ ...option, title: 'x'.repeat(31) }] });
    expect(
      problems(one([body, { type: 'Form', name: 'f', children: [dropdown] }, { type: 'EmbeddedLink', text: 'x' }])),
    ).toEqual([
      'error text-length: screen A, Dropdown "time": data-source[0].title must have at most 30 characters, has 31',
      'error property-missing: screen A, component 4, an EmbeddedLink: must have "on-click-action"',
    ]);
  });

  test.each([
    [[named('CalendarPicker', 'n')], '6.0', ['error component-version']],
    [[named('TextInput', 'n', { pattern: 'x' })], '6.1', ['warning property-version']],
    [[{ ...link }], '5.1', ['warning action-version']],
    [[{ ...body, text: '' }], '5.1', []],
    [[named('DatePicker', 'n', { 'min-date': '2030-01-01' })], '4.0', ['error date']],
    [[{ type: 'RichText', text: 'x' }], '6.2', ['warning component-alone']],
  ])('came with a version: %j in %s', (children, version, expected) => {
    expect(rules(one(children, {}, version))).toEqual(expected);
  });
});

describe('actions', () => {
  const act = (action: object) => ({ type: 'EmbeddedLink', text: 'L', 'on-click-action': action });
  const go = (name: string, payload: object = {}) => ({ name: 'navigate', next: { type: 'screen', name }, payload });
  const files = '$' + '{form.p}';
  const two = (children: readonly object[]) => flow({ A: ['B'], B: [] }, [screen('A', children), end('B')]);
  const picker = named('PhotoPicker', 'p');

  test.each<[string, readonly object[], string[]]>([
    ['navigate', [act(go('B'))], []],
    ['navigate to the same screen', [act(go('A'))], []],
    ['navigate to no screen', [act(go('C'))], ['error navigate-unknown-screen']],
    ['navigate without a target', [act({ name: 'navigate' })], ['error navigate-malformed']],
    ['complete before the end', [act({ name: 'complete', payload: {} })], ['error complete-not-terminal']],
    ['an action that is not known', [act({ name: 'dance' })], ['warning action-unknown']],
    ['files in data_exchange', [picker, act({ name: 'data_exchange', payload: { files } })], []],
    [
      'files deeper in it',
      [picker, act({ name: 'data_exchange', payload: { all: { files } } })],
      ['error picker-payload'],
    ],
    ['files in navigate', [picker, act(go('B', { files }))], ['error picker-payload']],
    [
      'an action of an item, in a branch',
      [
        branch('$' + '{form.x}', [
          named('Dropdown', 'n', { 'data-source': [{ ...option, 'on-select-action': go('C') }] }),
        ]),
      ],
      ['error navigate-unknown-screen'],
    ],
  ])('%s', (_, children, expected) => {
    expect(rules(two(children))).toEqual(expected);
  });

  test('navigate goes where the routing model leads', () => {
    const json = flow({ A: ['B'], B: ['C'], C: [] }, [screen('A', [act(go('C'))]), screen('B'), end('C')]);
    expect(rules(json)).toEqual(['warning navigate-route']);
  });

  test('data_exchange needs an endpoint', () => {
    const ask = act({ name: 'data_exchange', payload: {} });
    expect(rules({ version: '7.3', screens: [end('A', [ask])] })).toEqual(['warning endpoint-missing']);
  });
});

test('a terminal screen has a Footer, in a branch if need be', () => {
  const bare = (children: readonly object[]) => flow({ A: [] }, [screen('A', children, { terminal: true })]);
  expect(rules(bare([body]))).toEqual(['error terminal-footer']);
  expect(rules(bare([branch('$' + '{form.x}', [footer], [footer])]))).toEqual([]);
});

test('what Meta shows in its own examples has no error', () => {
  const asked = '$' + '{screen.INSURANCE.form.kind}';
  const radio = named('RadioButtonsGroup', 'kind', { 'data-source': [option] });
  const cases = { a: [body], default: [body] };
  const chosen = branch(`(${asked} != '')`, [{ type: 'Switch', value: asked, cases }], [body]);
  const json = {
    version: '4.0',
    routing_model: { SERVICES: ['INSURANCE'] },
    screens: [screen('INSURANCE', [radio]), end('SERVICES', [chosen])],
  };
  expect(problems(json)).toEqual([
    'warning routing-incomplete: routing_model: INSURANCE has no entry: add "INSURANCE": []',
  ]);
});

test('a Flow JSON that nests without end, or holds too much that is wrong, ends', () => {
  let children: object[] = [];
  for (let i = 0; i < 20_000; i++) children = [{ type: 'Form', name: 'f', children }];
  expect(rules(one(children))).toEqual(['error too-deep']);
  const broken = Array.from({ length: 1_000 }, () => ({ type: 'TextBody' }));
  expect(checkFlowJson(one(broken)).length).toBe(MAX_PROBLEMS);
});

test('what is fatal is told, however much else is wrong', () => {
  const screens = Array.from({ length: 2 * MAX_PROBLEMS }, (_, i) => end(`S${i}`));
  const found = checkFlowJson(flow({ S0: ['NOWHERE'] }, screens));
  expect(found).toHaveLength(MAX_PROBLEMS);
  expect(found.some(isFatal)).toBe(true);
});

test('500 screens are checked', () => {
  const ids = Array.from({ length: 500 }, (_, i) => `S${String.fromCharCode(65 + (i % 26))}_${'x'.repeat(i / 26)}`);
  const routes = Object.fromEntries(ids.map((id, i) => [id, ids.slice(i + 1, i + 2)]));
  const screens = ids.map((id, i) => (i === ids.length - 1 ? end(id) : screen(id)));
  expect(problems(flow(routes, screens))).toEqual([]);
});
