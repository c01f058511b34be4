/** Which days a DatePicker and a CalendarPicker let the person choose. */
import { isObject, type JsonObject, type JsonValue } from '../../../json.ts';
import { daysBetween, readDay, weekdayOf } from './dates.ts';

export interface DateRules {
  /** As in the real client, where the Flow sets none. */
  readonly min: string;
  readonly max: string;
  readonly unavailable: ReadonlySet<string>;
  /** `Mon` to `Sun`; undefined for every day of the week. */
  readonly weekdays: ReadonlySet<string> | undefined;
  /** Of a range, from its first day to its last. */
  readonly minDays: number;
  readonly maxDays: number;
}

export interface DateRange {
  readonly start: string | undefined;
  readonly end: string | undefined;
}

export function dateRulesOf(props: JsonObject): DateRules {
  const { 'include-days': days, 'min-days': minDays, 'max-days': maxDays } = props;
  return {
    min: readDay(props['min-date']) ?? '1900-01-01',
    max: readDay(props['max-date']) ?? '2100-12-31',
    unavailable: new Set(strings(props['unavailable-dates']).map((day) => readDay(day) ?? day)),
    weekdays: Array.isArray(days) && days.length > 0 ? new Set(strings(days)) : undefined,
    minDays: typeof minDays === 'number' ? minDays : 0,
    maxDays: typeof maxDays === 'number' ? maxDays : Number.POSITIVE_INFINITY,
  };
}

function strings(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

export function isSelectable(day: string, { min, max, unavailable, weekdays }: DateRules): boolean {
  return day >= min && day <= max && !unavailable.has(day) && (!weekdays || weekdays.has(weekdayOf(day)));
}

/** True for a day that may end the range begun with `start`. */
export function mayEnd(start: string, day: string, rules: DateRules): boolean {
  const days = daysBetween(start, day);
  return days >= Math.max(0, rules.minDays) && days <= rules.maxDays && isSelectable(day, rules);
}

export function rangeOf(value: JsonValue | undefined): DateRange {
  const { 'start-date': start, 'end-date': end } = isObject(value) ? value : {};
  return { start: readDay(start), end: readDay(end) };
}

/** @returns what the wire takes; undefined where neither day is chosen. */
export function rangeValue({ start, end }: DateRange): JsonObject | undefined {
  if (start === undefined && end === undefined) return undefined;
  return { ...(start !== undefined && { 'start-date': start }), ...(end !== undefined && { 'end-date': end }) };
}
