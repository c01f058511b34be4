/** `${data.x}` in the properties of components: where a value comes from. */
import { isObject } from '../../json.ts';
import type { PathPart } from './walk.ts';

/** A value that only a client knows: of a form, another screen, or an expression. Every rule lets it pass. */
export const UNKNOWN: unique symbol = Symbol('unknown');

export type Read = (data: object) => unknown;

/** Templates nest as the Flow JSON does; what is deeper than any component is not resolved. */
const MAX_DEPTH = 16;
const WHOLE_DATA = /^\$\{data\.([^{}$`[\]\s]+)\}$/;
const DATA_REFERENCE = /\$\{data\.([^{}$`[\]\s]+)\}/g;

/** `${data.slot.date}` is `['slot', 'date']`; undefined for whatever is not exactly one such reference. */
export function dataPathOf(template: unknown): readonly string[] | undefined {
  if (typeof template !== 'string' || !template.startsWith('${data.')) return undefined;
  return WHOLE_DATA.exec(template)?.[1]?.split('.');
}

/** Every `${data.x.y}` in a text, expressions included. */
export function dataReferencesIn(text: string): string[] {
  return [...text.matchAll(DATA_REFERENCE)].map(([, path = '']) => path);
}

/** True for what is replaced on the client. */
export function isDynamic(template: unknown): boolean {
  return typeof template === 'string' && (template.includes('${') || template.startsWith('`'));
}

/**
 * How to read a property that holds bindings.
 * @returns undefined where it holds none of data, so that no answer can break it.
 */
export function reader(template: unknown): Read | undefined {
  const path = dataPathOf(template);
  if (path) return pathReader(path);
  return holdsData(template, 0) ? (data) => resolve(template, data, 0) : undefined;
}

/** The property as far as the Flow JSON alone tells. */
export function resolveStatic(template: unknown): unknown {
  return resolve(template, undefined, 0);
}

/** From a path in a property to the path in the data that its value came from. */
export function toDataPath(template: unknown, path: readonly PathPart[]): readonly PathPart[] | undefined {
  let part = template;
  for (let i = 0; i <= path.length; i++) {
    const source = dataPathOf(part);
    if (source) return [...source, ...path.slice(i)];
    part = typeof part === 'object' && part !== null ? (part as Record<PathPart, unknown>)[path[i] ?? ''] : undefined;
  }
  return undefined;
}

function pathReader(path: readonly string[]): Read {
  const [first = '', second] = path;
  if (second === undefined) return (data) => ownValue(data, first);
  return (data) => readPath(path, data);
}

function readPath(path: readonly string[], data: object): unknown {
  let value: unknown = data;
  for (const key of path) {
    if (!isObject(value)) return undefined;
    value = ownValue(value, key);
  }
  return value;
}

export function ownValue(holder: object, key: string): unknown {
  return Object.hasOwn(holder, key) ? (holder as Record<string, unknown>)[key] : undefined;
}

function holdsData(template: unknown, depth: number): boolean {
  if (dataPathOf(template)) return true;
  if (typeof template !== 'object' || template === null || depth > MAX_DEPTH) return false;
  return Object.values(template).some((part) => holdsData(part, depth + 1));
}

function resolve(template: unknown, data: object | undefined, depth: number): unknown {
  if (isDynamic(template)) {
    const path = data && dataPathOf(template);
    return path ? (readPath(path, data) ?? UNKNOWN) : UNKNOWN; // what is missing is told by the data model
  }
  if (typeof template !== 'object' || template === null) return template;
  if (depth > MAX_DEPTH) return UNKNOWN;
  if (Array.isArray(template)) return template.map((part) => resolve(part, data, depth + 1));
  return Object.fromEntries(Object.entries(template).map(([key, part]) => [key, resolve(part, data, depth + 1)]));
}
