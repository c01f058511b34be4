import { describe, expect, test } from 'vitest';
import { compileGuard } from '../../../src/flows/guard/reply-guard.ts';
import {
  base64OfKb,
  bound,
  branch,
  type Data,
  everyComponent,
  examplesOf,
  flowOf,
  JPEG,
  PNG,
  told,
  violationsOf,
} from './a-flow.ts';

const STRING = { type: 'string' };
const BOOLEAN = { type: 'boolean' };
const ARRAY = { type: 'array' };
const OBJECT = { type: 'object' };

/** One component whose property is bound to `x`. */
function found(type: string, property: string, x: unknown, { version = '7.3', ...over }: Data = {}): string[] {
  const model = { x: { type: Array.isArray(x) ? 'array' : typeof x } };
  const json = flowOf([{ type, name: 'n', [property]: bound('x'), ...over }], model, version as string);
  return told(violationsOf(json, { x }));
}

const options = (count: number, over: object = {}) =>
  Array.from({ length: count }, (_, i) => ({ id: `i${i}`, title: `Option ${i}`, ...over }));

describe('texts are as long as their component takes, counted in characters', () => {
  test.each([
    ['TextHeading', 'text', 80],
    ['TextSubheading', 'text', 80],
    ['TextBody', 'text', 4096],
    ['TextCaption', 'text', 4096],
    ['TextInput', 'label', 20],
    ['TextInput', 'helper-text', 80],
    ['TextInput', 'error-message', 30],
    ['TextArea', 'label', 20],
    ['TextArea', 'helper-text', 80],
    ['CheckboxGroup', 'label', 30],
    ['CheckboxGroup', 'description', 300],
    ['RadioButtonsGroup', 'label', 30],
    ['Dropdown', 'label', 20],
    ['ChipsSelector', 'label', 80],
    ['DatePicker', 'label', 40],
    ['CalendarPicker', 'label', 40],
    ['OptIn', 'label', 120],
    ['EmbeddedLink', 'text', 25],
    ['Footer', 'label', 35],
    ['Footer', 'left-caption', 15],
    ['Footer', 'center-caption', 15],
    ['Footer', 'right-caption', 15],
    ['PhotoPicker', 'label', 80],
    ['DocumentPicker', 'description', 300],
  ])('%s %s: %i', (type, property, max) => {
    expect(found(type, property, 'x'.repeat(max))).toEqual([]);
    expect(found(type, property, '🌊'.repeat(max))).toEqual([]);
    expect(found(type, property, 'x'.repeat(max + 1))).toEqual(['x text-length']);
    expect(found(type, property, '🌊'.repeat(max + 1))).toEqual(['x text-length']);
  });

  test('a large label may be longer, and a RichText is as long as it likes', () => {
    expect(found('TextInput', 'label', 'x'.repeat(60), { 'label-variant': 'large' })).toEqual([]);
    expect(found('RichText', 'text', 'x'.repeat(100_000))).toEqual([]);
    expect(found('RichText', 'text', [`![x](data:image/png;base64,${PNG})`])).toEqual([]);
  });

  test('the texts of a range are checked each, and named', () => {
    const label = { 'start-date': 'x'.repeat(40), 'end-date': 'x'.repeat(41) };
    expect(found('CalendarPicker', 'label', label)).toEqual(['x.end-date text-length']);
  });
});

describe('since Flow JSON 6.0 a text that is needed is not blank', () => {
  test.each([
    ['TextHeading', 'text'],
    ['TextBody', 'text'],
    ['EmbeddedLink', 'text'],
    ['Footer', 'label'],
    ['OptIn', 'label'],
  ])('%s %s', (type, property) => {
    for (const blank of ['', ' \n\t']) {
      expect(found(type, property, blank)).toEqual(['x blank']);
      expect(found(type, property, blank, { version: '6.0' })).toEqual(['x blank']);
      expect(found(type, property, blank, { version: '5.1' })).toEqual([]);
    }
  });

  test.each(['helper-text', 'error-message', 'init-value'])('a TextInput does well without its %s', (property) => {
    expect(found('TextInput', property, '')).toEqual([]);
  });
});

describe('lists', () => {
  test.each([
    ['CheckboxGroup', 1, 20],
    ['RadioButtonsGroup', 1, 20],
    ['Dropdown', 1, 200],
    ['ChipsSelector', 2, 20],
  ])('%s takes %i to %i options', (type, min, max) => {
    expect(found(type, 'data-source', options(min))).toEqual([]);
    expect(found(type, 'data-source', options(max))).toEqual([]);
    expect(found(type, 'data-source', options(min - 1))).toEqual(['x list-size']);
    expect(found(type, 'data-source', options(max + 1))).toEqual(['x list-size']);
  });

  test('a Dropdown takes 100 options where one has an image', () => {
    const withImage = (count: number) => [{ id: 'a', title: 'A', image: PNG }, ...options(count - 1)];
    expect(found('Dropdown', 'data-source', withImage(100))).toEqual([]);
    expect(found('Dropdown', 'data-source', withImage(101))).toEqual(['x list-size']);
    expect(found('Dropdown', 'data-source', withImage(201))).toEqual(['x list-size']);
  });

  test.each([
    ['no id', { id: undefined }, ['x[0].id required']],
    ['no title', { title: undefined }, ['x[0].title required']],
    ['an id that is a number', { id: 1 }, ['x[0].id type']],
    ['a long title', { title: 'x'.repeat(31) }, ['x[0].title text-length']],
    ['a blank title', { title: ' ' }, ['x[0].title blank']],
    ['a long description', { description: 'x'.repeat(301) }, ['x[0].description text-length']],
    ['a long metadata', { metadata: 'x'.repeat(21) }, ['x[0].metadata text-length']],
    ['enabled that is a text', { enabled: 'true' }, ['x[0].enabled type']],
    ['a colour by name', { color: 'red' }, ['x[0].color color']],
    ['a short colour', { color: '#fff' }, ['x[0].color color']],
    ['null', { description: null }, ['x[0].description null']],
    ['a data: URL', { image: `data:image/png;base64,${PNG}` }, ['x[0].image image']],
    ['a URL', { image: 'https://example.org/a.png' }, ['x[0].image image']],
    ['an item that is a text', 'north', ['x[0] type']],
  ])('an option with %s is found', (_, over, expected) => {
    const item = typeof over === 'string' ? over : { ...options(1)[0], ...over };
    expect(found('Dropdown', 'data-source', [item])).toEqual(expected);
  });

  test('an option with everything that it may have passes', () => {
    const item = {
      ...{ id: 'a', title: 'x'.repeat(30), description: 'x'.repeat(300), metadata: 'x'.repeat(20), enabled: false },
      ...{ image: PNG, 'alt-text': 'A', color: '#00aAfF', 'on-select-action': { name: 'update_data', payload: {} } },
      somethingNew: { of: ['later'] },
    };
    expect(found('CheckboxGroup', 'data-source', [item])).toEqual([]);
  });

  test('ids are unique, and the second one is named', () => {
    const items = [...options(3), { id: 'i1', title: 'Again' }];
    expect(found('RadioButtonsGroup', 'data-source', items)).toEqual(['x[3].id unique-ids']);
    expect(found('NavigationList', 'list-items', [navigation('a'), navigation('a')])).toEqual(['x[1].id unique-ids']);
  });

  test.each([
    ['7.3', 100],
    ['6.0', 100],
    ['5.1', 300],
  ])('in Flow JSON %s the image of an option has at most %i KB', (version, kb) => {
    const image = (bytes: number) => options(1, { image: base64OfKb(kb, bytes) });
    expect(found('Dropdown', 'data-source', image(0), { version })).toEqual([]);
    expect(found('Dropdown', 'data-source', image(1), { version })).toEqual(['x[0].image image-size']);
  });

  const navigation = (id: string, over: object = {}) => ({ id, 'main-content': { title: 'Title', ...over } });

  test('a NavigationList takes 1 to 20 items', () => {
    const items = (count: number) => Array.from({ length: count }, (_, i) => navigation(`i${i}`));
    for (const count of [1, 20]) expect(found('NavigationList', 'list-items', items(count))).toEqual([]);
    for (const count of [0, 21]) expect(found('NavigationList', 'list-items', items(count))).toEqual(['x list-size']);
  });

  test.each([
    ['a title', { 'main-content': { title: 'x'.repeat(31) } }, 'x[0].main-content.title text-length'],
    ['no title', { 'main-content': {} }, 'x[0].main-content.title required'],
    ['no content', { 'main-content': undefined }, 'x[0].main-content required'],
    [
      'a description',
      { 'main-content': { title: 'x', description: 'x'.repeat(21) } },
      'x[0].main-content.description text-length',
    ],
    [
      'a metadata',
      { 'main-content': { title: 'x', metadata: 'x'.repeat(81) } },
      'x[0].main-content.metadata text-length',
    ],
    ['an end', { end: { title: 'x'.repeat(11) } }, 'x[0].end.title text-length'],
    ['an image', { start: { image: base64OfKb(100, 1) } }, 'x[0].start.image image-size'],
    ['a badge', { badge: 'x'.repeat(16) }, 'x[0].badge text-length'],
    ['a tag', { tags: ['x', 'x'.repeat(16)] }, 'x[0].tags[1] text-length'],
    ['four tags', { tags: ['a', 'b', 'c', 'd'] }, 'x[0].tags list-size'],
  ])('an item of a NavigationList with %s too much or too little is found', (_, over, expected) => {
    expect(found('NavigationList', 'list-items', [{ ...navigation('a'), ...over }])).toEqual([expected]);
  });
});

describe('images', () => {
  test.each([
    ['a PNG', PNG, []],
    ['a JPEG', JPEG, []],
    ['a data: URL', `data:image/png;base64,${PNG}`, ['x image']],
    ['a URL', 'https://example.org/a.png', ['x image']],
    ['a GIF', 'R0lGODlhAQABAAAAACw=', ['x image']],
    ['no image', 'hello', ['x image']],
    ['nothing', '', ['x image']],
    ['more than is advised', PNG + 'A'.repeat(600_000), []],
  ])('an Image shows %s, or does not', (_, src, expected) => {
    expect(found('Image', 'src', src)).toEqual(expected);
  });

  test('an ImageCarousel takes 1 to 3 of them', () => {
    const images = (count: number) => Array.from({ length: count }, () => ({ src: PNG, 'alt-text': 'A' }));
    for (const count of [1, 3]) expect(found('ImageCarousel', 'images', images(count))).toEqual([]);
    for (const count of [0, 4]) expect(found('ImageCarousel', 'images', images(count))).toEqual(['x list-size']);
    expect(found('ImageCarousel', 'images', [{ 'alt-text': 'A' }])).toEqual(['x[0].src required']);
    expect(found('ImageCarousel', 'images', [{ src: 'https://example.org' }])).toEqual(['x[0].src image']);
  });
});

describe('days', () => {
  test.each([
    ['DatePicker', 'min-date', '2030-01-31', '31.01.2030'],
    ['DatePicker', 'init-value', '2030-12-01', '2030-13-01'],
    ['CalendarPicker', 'max-date', '2030-01-31', '2030-1-31'],
  ])('%s %s is written YYYY-MM-DD', (type, property, right, wrong) => {
    expect(found(type, property, right)).toEqual([]);
    expect(found(type, property, '')).toEqual([]);
    expect(found(type, property, wrong)).toEqual(['x date']);
    expect(found(type, property, '1893456000000')).toEqual(['x date']);
  });

  test('before Flow JSON 5.0 it is milliseconds', () => {
    expect(found('DatePicker', 'min-date', '1893456000000', { version: '4.0' })).toEqual([]);
    expect(found('DatePicker', 'min-date', '2030-01-31', { version: '4.0' })).toEqual(['x date']);
  });

  test('days that are closed are checked each', () => {
    expect(found('DatePicker', 'unavailable-dates', ['2030-01-01', 'Monday'])).toEqual(['x[1] date']);
  });

  test('a range is checked at both ends', () => {
    expect(found('CalendarPicker', 'init-value', { 'start-date': '2030-01-01', 'end-date': 'later' })).toEqual([
      'x.end-date date',
    ]);
  });
});

describe('a first value', () => {
  const dropdown = { type: 'Dropdown', name: 'room', label: 'Room', 'data-source': bound('rooms') };
  const model = { rooms: ARRAY, room: STRING, on: BOOLEAN };
  const rooms = options(2);
  const check = (components: readonly object[], data: Data) => {
    const known = Object.fromEntries(Object.entries(model).filter(([key]) => key in data));
    return told(violationsOf(flowOf(components, { ...known, values: OBJECT }), { values: {}, ...data }));
  };

  test.each([
    ['one of the options', 'i1', []],
    ['nothing', '', []],
    ['another', 'i2', ['room init-value']],
  ])('of a list is %s', (_, room, expected) => {
    expect(check([{ ...dropdown, 'init-value': bound('room') }], { rooms, room })).toEqual(expected);
  });

  test('that stands in the Flow JSON is looked for in the options of the data', () => {
    expect(check([{ ...dropdown, 'init-value': 'i1' }], { rooms })).toEqual([]);
    expect(check([{ ...dropdown, 'init-value': 'i9' }], { rooms })).toEqual(['rooms init-value']);
  });

  test('of data is looked for in the options of the Flow JSON', () => {
    const fixed = { ...dropdown, 'data-source': rooms, 'init-value': bound('room') };
    expect(check([fixed], { room: 'i1' })).toEqual([]);
    expect(check([fixed], { room: 'i9' })).toEqual(['room init-value']);
  });

  test.each([
    ['the Form gives', bound('values')],
    ['the Form gives by name', { room: bound('values.room'), extras: bound('values.extras') }],
  ])('that %s is looked for, too', (_, values) => {
    const extras = { type: 'CheckboxGroup', name: 'extras', 'data-source': bound('rooms') };
    const form = { type: 'Form', name: 'f', 'init-values': values, children: [dropdown, extras] };
    expect(check([form], { rooms, values: { room: 'i1', extras: ['i0', 'i1'] } })).toEqual([]);
    expect(check([form], { rooms, values: { room: 'i9', extras: ['i0', 'i9'] } })).toEqual([
      'values.room init-value',
      'values.extras[1] init-value',
    ]);
    expect(check([form], { rooms, values: { room: ['i1'], extras: 'i1' } })).toEqual([
      'values.room type',
      'values.extras type',
    ]);
  });

  test('is let pass while its list is off: the options may come later', () => {
    const off = { ...dropdown, enabled: bound('on'), 'init-value': bound('room') };
    expect(check([off], { rooms, room: 'i9', on: false })).toEqual([]);
    expect(check([off], { rooms, room: 'i9', on: true })).toEqual(['room init-value']);
  });

  test.each([
    ['OptIn', 'yes', true],
    ['TextInput', 7, 'x'],
    ['DatePicker', 'soon', '2030-01-01'],
    ['CalendarPicker', { 'start-date': 7 }, { 'start-date': '2030-01-01', 'end-date': '2030-01-02' }],
    ['ChipsSelector', 'i1', []],
  ])('of a %s is of its type', (type, wrong, right) => {
    const form = { type: 'Form', name: 'f', 'init-values': bound('values'), children: [{ type, name: 'n' }] };
    expect(check([form], { values: { n: right } })).toEqual([]);
    expect(check([form], { values: { n: wrong } })).toHaveLength(1);
    expect(check([form], { values: {} })).toEqual([]);
  });
});

describe('what is not shown', () => {
  const MODEL = { list: ARRAY, on: BOOLEAN, kind: STRING, count: { type: 'number' } };
  const chips = { type: 'ChipsSelector', name: 'n', label: 'L', 'data-source': bound('list') };
  const tooFew = options(1);
  const tooMany = options(21);
  const check = (component: object, list: unknown, over: Data = {}) =>
    told(violationsOf(flowOf([component], MODEL), { list, on: true, kind: 'a', count: 3, ...over }));

  test.each([
    ['visible is false', { ...chips, visible: false }],
    ['visible is bound to false', { ...chips, visible: bound('on') }],
    [
      'visible is an expression that is false',
      { ...chips, visible: `\`!${bound('count')}\``, enabled: bound('on') },
      true,
    ],
    ['its Form is hidden', { type: 'Form', name: 'f', visible: bound('on'), children: [chips] }],
    ['an If says no', branch(bound('on'), [chips])],
    [
      'an If says no to the other branch',
      branch(`!${bound('on')}`, [{ type: 'TextBody', text: 'x' }], [{ ...chips, visible: bound('on') }]),
    ],
    ['an If compares', branch(`${bound('kind')} == 'b'`, [chips])],
    ['an If compares a number', branch(`${bound('count')} != 3`, [chips])],
    ['an If says no around what asks the form', branch(bound('on'), [{ ...chips, visible: '$' + '{form.more}' }])],
    ['an If says no inside what asks the form', branch('$' + '{form.more}', [branch(bound('on'), [chips])])],
    ['a Switch shows another case', { type: 'Switch', value: bound('kind'), cases: { a: [], b: [chips] } }],
    ['a Switch has the case', { type: 'Switch', value: bound('kind'), cases: { a: [], default: [chips] } }],
  ])('is not checked: %s', (_, component, isUnsure = false) => {
    expect(check(component, tooFew, { on: false })).toEqual([]);
    expect(check(component, tooMany, { on: false })).toEqual(isUnsure ? ['list list-size'] : []);
  });

  test.each([
    ['it is off', { ...chips, enabled: bound('on') }],
    ['enabled is an expression', { ...chips, enabled: `\`${bound('count')} > 2\`` }],
    ['visible asks the form', { ...chips, visible: '$' + '{form.more}' }],
    ['an If asks the form', branch('$' + "{form.more} == 'yes'", [chips])],
    ['an If asks two things', branch(`${bound('on')} && ${bound('on')}`, [chips])],
    ['an If compares different types', branch(`${bound('count')} == 'x'`, [chips])],
    [
      'an If says yes around what asks the form',
      branch(`!${bound('on')}`, [{ ...chips, visible: '$' + '{form.more}' }]),
    ],
    ['a Switch asks the form', { type: 'Switch', value: '$' + '{form.kind}', cases: { a: [chips] } }],
  ])('for certain need not be complete, but must not be too much: %s', (_, component) => {
    expect(check(component, tooFew, { on: false })).toEqual([]);
    expect(check(component, tooMany, { on: false })).toEqual(['list list-size']);
  });

  test.each([
    ['nothing hides it', chips],
    ['visible and enabled are bound', { ...chips, visible: bound('on'), enabled: bound('on') }],
    ['an If says yes', branch(bound('on'), [chips])],
    ['an If says no', branch(`${bound('kind')} == 'b'`, [], [chips])],
    ['a comparison in backticks', branch(`\`${bound('kind')} == 'a'\``, [chips])],
    ['a boolean is compared', branch(`${bound('on')} == true`, [chips])],
    ['a Switch shows its case', { type: 'Switch', value: bound('kind'), cases: { a: [chips] } }],
    ['a Switch has no such case', { type: 'Switch', value: bound('kind'), cases: { b: [], default: [chips] } }],
    ['two conditions hold', branch(bound('on'), [branch(`${bound('count')} == 3`, [{ ...chips, visible: true }])])],
  ])('and what is, must be complete: %s', (_, component) => {
    expect(check(component, tooFew)).toEqual(['list list-size']);
    expect(check(component, tooMany)).toEqual(['list list-size']);
    expect(check(component, options(2))).toEqual([]);
  });
});

describe('bindings', () => {
  test('a path into an object is followed, and named', () => {
    const json = flowOf([{ type: 'TextHeading', text: bound('slot.day') }], { slot: OBJECT });
    expect(told(violationsOf(json, { slot: { day: 'x'.repeat(81) } }))).toEqual(['slot.day text-length']);
    expect(violationsOf(json, { slot: {} })).toEqual([]);
  });

  test('bindings inside a list of the Flow JSON are followed, and what stands there itself is not blamed', () => {
    const images = [
      { src: bound('first'), 'alt-text': 'A' },
      { src: 'https://example.org/fixed.png' },
      { src: bound('more.second') },
    ];
    const json = flowOf([{ type: 'ImageCarousel', images }], { first: STRING, more: OBJECT });
    expect(
      told(violationsOf(json, { first: 'https://example.org', more: { second: 'data:image/gif;base64,R0lGOD' } })),
    ).toEqual(['first image', 'more.second image']);
    expect(violationsOf(json, { first: PNG, more: {} })).toEqual([]);
  });

  test('what is missing inside a list of the Flow JSON is not taken for an empty text', () => {
    const items = [{ id: 'a', title: bound('slot.title') }];
    const json = flowOf([{ type: 'Dropdown', name: 'n', label: 'L', 'data-source': items }], { slot: OBJECT });
    expect(violationsOf(json, { slot: {} })).toEqual([]);
    expect(told(violationsOf(json, { slot: { title: '' } }))).toEqual(['slot.title blank']);
  });

  test('an expression, a form or another screen is let pass', () => {
    for (const text of [`\`${bound('x')} '!'\``, '$' + '{form.x}', '$' + '{screen.B.data.x}', `Hello ${bound('x')}`]) {
      expect(violationsOf(flowOf([{ type: 'TextHeading', text }], { x: STRING }), { x: 'x'.repeat(500) })).toEqual([]);
    }
  });

  test('one key is told once, by what is wrong with it first', () => {
    const components = [
      { type: 'TextHeading', text: bound('x') },
      { type: 'EmbeddedLink', text: bound('x') },
    ];
    const violations = violationsOf(flowOf(components, { x: STRING }), { x: 'x'.repeat(500) });
    expect(violations).toMatchObject([{ key: 'x', message: 'must have at most 80 characters, has 500' }]);
  });
});

test('one list too long in the Flow that uses every component is found on its screen', () => {
  const guard = compileGuard(everyComponent);
  const data = { ...examplesOf(everyComponent, 'STAY'), interests: options(21) };
  const violations = guard.check({ action: 'BACK', currentScreen: 'STAY', screen: 'STAY', data });
  expect(violations.map(({ screen, key, rule }) => `${screen} ${key} ${rule}`)).toEqual([
    'STAY interests list-size',
    'STAY init_values.interests[0] init-value',
  ]);
});
