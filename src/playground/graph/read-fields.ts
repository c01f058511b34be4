/** The fields of a message, each refused as Meta refuses it. */
import { isObject, type JsonObject, type JsonValue } from '../../json.ts';
import { invalid, missing } from './graph-refusal.ts';

/** @throws GraphRefusal. */
export function text(name: string, value: JsonValue | undefined, maxChars = Number.POSITIVE_INFINITY): string {
  if (value === undefined) throw missing(name);
  if (typeof value === 'string' && value !== '' && hasAtMost(maxChars, value)) return value;
  throw invalid(name, maxChars < Number.POSITIVE_INFINITY ? `a text of 1 to ${maxChars} characters` : 'a text');
}

/** @throws GraphRefusal. @returns undefined for what is not there. */
export function optionalText(name: string, value: JsonValue | undefined, maxChars?: number): string | undefined {
  return value === undefined ? undefined : text(name, value, maxChars);
}

/** @throws GraphRefusal. */
export function object(name: string, value: JsonValue | undefined): JsonObject {
  if (value === undefined) throw missing(name);
  if (isObject(value)) return value;
  throw invalid(name, 'an object');
}

/** @throws GraphRefusal. */
export function oneOf<T extends string>(name: string, value: JsonValue | undefined, known: readonly T[]): T {
  const found = known.find((word) => word === value);
  if (found !== undefined) return found;
  throw value === undefined ? missing(name) : invalid(name, known.join(' or '));
}

/** Data must be left out when it is empty. @throws GraphRefusal. */
export function optionalData(name: string, value: JsonValue | undefined): JsonObject | undefined {
  if (value === undefined) return undefined;
  if (isObject(value) && Object.keys(value).length > 0) return value;
  throw invalid(name, 'an object that is not empty, or left out');
}

/** Characters as people count them. */
function hasAtMost(maxChars: number, value: string): boolean {
  return value.length <= maxChars || [...value].length <= maxChars;
}
