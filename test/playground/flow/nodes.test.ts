// biome-ignore-all lint/suspicious/noTemplateCurlyInString: so bindings of Flow JSON are written
// biome-ignore-all lint/suspicious/noThenProperty: so the branches of an If are called
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/json.ts';
import { type Component, componentsOf } from '../../../src/playground/web/flow/flow.ts';
import { fieldSources, formOf } from '../../../src/playground/web/flow/form.ts';
import { nodesOf } from '../../../src/playground/web/flow/nodes.ts';

const scopeOf = (data: JsonObject, form: JsonObject = {}) => ({ data, form, screens: new Map() });
const shown = (children: JsonObject[], data: JsonObject = {}, form: JsonObject = {}, version = 703) =>
  nodesOf(componentsOf(children), version, scopeOf(data, form)).map(({ type, props, unknown }) =>
    unknown === undefined ? String(props['text'] ?? props['name'] ?? type) : `?${type}`,
  );
const text = (words: string) => ({ type: 'TextBody', text: words });

describe('the nodes of a screen', () => {
  test('are those of the branch whose condition holds', () => {
    const children = [{ type: 'If', condition: "${form.animal} == 'cat'", then: [text('meow')], else: [text('woof')] }];
    expect(shown(children, {}, { animal: 'cat' })).toEqual(['meow']);
    expect(shown(children, {}, { animal: 'dog' })).toEqual(['woof']);
    expect(shown([{ type: 'If', condition: '${data.x}', then: [text('a')] }], { x: false })).toEqual([]);
  });

  test('are those of the case that is named, or the default', () => {
    const cases = { cat: [text('meow')], '3': [text('three')], default: [text('who?')] };
    const children = [{ type: 'Switch', value: '${data.animal}', cases }];
    expect(shown(children, { animal: 'cat' })).toEqual(['meow']);
    expect(shown(children, { animal: 3 })).toEqual(['three']);
    expect(shown(children, { animal: 'constructor' })).toEqual(['who?']);
    expect(shown(children)).toEqual(['who?']);
  });

  test('leave out what is not visible, and what is bound to nothing', () => {
    const hidden = [false, '${data.no}', '${data.gone}', '`1 == 2`'].map((visible) => ({ ...text('hidden'), visible }));
    const visible = [true, '${data.yes}', '`1 == 1`'].map((visible) => ({ ...text('seen'), visible }));
    expect(shown([...hidden, ...visible], { no: false, yes: true })).toEqual(['seen', 'seen', 'seen']);
  });

  test('take first values and error texts from their Form', () => {
    const form = {
      type: 'Form',
      'init-values': '${data.first}',
      'error-messages': '${data.wrong}',
      children: [{ type: 'TextInput', name: 'city', label: 'City' }],
    };
    const data = { first: { city: 'London' }, wrong: { city: 'Too far' } };
    const [node] = nodesOf(componentsOf([form]), 703, scopeOf(data));
    expect(node?.props).toMatchObject({ 'init-value': 'London', 'error-message': 'Too far' });
    expect(formOf(fieldSources(componentsOf([form])), {}, scopeOf(data))).toEqual({ city: 'London' });
  });

  test('are unknown where no client has heard of the component, or only a newer one', () => {
    expect(shown([{ type: 'Hologram' }, { text: 'no type' }, { type: 'ChipsSelector', name: 'c' }])).toEqual([
      '?Hologram',
      '??',
      'c',
    ]);
    expect(shown([{ type: 'ChipsSelector', name: 'c' }], {}, {}, 602)).toEqual(['?ChipsSelector']);
    expect(shown([{ type: 'ChipsSelector', name: 'c' }], {}, {}, 603)).toEqual(['c']);
  });

  test('survive a layout that contains itself many times over', () => {
    let nested: JsonObject = text('deep');
    for (let depth = 0; depth < 100; depth++) nested = { type: 'If', condition: true, then: [nested] };
    expect(shown([nested])).toEqual([]);
  });

  test('name the bindings that have no value, but not those that often have none', () => {
    const input = {
      type: 'TextInput',
      name: 'a',
      label: '${data.label}',
      'error-message': '${data.error}',
      'init-value': '${data.init}',
    };
    const [node] = nodesOf(componentsOf([input]), 703, scopeOf({}));
    expect(node?.missing).toEqual(['${data.label}']);
  });
});

describe('the form of a screen', () => {
  const field = (type: string, more: JsonObject = {}): Component => ({ type, name: type, label: 'L', ...more });
  const source = [
    { id: 'a', title: 'A' },
    { id: 'b', title: 'B' },
  ];
  const valuesOf = (children: Component[], touched: JsonObject = {}, data: JsonObject = {}) =>
    formOf(fieldSources(children), touched, scopeOf(data));

  test('has for an untouched field what an empty one is', () => {
    const types = ['TextInput', 'TextArea', 'CheckboxGroup', 'Dropdown', 'DatePicker', 'OptIn', 'PhotoPicker'];
    expect(valuesOf(types.map((type) => field(type)))).toEqual({
      TextInput: '',
      TextArea: '',
      CheckboxGroup: [],
      OptIn: false,
    });
  });

  test('keeps what was typed into a branch that is hidden now', () => {
    const children = [{ type: 'If', condition: '${data.x}', then: [field('TextInput')] }];
    expect(valuesOf(children, { TextInput: 'kept' }, { x: false })).toEqual({ TextInput: 'kept' });
  });

  test('loses a choice that is no longer offered', () => {
    const children = [
      field('Dropdown', { 'data-source': '${data.options}' }),
      field('CheckboxGroup', { 'data-source': source }),
    ];
    const touched = { Dropdown: 'a', CheckboxGroup: ['b', 'gone'] };
    expect(valuesOf(children, touched, { options: source })).toEqual({ Dropdown: 'a', CheckboxGroup: ['b'] });
    expect(valuesOf(children, touched, { options: [] })).toEqual({ CheckboxGroup: ['b'] });
  });

  test('has its first values from where they are bound', () => {
    const own = field('TextInput', { 'init-value': '${data.who}' });
    expect(valuesOf([own], {}, { who: 'Ada' })).toEqual({ TextInput: 'Ada' });
    expect(valuesOf([own])).toEqual({ TextInput: '' });
    expect(valuesOf([own], { TextInput: '' }, { who: 'Ada' })).toEqual({ TextInput: '' });
  });
});
