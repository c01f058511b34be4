/**
 * Whether an answer's data shows a component: yes, no, or who knows.
 *
 * Only what is certain counts. A value of the form, an expression, a condition of several parts: who knows. What is
 * hidden is not checked at all; of what may be hidden, only the upper limits are, since a user may come to see it.
 */
import { dataPathOf, type Read, reader } from './bindings.ts';
import type { Condition } from './layout.ts';

/** undefined: it depends on what the answer does not tell. */
export type Test = (data: object) => boolean | undefined;

/** @returns undefined where nothing hides the component. */
export function compileShown(conditions: readonly Condition[]): Test | undefined {
  const tests = conditions.map(compileCondition).filter((test) => test !== ALWAYS);
  const [first, second] = tests;
  if (!first) return undefined;
  return second ? (data) => every(tests, data) : first;
}

function every(tests: readonly Test[], data: object): boolean | undefined {
  let all: boolean | undefined = true;
  for (const test of tests) {
    const holds = test(data);
    if (holds === false) return false;
    all &&= holds;
  }
  return all;
}

/** Of a property that takes a boolean, such as `enabled`; true where it is not there. */
export function compileTest(template: unknown): Test {
  if (template === undefined || template === true) return ALWAYS;
  if (template === false) return NEVER;
  return (typeof template === 'string' && compileExpression(template)) || UNSURE;
}

const ALWAYS: Test = () => true;
const NEVER: Test = () => false;
const UNSURE: Test = () => undefined;

function compileCondition(condition: Condition): Test {
  if ('test' in condition) {
    const test = compileTest(condition.test);
    return condition.holds || test === UNSURE ? test : not(test);
  }
  const { value, is, others } = condition;
  const read = dataPathOf(value) && reader(value);
  if (!read) return UNSURE;
  return (data) => {
    const found = read(data);
    if (typeof found !== 'string') return undefined;
    return is === undefined ? !others.includes(found) : found === is;
  };
}

function not(test: Test): Test {
  return (data) => {
    const holds = test(data);
    return holds === undefined ? undefined : !holds;
  };
}

const NEGATED = /^!\s*(\$\{[^}]+\})$/;
const COMPARED = /^(\$\{[^}]+\})\s*(==|!=)\s*(?:'([^']*)'|(-?\d+(?:\.\d+)?)|(true|false))$/;

/** `${data.x}`, `!${data.x}`, and a comparison of `${data.x}` with one constant; backticks around it or not. */
function compileExpression(expression: string): Test | undefined {
  const bare = expression
    .trim()
    .replace(/^`(.*)`$/s, '$1')
    .trim();
  const plain = readerOf(bare);
  if (plain) return (data) => asBoolean(plain(data));
  const negated = readerOf(NEGATED.exec(bare)?.[1]);
  if (negated) return not((data) => asBoolean(negated(data)));
  const [, reference, operator, text, number, flag] = COMPARED.exec(bare) ?? [];
  const compared = readerOf(reference);
  if (!compared) return undefined;
  const constant = text ?? (number === undefined ? flag === 'true' : Number(number));
  const isEqual = (data: object) => equals(compared(data), constant);
  return operator === '==' ? isEqual : not(isEqual);
}

function readerOf(reference: string | undefined): Read | undefined {
  return dataPathOf(reference) ? reader(reference) : undefined;
}

function asBoolean(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

/** Clients may convert between types; this does not guess how. */
function equals(value: unknown, constant: string | number | boolean): boolean | undefined {
  return typeof value === typeof constant ? value === constant : undefined;
}
