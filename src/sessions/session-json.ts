/** Between the values of a session and the text that is kept of them. */
import { parse } from 'secure-json-parse';
import { FlowgateError } from '../errors.ts';

/** Of the JSON, as UTF-8. */
export const MAX_SESSION_BYTES = 64 * 1024;
/** Deeper than any session that people read; a cycle is as deep as one looks. */
const MAX_DEPTH = 100;

/**
 * @returns JSON that reads back as `value`.
 * @throws FlowgateError `SESSION_INVALID` for what JSON would drop or change: undefined, a function, NaN, a Date, a Map,
 *   an object of a class, a symbol, a hole in an array, a cycle; `SESSION_TOO_LARGE` beyond `MAX_SESSION_BYTES`.
 */
export function toSessionText(value: unknown): string {
  let text: string;
  try {
    checkValue(value, 0, { left: MAX_SESSION_BYTES });
    text = JSON.stringify(value);
  } catch (error) {
    if (error instanceof FlowgateError) throw error;
    throw new FlowgateError('SESSION_INVALID', 'a value of the session cannot be read', { cause: error }); // a getter threw
  }
  if (Buffer.byteLength(text) > MAX_SESSION_BYTES) throw tooLarge();
  return text;
}

/** @throws SyntaxError. Keys that could reach a prototype are dropped. */
export function fromSessionText(text: string): unknown {
  return parse(text, null, { protoAction: 'remove', constructorAction: 'remove' });
}

/** @param budget bytes that the JSON may still have; each value takes fewer from it than it will need. */
function checkValue(value: unknown, depth: number, budget: { left: number }): void {
  budget.left -= typeof value === 'string' ? value.length + 2 : 1;
  if (budget.left < 0) throw tooLarge();
  if (typeof value === 'string' || typeof value === 'boolean' || value === null || Number.isFinite(value)) return;
  if (typeof value !== 'object') throw notJson(typeof value === 'number' ? 'NaN and Infinity' : typeof value);
  if (depth === MAX_DEPTH) throw notJson(`cycles and values nested deeper than ${MAX_DEPTH} levels`);
  const isArray = Array.isArray(value);
  if (!isArray && !isPlain(value)) throw notJson('Date, Map and other classes');
  const keys = Object.keys(value);
  const otherKeys = Reflect.ownKeys(value).length - keys.length; // an array has `length`
  if (otherKeys !== Number(isArray) || (isArray && keys.length !== value.length)) {
    throw notJson('symbols, hidden properties and holes in arrays');
  }
  for (const key of keys) {
    if (!isArray) budget.left -= key.length + 2;
    checkValue((value as Record<string, unknown>)[key], depth + 1, budget);
  }
}

/** Of this realm or another: a context of `node:vm` has an Object.prototype of its own. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function notJson(what: string): FlowgateError {
  const fix = 'a session holds what JSON can hold; keep a date as text, and leave out what is undefined';
  return new FlowgateError('SESSION_INVALID', `the session has a value that is lost in JSON (${what}): ${fix}`);
}

function tooLarge(): FlowgateError {
  const fix = 'keep what is larger in a database, and its id in the session';
  return new FlowgateError('SESSION_TOO_LARGE', `a session may have ${MAX_SESSION_BYTES / 1024} KiB as JSON: ${fix}`);
}
