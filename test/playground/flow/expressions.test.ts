// biome-ignore-all lint/suspicious/noTemplateCurlyInString: so bindings of Flow JSON are written
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../../src/json.ts';
import { evaluate } from '../../../src/playground/web/flow/evaluate.ts';
import { ExpressionError } from '../../../src/playground/web/flow/expression.ts';
import { MAX_DEPTH, parseExpression } from '../../../src/playground/web/flow/expression-parser.ts';
import { MAX_EXPRESSION_CHARS } from '../../../src/playground/web/flow/tokens.ts';

const VALUES: Readonly<Record<string, JsonValue>> = {
  'form.name': 'Ada',
  'form.age': '36',
  'form.agreed': true,
  'data.total': 90,
  'data.guests': 4,
  'data.zero': 0,
  'data.closed': false,
};

const computed = (text: string) => evaluate(parseExpression(text), (path) => VALUES[path]);

describe('an expression', () => {
  test.each<[string, JsonValue | undefined]>([
    ["'Hello ' ${form.name}", 'Hello Ada'],
    ["${form.name} ', ' ${form.age} '!'", 'Ada, 36!'],
    ["'Each: ' ${data.total} / ${data.guests}", 'Each: 22.5'],
    ["'It\\'s ' ${form.name}", "It's Ada"],
    ["'a \\` and a \\\\'", 'a ` and a \\'],
    ['${data.total} + 10 * 2', 110],
    ['(${data.total} + 10) * 2', 200],
    ['10 - 4 - 3', 3],
    ['${data.total} % 7', 6],
    ['-${data.total} + 100', 10],
    ['3 - -2', 5],
    ['${form.age} >= 18', true],
    ['${form.age} < 18', false],
    ['(${form.age} > 18) && ${form.agreed}', true],
    ['!${form.agreed} || !${data.closed}', true],
    ['!(${form.agreed} && ${data.closed})', true],
    ["${form.name} == 'Ada'", true],
    ["${form.name} != 'Ada'", false],
    ['${form.age} == 36', true],
    ['${form.agreed} == true', true],
    ["${form.missing} == ''", true],
    ['true || false && false', true],
    ['1 + 1 == 2', true],
    ["'a' 'b' == 'ab'", true],
    ['${data.total} / ${data.zero}', undefined],
    ["'a' - 1", undefined],
    ["${form.name} > 'A'", false],
    ['${form.missing}', undefined],
    ["'x' ${form.missing} 'y'", 'xy'],
  ])('%s is %j', (text, value) => {
    expect(computed(text)).toBe(value);
  });

  test.each([
    '',
    '   ',
    '1 +',
    '(1',
    '1)',
    "'open",
    '${form.name',
    '&& true',
    'a',
    '1 == == 1',
    '${a} ? 1 : 2',
    '{}',
    '()',
  ])('%j is refused', (text) => {
    expect(() => parseExpression(text)).toThrow(ExpressionError);
  });

  test(`is refused above ${MAX_EXPRESSION_CHARS} characters, and not at them`, () => {
    const longest = `'${'x'.repeat(MAX_EXPRESSION_CHARS - 2)}'`;
    expect(computed(longest)).toHaveLength(MAX_EXPRESSION_CHARS - 2);
    expect(() => parseExpression(`${longest} `)).toThrow(ExpressionError);
  });

  test(`nests ${MAX_DEPTH} deep, and no deeper`, () => {
    const nested = (depth: number) => `${'('.repeat(depth)}1${')'.repeat(depth)}`;
    expect(computed(nested(MAX_DEPTH))).toBe(1);
    expect(() => parseExpression(nested(MAX_DEPTH + 1))).toThrow(ExpressionError);
    expect(() => parseExpression(`${'!'.repeat(MAX_DEPTH + 1)}true`)).toThrow(ExpressionError);
  });

  test('as long as may be has no effect on the stack', () => {
    const ones = Array.from({ length: 2_500 }, () => '1').join('+');
    expect(computed(ones)).toBe(2_500);
  });

  test('of any text is an expression or an ExpressionError, and nothing is run', () => {
    const words = fc.constantFrom(
      '${form.name}',
      "'",
      '1',
      '+',
      '(',
      ')',
      '!',
      '&&',
      '==',
      ' ',
      'alert(1)',
      '`',
      '\\',
      '-',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(words).map((list) => list.join('')),
        ),
        (text) => {
          try {
            computed(text);
          } catch (error) {
            expect(error).toBeInstanceOf(ExpressionError);
          }
        },
      ),
    );
  });

  test('of arithmetic comes to what JavaScript makes of it', () => {
    const { sum } = fc.letrec<{ sum: string; leaf: string }>((tie) => ({
      leaf: fc.integer({ min: 0, max: 99 }).map(String),
      sum: fc.oneof(
        { maxDepth: 5 },
        tie('leaf'),
        fc.tuple(tie('sum'), fc.constantFrom('+', '-', '*'), tie('sum')).map(([a, op, b]) => `(${a} ${op} ${b})`),
        fc.tuple(tie('leaf'), fc.constantFrom('+', '-', '*'), tie('sum')).map(([a, op, b]) => `${a} ${op} ${b}`),
      ),
    }));
    fc.assert(
      fc.property(sum, (text) => {
        expect(computed(text)).toBe(Function(`return ${text}`)());
      }),
    );
  });
});
