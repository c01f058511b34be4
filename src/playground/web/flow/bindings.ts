/**
 * The bindings of Flow JSON: `${data.x}`, `${form.x}`, `${screen.S.data.x}`, and expressions in backticks.
 *
 * A text is either a binding from its first character to its last, or just a text: `Hello ${data.name}` stays as it is,
 * as in the real client.
 */
import { isObject, type JsonObject, type JsonValue } from '../../../json.ts';
import { evaluate, isTrue } from './evaluate.ts';
import { type Expression, ExpressionError } from './expression.ts';
import { parseExpression } from './expression-parser.ts';

export interface Scope {
  readonly data: JsonObject;
  readonly form: JsonObject;
  /** Of the other screens that were shown, by name. */
  readonly screens: ReadonlyMap<string, { readonly data: JsonObject; readonly form: JsonObject }>;
  /** Told of every binding without a value and every expression that is none. */
  readonly onMissing?: (binding: string) => void;
}

const BINDING = /^\$\{([^{}]*)\}$/;
const NESTED = /^`([\s\S]*)`$/;

/** Objects and lists are resolved throughout; a key whose binding has no value is left out. */
export function resolve(value: JsonValue, scope: Scope): JsonValue | undefined {
  if (typeof value === 'string') return resolveText(value, scope);
  if (Array.isArray(value)) return value.map((item) => resolve(item, scope)).filter((item) => item !== undefined);
  return isObject(value) ? resolveObject(value, scope) : value;
}

export function resolveObject(value: JsonObject, scope: Scope): JsonObject {
  const entries = Object.entries(value).map(([key, item]) => [key, resolve(item, scope)] as const);
  return Object.fromEntries(entries.filter(([, item]) => item !== undefined)) as JsonObject;
}

function resolveText(text: string, scope: Scope): JsonValue | undefined {
  const path = BINDING.exec(text)?.[1];
  if (path !== undefined) return missingTold(lookUp(path.trim(), scope), text, scope);
  const nested = NESTED.exec(text)?.[1];
  return nested === undefined ? text : missingTold(compute(nested, scope), text, scope);
}

function missingTold(value: JsonValue | undefined, text: string, scope: Scope): JsonValue | undefined {
  if (value === undefined) scope.onMissing?.(text);
  return value;
}

/** Of an `If`: bound, or an expression with or without backticks. */
export function isMet(condition: JsonValue | undefined, scope: Scope): boolean {
  if (typeof condition !== 'string') return condition === true;
  const text = condition.trim();
  const value = BINDING.test(text) ? resolveText(text, scope) : compute(NESTED.exec(text)?.[1] ?? text, scope);
  return isTrue(value);
}

function compute(text: string, scope: Scope): JsonValue | undefined {
  const parsed = parsedOnce(text);
  return parsed && evaluate(parsed, (path) => lookUp(path, scope));
}

/** A screen is computed anew with every key that is pressed. */
const PARSED = new Map<string, Expression | undefined>();
const MAX_PARSED = 2_000;

function parsedOnce(text: string): Expression | undefined {
  if (PARSED.has(text)) return PARSED.get(text);
  if (PARSED.size >= MAX_PARSED) PARSED.clear();
  const parsed = parsedOrNot(text);
  PARSED.set(text, parsed);
  return parsed;
}

function parsedOrNot(text: string): Expression | undefined {
  try {
    return parseExpression(text);
  } catch (error) {
    if (error instanceof ExpressionError) return undefined;
    throw error;
  }
}

export function lookUp(path: string, { data, form, screens }: Scope): JsonValue | undefined {
  const [root, ...rest] = path.split('.');
  if (root === 'data') return walk(data, rest);
  if (root === 'form') return walk(form, rest);
  const [screen = '', store, ...keys] = rest;
  const shown = root === 'screen' ? screens.get(screen) : undefined;
  if (!shown || (store !== 'data' && store !== 'form')) return undefined;
  return walk(shown[store], keys);
}

function walk(start: JsonValue, keys: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = start;
  for (const key of keys) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as JsonObject)[key];
  }
  return value;
}
