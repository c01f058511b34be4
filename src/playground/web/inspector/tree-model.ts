/** JSON as a tree that is opened branch by branch, so that a megabyte costs no more than what is seen of it. */
import type { JsonValue } from '../../../json.ts';

/** Shown at once; the rest by the hundred. */
export const PAGE_SIZE = 100;
/** Of a text; the rest on demand. */
export const MAX_TEXT_CHARS = 200;
/** Even on demand. */
export const MAX_FULL_TEXT_CHARS = 20_000;

export interface Branch {
  readonly key: string;
  readonly value: JsonValue;
  /** As violations name it: `times[3].title`. */
  readonly path: string;
}

export function isBranch(value: JsonValue): value is Exclude<JsonValue, string | number | boolean | null> {
  return typeof value === 'object' && value !== null;
}

export function sizeOf(value: JsonValue): number {
  if (Array.isArray(value)) return value.length;
  return isBranch(value) ? Object.keys(value).length : 0;
}

/** @returns the first `count` children. */
export function childrenOf(value: JsonValue, path: string, count: number): Branch[] {
  if (Array.isArray(value)) {
    return value.slice(0, count).map((item, index) => ({ key: String(index), value: item, path: `${path}[${index}]` }));
  }
  if (!isBranch(value)) return [];
  const keys = Object.keys(value).slice(0, count);
  const inner = value as { readonly [key: string]: JsonValue };
  return keys.map((key) => ({ key, value: inner[key] ?? null, path: path === '' ? key : `${path}.${key}` }));
}

/** `{…3}`, `[…40]`. */
export function preview(value: JsonValue): string {
  const size = sizeOf(value);
  const words = `${size} ${Array.isArray(value) ? (size === 1 ? 'item' : 'items') : size === 1 ? 'key' : 'keys'}`;
  return Array.isArray(value) ? `[ ${words} ]` : `{ ${words} }`;
}

/** Small ones are open from the start. */
export function isOpenAtFirst(value: JsonValue, depth: number): boolean {
  if (depth === 0) return true;
  return depth === 1 ? sizeOf(value) <= 40 : depth < 4 && sizeOf(value) <= 8;
}

/** True where the violation is at this path or somewhere below it. */
export function concerns(violation: string, path: string): boolean {
  return violation === path || violation.startsWith(`${path}.`) || violation.startsWith(`${path}[`);
}
