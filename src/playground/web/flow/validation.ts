/** What a field says when it is not filled in as it should be, before anything is sent. */
import { isObject, type JsonObject, type JsonValue } from '../../../json.ts';
import { dateRulesOf, isSelectable, mayEnd, rangeOf } from './date-rules.ts';
import { readDay } from './dates.ts';
import { isTrue } from './evaluate.ts';
import { isField } from './form.ts';
import { DEFAULTS } from './limits.ts';
import { isEnabled, type Node } from './nodes.ts';

/** By field name; none for a screen that may be sent. A field that is not enabled cannot be wrong. */
export function errorsOf(nodes: readonly Node[], form: JsonObject): Record<string, string> {
  const errors: Record<string, string> = {};
  for (const { type, props } of nodes) {
    const { name } = props;
    if (!isField(type) || typeof name !== 'string' || !isEnabled(props)) continue;
    const error = errorOf(type, props, form[name]);
    if (error !== undefined) errors[name] ??= error;
  }
  return errors;
}

export function errorOf(type: string, props: JsonObject, value: JsonValue | undefined): string | undefined {
  if (isEmpty(value)) return isRequired(type, props) ? (REQUIRED[type] ?? 'Fill this in') : undefined;
  return CHECKS[type]?.(props, value);
}

const REQUIRED: Readonly<Record<string, string>> = {
  CheckboxGroup: 'Choose at least one',
  ChipsSelector: 'Choose at least one',
  RadioButtonsGroup: 'Choose one',
  Dropdown: 'Choose one',
  DatePicker: 'Choose a date',
  CalendarPicker: 'Choose a date',
  OptIn: 'Tick this to go on',
  PhotoPicker: 'Add a photo',
  DocumentPicker: 'Add a document',
};

function isEmpty(value: JsonValue | undefined): boolean {
  if (typeof value === 'string') return value.trim() === '';
  return value === undefined || value === null || value === false || (Array.isArray(value) && value.length === 0);
}

export function isRequired(type: string, props: JsonObject): boolean {
  const { required } = props;
  if (type === 'PhotoPicker' || type === 'DocumentPicker') return leastFiles(type, props) > 0;
  if (type === 'CheckboxGroup' || type === 'ChipsSelector')
    return isTrue(required) || count(props['min-selected-items'], 0) > 0;
  return isObject(required) ? Object.values(required).some(isTrue) : isTrue(required);
}

type Check = (props: JsonObject, value: JsonValue | undefined) => string | undefined;

const CHECKS: Readonly<Record<string, Check>> = {
  TextInput: (props, value) => textInputError(props, String(value)),
  TextArea: (props, value) => tooLong(String(value), count(props['max-length'], DEFAULTS.textAreaChars)),
  CheckboxGroup: selectionError,
  ChipsSelector: selectionError,
  DatePicker: (props, value) => dayError(props, readDay(value)),
  CalendarPicker: (props, value) =>
    props['mode'] === 'range' ? rangeError(props, value) : dayError(props, readDay(value)),
  PhotoPicker: (props, value) => filesError('PhotoPicker', props, value),
  DocumentPicker: (props, value) => filesError('DocumentPicker', props, value),
};

/** By input type. A number and a passcode are text on the wire all the same. */
const FORMATS: Readonly<Record<string, { readonly pattern: RegExp; readonly message: string }>> = {
  number: { pattern: /^-?\d+(?:[.,]\d+)?$/, message: 'Enter a number' },
  email: { pattern: /^[^\s@]+@[^\s@.]+(?:\.[^\s@.]+)+$/, message: 'Enter an e-mail address' },
  phone: { pattern: /^\+?[\d\s()./-]{4,24}$/, message: 'Enter a phone number' },
  passcode: { pattern: /^\d+$/, message: 'Enter digits alone' },
};

function textInputError(props: JsonObject, value: string): string | undefined {
  const least = count(props['min-chars'], 0);
  if (value.length < least) return `Enter at least ${least} characters`;
  const long = tooLong(value, count(props['max-chars'], DEFAULTS.textInputChars));
  if (long !== undefined) return long;
  const format = FORMATS[String(props['input-type'])];
  if (format && !format.pattern.test(value.trim())) return format.message;
  return matches(props['pattern'], value) ? undefined : 'This is not in the form asked for';
}

/** A pattern that is no regular expression is passed over, as it could never be met. */
function matches(pattern: JsonValue | undefined, value: string): boolean {
  if (typeof pattern !== 'string' || pattern === '') return true;
  try {
    return new RegExp(`^(?:${pattern})$`, 'u').test(value);
  } catch {
    return true;
  }
}

function tooLong(value: string, most: number): string | undefined {
  return value.length > most ? `Enter at most ${most} characters (${value.length} now)` : undefined;
}

function selectionError(props: JsonObject, value: JsonValue | undefined): string | undefined {
  const chosen = Array.isArray(value) ? value.length : 0;
  const least = count(props['min-selected-items'], 0);
  const most = count(props['max-selected-items'], Number.POSITIVE_INFINITY);
  if (chosen < least) return `Choose at least ${least}`;
  return chosen > most ? `Choose at most ${most}` : undefined;
}

function dayError(props: JsonObject, day: string | undefined): string | undefined {
  return day !== undefined && isSelectable(day, dateRulesOf(props)) ? undefined : 'This date cannot be chosen';
}

function rangeError(props: JsonObject, value: JsonValue | undefined): string | undefined {
  const { start, end } = rangeOf(value);
  const { required } = props;
  const needs = (key: string) => isObject(required) && isTrue(required[key]);
  if (start === undefined && needs('start-date')) return 'Choose the first day';
  if (end === undefined && (needs('end-date') || start !== undefined)) return 'Choose the last day';
  if (start === undefined || end === undefined) return undefined;
  const rules = dateRulesOf(props);
  return isSelectable(start, rules) && mayEnd(start, end, rules) ? undefined : 'These dates cannot be chosen';
}

function filesError(type: string, props: JsonObject, value: JsonValue | undefined): string | undefined {
  const files = Array.isArray(value) ? value.length : 0;
  const least = leastFiles(type, props);
  if (files < least) return `Add at least ${least}`;
  const most = count(props[type === 'PhotoPicker' ? 'max-uploaded-photos' : 'max-uploaded-documents'], DEFAULTS.files);
  return files > most ? `Add at most ${most}` : undefined;
}

function leastFiles(type: string, props: JsonObject): number {
  return count(props[type === 'PhotoPicker' ? 'min-uploaded-photos' : 'min-uploaded-documents'], 0);
}

/** Flow JSON has numbers as numbers, or as text where they are bound. */
export function count(value: JsonValue | undefined, fallback: number): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= 0 ? number : fallback;
}
