/**
 * The limits of single component properties, as functions that check a value.
 *
 * A rule never judges the type of a property's own value, which is the data model's to check, only what is inside it. It
 * lets `UNKNOWN` pass. What a component lacks (a list without options, a blank text) counts only while `isNeeded`:
 * a hidden or disabled component gets by with less, and an app that fills a form step by step sends just that.
 * Sources: Meta, "Flow JSON components" and "Media upload".
 */
import { isObject } from '../../json.ts';
import { ownValue, UNKNOWN } from './bindings.ts';
import { type Check, typeName } from './model.ts';
import type { Walk } from './walk.ts';

export type Rule = Check;

/** Meta counts KB; the larger reading of it lets more pass. */
const KB = 1024;

/** @param isBlankRefused Flow JSON 6.0 and newer: where a component needs text, spaces are none. */
export function text(max: number, isBlankRefused = false): Rule {
  return (value, walk) => {
    if (typeof value !== 'string') return;
    if (value.length > max && lengthOf(value) > max) {
      walk.report('text-length', `must have at most ${max} characters, has ${lengthOf(value)}`);
    } else if (isBlankRefused && walk.isNeeded && !/\S/.test(value)) {
      walk.report('blank', 'must have text: since Flow JSON 6.0 clients refuse a blank one here');
    }
  };
}

/** Code points: fewer than JavaScript counts for emoji, so that no text is refused that a client would take. */
function lengthOf(value: string): number {
  let length = 0;
  for (let i = 0; i < value.length; length++) i += (value.codePointAt(i) ?? 0) > 0xffff ? 2 : 1;
  return length;
}

/** The same with one value for each end of a range: `{ "start-date": ..., "end-date": ... }`. */
export function ofRange(rule: Rule): Rule {
  const fields = fieldRules({ 'start-date': rule, 'end-date': rule });
  return (value, walk) => (isObject(value) ? fields(value, walk) : rule(value, walk));
}

const DAY = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;
const EPOCH_MS = /^-?\d{1,16}$/;

/** @param isDay `YYYY-MM-DD`, Flow JSON 5.0 and newer; before, milliseconds since 1970 in a string. */
export function date(isDay: boolean): Rule {
  const [format, wanted] = isDay
    ? [DAY, 'a day written YYYY-MM-DD']
    : [EPOCH_MS, 'milliseconds since 1970 in a string'];
  return (value, walk) => {
    if (typeof value === 'string' && value !== '' && !format.test(value)) walk.report('date', `must be ${wanted}`);
  };
}

export function list(item: Rule, { min = 0, max }: { readonly min?: number; readonly max: number }): Rule {
  return (value, walk) => {
    if (!Array.isArray(value)) return;
    checkCount(value.length, min, max, walk);
    eachItem(value, item, walk);
  };
}

function checkCount(count: number, min: number, max: number, walk: Walk): void {
  if (count > max) walk.report('list-size', `must have at most ${max} items, has ${count}`);
  else if (count < min && walk.isNeeded) {
    const why = 'while the component is shown and enabled';
    walk.report('list-size', `must have at least ${min} ${min === 1 ? 'item' : 'items'} ${why}, has ${count}`);
  }
}

function eachItem(items: readonly unknown[], rule: Rule, walk: Walk): void {
  for (let i = 0; i < items.length && !walk.isFull; i++) {
    walk.push(i);
    rule(items[i], walk);
    walk.pop();
  }
}

export interface OptionLimits {
  readonly min: number;
  readonly max: number;
  /** Where at least one option has an image. */
  readonly maxWithImages?: number;
}

/** Items with an `id` each, none twice. */
export function options(item: Rule, { min, max, maxWithImages = max }: OptionLimits): Rule {
  return (value, walk) => {
    if (!Array.isArray(value)) return;
    const isOverImages = value.length > maxWithImages && value.length <= max && value.some(hasImage);
    if (!isOverImages) checkCount(value.length, min, max, walk);
    else walk.report('list-size', `must have at most ${maxWithImages} items with images, has ${value.length}`);
    eachItem(value, item, walk);
    checkIds(value, walk);
  };
}

function hasImage(item: unknown): boolean {
  return isObject(item) && typeof ownValue(item, 'image') === 'string';
}

function checkIds(items: readonly unknown[], walk: Walk): void {
  const seen = new Set<unknown>();
  for (let i = 0; i < items.length && !walk.isFull; i++) {
    const id = idOf(items[i]);
    if (typeof id !== 'string') continue;
    if (seen.size === seen.add(id).size) reportTwin(i, walk);
  }
}

function reportTwin(index: number, walk: Walk): void {
  walk.push(index);
  walk.push('id');
  walk.report('unique-ids', 'an item before this one has the same id');
  walk.pop();
  walk.pop();
}

export function idOf(item: unknown): unknown {
  return isObject(item) ? ownValue(item, 'id') : undefined;
}

interface FieldOptions {
  readonly required?: readonly string[];
}

/** An object whose fields have rules; others are let pass. */
export function fieldRules(rules: Readonly<Record<string, Rule>>, { required = [] }: FieldOptions = {}): Rule {
  const entries = Object.entries(rules);
  return (value, walk) => {
    if (value === UNKNOWN) return;
    if (!isObject(value)) return walk.report('type', `must be an object, is ${typeName(value)}`);
    for (const key of required) {
      if (ownValue(value, key) !== undefined) continue;
      walk.push(key);
      walk.report('required', 'must be there');
      walk.pop();
    }
    for (const [key, rule] of entries) {
      const field = ownValue(value, key);
      if (field === undefined || field === UNKNOWN) continue;
      walk.push(key);
      rule(field, walk);
      walk.pop();
    }
  };
}

/** Inside an item, where the data model often says nothing of the type. */
export function stringField(rule: Rule): Rule {
  return (value, walk) => {
    if (typeof value === 'string') rule(value, walk);
    else walk.report('type', `must be a string, is ${typeName(value)}`);
  };
}

export const booleanField: Rule = (value, walk) => {
  if (typeof value !== 'boolean') walk.report('type', `must be a boolean, is ${typeName(value)}`);
};

export const anyText: Rule = () => {};

export const color: Rule = (value, walk) => {
  if (typeof value === 'string' && !/^#[\dA-Fa-f]{6}$/.test(value)) walk.report('color', 'must be written #RRGGBB');
};

interface ImageLimits {
  readonly maxKb?: number;
  /** JPEG and PNG, and nothing else. */
  readonly isPhoto?: boolean;
}

/** Bare base64. Looks at its first characters and its length only, so a megabyte costs what a kilobyte does. */
export function image({ maxKb = Number.POSITIVE_INFINITY, isPhoto = false }: ImageLimits): Rule {
  return (value, walk) => {
    if (typeof value !== 'string' || (value === '' && !walk.isNeeded)) return;
    if (value.startsWith('data:')) walk.report('image', 'must be bare base64, without the data: prefix');
    else if (/^[a-z]{2,10}:\/\//i.test(value)) walk.report('image', 'must be bare base64: clients load no URL');
    else if (isPhoto && !isJpegOrPng(value)) walk.report('image', 'must be the bare base64 of a JPEG or a PNG');
    else if (decodedBytes(value) > maxKb * KB) {
      const kb = Math.ceil(decodedBytes(value) / KB);
      walk.report('image-size', `must have at most ${maxKb} KB, has ${kb} KB`);
    }
  };
}

/** By the base64 of the first bytes: FF D8 FF, and 89 50 4E 47 0D 0A. */
function isJpegOrPng(base64: string): boolean {
  return base64.startsWith('/9j/') || base64.startsWith('iVBORw0K');
}

function decodedBytes(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : Number(base64.endsWith('='));
  return Math.floor((base64.length * 3) / 4) - padding;
}
