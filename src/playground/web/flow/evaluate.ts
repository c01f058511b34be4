/**
 * What an expression comes to.
 *
 * Fields hold text, whatever was typed into them, so text that is a number counts as one where a number is wanted.
 * What cannot be computed is undefined: a value that is not there, a division by zero, arithmetic with words.
 */
import type { JsonValue } from '../../../json.ts';
import type { Expression } from './expression.ts';

export type Lookup = (path: string) => JsonValue | undefined;

export function evaluate(expression: Expression, lookup: Lookup): JsonValue | undefined {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'reference':
      return lookup(expression.path);
    case 'not':
      return !isTrue(evaluate(expression.operand, lookup));
    case 'negative': {
      const number = toNumber(evaluate(expression.operand, lookup));
      return number === undefined ? undefined : -number;
    }
    case 'joined':
      return expression.parts.map((part) => toText(evaluate(part, lookup))).join('');
    case 'binary':
      return binary(expression, lookup);
  }
}

function binary({ operator, left, right }: Extract<Expression, { kind: 'binary' }>, lookup: Lookup) {
  const a = evaluate(left, lookup);
  if (operator === '&&') return isTrue(a) && isTrue(evaluate(right, lookup));
  if (operator === '||') return isTrue(a) || isTrue(evaluate(right, lookup));
  const b = evaluate(right, lookup);
  if (operator === '==') return equal(a, b);
  if (operator === '!=') return !equal(a, b);
  return arithmetic(operator, toNumber(a), toNumber(b));
}

const COMPARISONS = new Set(['<', '<=', '>', '>=']);

/** Nothing is smaller or greater than what is no number. */
function arithmetic(operator: string, a: number | undefined, b: number | undefined): number | boolean | undefined {
  if (a === undefined || b === undefined) return COMPARISONS.has(operator) ? false : undefined;
  const result = compute(operator, a, b);
  return typeof result === 'number' && !Number.isFinite(result) ? undefined : result;
}

function compute(operator: string, a: number, b: number): number | boolean | undefined {
  if (operator === '<') return a < b;
  if (operator === '<=') return a <= b;
  if (operator === '>') return a > b;
  if (operator === '>=') return a >= b;
  if (operator === '+') return a + b;
  if (operator === '-') return a - b;
  if (operator === '*') return a * b;
  if (operator === '/') return a / b;
  return a % b;
}

/** Lists and objects equal nothing: Flow JSON compares text, numbers and booleans. */
function equal(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true;
  if (typeof a === 'number' || typeof b === 'number') return toNumber(a) !== undefined && toNumber(a) === toNumber(b);
  return (a === undefined && b === '') || (a === '' && b === undefined);
}

export function isTrue(value: JsonValue | undefined): boolean {
  return value === true || value === 'true';
}

function toNumber(value: JsonValue | undefined): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || !/^-?\d+(?:\.\d+)?$/.test(value.trim())) return undefined;
  return Number(value);
}

function toText(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
