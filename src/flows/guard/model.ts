/**
 * A screen's data model, compiled to functions that check an answer's data against it.
 *
 * The model is a small part of JSON Schema: `type`, `items`, `properties`, `required`, `minItems`, `maxItems`,
 * `uniqueItems`. Clients tolerate keys of an object that the model does not name, and the lack of those it does, unless
 * `required`; so does this. On the screen's own level every declared key must be there, since its components bind to it.
 */
import { isObject, type JsonObject } from '../../json.ts';
import { ownValue } from './bindings.ts';
import type { Walk } from './walk.ts';

export type Check = (value: unknown, walk: Walk) => void;

/** Clients take these out of the data before they validate and bind it. */
export const TAKEN_BY_CLIENTS: ReadonlySet<string> = new Set(['error_message', 'extension_message_response']);

export const MODEL_TYPES: ReadonlySet<string> = new Set(['string', 'number', 'boolean', 'object', 'array']);
/** Deeper schemas are not compiled: what they describe passes. */
const MAX_SCHEMA_DEPTH = 32;

/** @returns a check of the whole `data` of an answer. */
export function compileModel(model: unknown): Check {
  const declared = isObject(model) ? Object.entries(model).filter(([key]) => !TAKEN_BY_CLIENTS.has(key)) : [];
  const entries = declared.map(([key, schema]) => ({ key, check: compileSchema(schema, 0) }));
  const keys = new Set(entries.map(({ key }) => key));
  return (data, walk) => {
    if (!isPlainObject(data, walk)) return;
    for (const { key, check } of entries) {
      walk.push(key);
      const value = ownValue(data, key);
      if (isLeftOut(value)) walk.report('missing', 'the screen declares this key: send it, empty if need be');
      else check(value, walk);
      walk.pop();
    }
    for (const key in data) {
      if (!keys.has(key) && !isLeftOut(data[key])) checkUndeclared(key, data[key], keys.size === 0, walk);
    }
  };
}

function checkUndeclared(key: string, value: unknown, takesNone: boolean, walk: Walk): void {
  walk.push(key);
  if (key === 'error_message') string(value, walk);
  else if (takesNone) walk.report('undeclared', 'the screen declares no data, so clients refuse any key');
  else walk.report('undeclared', 'the screen does not declare this key: declare it in its data, or leave it out');
  walk.pop();
}

/** JSON drops these from an object. */
function isLeftOut(value: unknown): boolean {
  return value === undefined || typeof value === 'function' || typeof value === 'symbol';
}

export function compileSchema(schema: unknown, depth = 0): Check {
  const { type } = isObject(schema) ? schema : {};
  if (depth > MAX_SCHEMA_DEPTH) return anything;
  switch (type) {
    case 'string':
      return string;
    case 'number':
      return number;
    case 'boolean':
      return boolean;
    case 'array':
      return compileArray(schema as JsonObject, depth);
    case 'object':
      return compileObject(schema as JsonObject, depth);
    default:
      return anything;
  }
}

function string(value: unknown, walk: Walk): void {
  if (typeof value !== 'string') mismatch('a string', value, walk);
}

function boolean(value: unknown, walk: Walk): void {
  if (typeof value !== 'boolean') mismatch('a boolean', value, walk);
}

function number(value: unknown, walk: Walk): void {
  if (typeof value !== 'number') mismatch('a number', value, walk);
  else if (!Number.isFinite(value)) walk.report('null', 'NaN and Infinity become null in JSON: send a number');
}

/** Null is nowhere valid, not even where the model says nothing. */
function anything(value: unknown, walk: Walk): void {
  if (typeof value === 'number') number(value, walk);
  else if (value === null || isLeftOut(value)) mismatch('anything but null', null, walk);
  else if (typeof value !== 'object' || walk.isTooDeep) return;
  else if (Array.isArray(value)) checkItems(value, anything, walk);
  else if (isPlainObject(value, walk)) checkProperties(value, NO_PROPERTIES, walk);
}

function compileArray({ items, minItems, maxItems, uniqueItems }: JsonObject, depth: number): Check {
  const item = items === undefined ? anything : compileSchema(items, depth + 1);
  const min = typeof minItems === 'number' ? minItems : 0;
  const max = typeof maxItems === 'number' ? maxItems : Number.POSITIVE_INFINITY;
  return (value, walk) => {
    if (!Array.isArray(value)) return mismatch('an array', value, walk);
    if (value.length < min) walk.report('list-size', `must have at least ${min} items, has ${value.length}`);
    else if (value.length > max) walk.report('list-size', `must have at most ${max} items, has ${value.length}`);
    else if (uniqueItems === true && hasTwins(value)) walk.report('unique-items', 'must not hold an item twice');
    checkItems(value, item, walk);
  };
}

function checkItems(items: readonly unknown[], item: Check, walk: Walk): void {
  for (let i = 0; i < items.length && !walk.isFull; i++) {
    walk.push(i);
    item(items[i], walk);
    walk.pop();
  }
}

/** Objects are the same when they are written the same. */
function hasTwins(items: readonly unknown[]): boolean {
  const seen = new Set(items.map((item) => (typeof item === 'object' ? JSON.stringify(item) : item)));
  return seen.size < items.length;
}

type Properties = ReadonlyMap<string, Check>;
const NO_PROPERTIES: Properties = new Map();

function compileObject({ properties, required }: JsonObject, depth: number): Check {
  const schemas = isObject(properties) ? Object.entries(properties) : [];
  const checks: Properties = new Map(schemas.map(([key, schema]) => [key, compileSchema(schema, depth + 1)]));
  const needed = Array.isArray(required) ? required.filter((key) => typeof key === 'string') : [];
  return (value, walk) => {
    if (!isPlainObject(value, walk)) return;
    for (const key of needed) {
      if (!isLeftOut(ownValue(value, key))) continue;
      walk.push(key);
      walk.report('required', 'must be there');
      walk.pop();
    }
    checkProperties(value, checks, walk);
  };
}

function checkProperties(value: JsonObject, checks: Properties, walk: Walk): void {
  for (const key in value) {
    const inner: unknown = value[key];
    if (isLeftOut(inner)) continue;
    walk.push(key);
    (checks.get(key) ?? anything)(inner, walk);
    walk.pop();
  }
}

/** A Date, a class instance, an object with `toJSON`: what becomes of it only its JSON tells, so `checkReply` asks that. */
function isPlainObject(value: unknown, walk: Walk): value is JsonObject {
  if (!isObject(value)) {
    mismatch('an object', value, walk);
    return false;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = (prototype === Object.prototype || prototype === null) && typeof value['toJSON'] !== 'function';
  if (!isPlain) walk.report('type', 'must be a plain object');
  return isPlain;
}

function mismatch(wanted: string, value: unknown, walk: Walk): void {
  if (value === null || isLeftOut(value))
    walk.report('null', 'null is never valid: leave the key out, or send "" or []');
  else walk.report('type', `must be ${wanted}, is ${typeName(value)}`);
}

export function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
