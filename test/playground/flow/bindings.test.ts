// biome-ignore-all lint/suspicious/noTemplateCurlyInString: so bindings of Flow JSON are written
import { describe, expect, test } from 'vitest';
import { isMet, resolve, resolveObject, type Scope } from '../../../src/playground/web/flow/bindings.ts';

const scope: Scope = {
  data: { name: 'Ada', list: [{ id: 'a' }], slot: { date: '2030-01-07' }, open: true, n: 3 },
  form: { city: 'London', agreed: false },
  screens: new Map([['DETAILS', { data: { price: 5 }, form: { email: 'ada@example.org' } }]]),
};

describe('a binding', () => {
  test.each([
    ['${data.name}', 'Ada'],
    ['${data.slot.date}', '2030-01-07'],
    ['${data.list.0.id}', 'a'],
    ['${data.list}', [{ id: 'a' }]],
    ['${form.city}', 'London'],
    ['${screen.DETAILS.data.price}', 5],
    ['${screen.DETAILS.form.email}', 'ada@example.org'],
    ['${screen.OTHER.form.email}', undefined],
    ['${screen.DETAILS.secrets.email}', undefined],
    ['${data.__proto__}', undefined],
    ['${data.constructor.name}', undefined],
    ['${data.name.length}', undefined],
    ['${other.name}', undefined],
    ['Hello ${data.name}', 'Hello ${data.name}'],
    ["`${data.name} ' from ' ${form.city}`", 'Ada from London'],
    ['plain', 'plain'],
  ])('%s is %j', (text, value) => {
    expect(resolve(text, scope)).toEqual(value);
  });

  test('in a payload is resolved wherever it stands, and left out where it has no value', () => {
    const payload = { a: '${data.n}', b: { c: '${data.gone}', d: ['${form.city}', '${form.gone}'] }, e: 1 };
    expect(resolveObject(payload, scope)).toEqual({ a: 3, b: { d: ['London'] }, e: 1 });
  });

  test('named __proto__ stays a key', () => {
    const payload = JSON.parse('{"__proto__": "${data.n}"}');
    expect(Object.keys(resolveObject(payload, scope))).toEqual(['__proto__']);
  });

  test('without a value is told', () => {
    const missing: string[] = [];
    resolveObject({ a: '${data.gone}', b: '`1 +`' }, { ...scope, onMissing: (binding) => missing.push(binding) });
    expect(missing).toEqual(['${data.gone}', '`1 +`']);
  });
});

describe('a condition', () => {
  test.each([
    ['${data.open}', true],
    ['${form.agreed}', false],
    ["`${form.city} == 'London'`", true],
    ["${form.city} == 'London' && ${data.open}", true],
    ['(${data.n} > 3)', false],
    ['${data.gone}', false],
    ['nonsense', false],
    [true, true],
    [undefined, false],
  ])('%j is met: %j', (condition, met) => {
    expect(isMet(condition, scope)).toBe(met);
  });
});
