/** Days as `YYYY-MM-DD`, in UTC throughout: a day of a form has no time zone. */

export const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;
const DAY_MS = 86_400_000;

/** @returns epoch ms of the day's midnight; undefined for what is no day of the calendar. */
export function toTime(day: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(day)) return undefined;
  const time = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(time) || toDay(time) !== day ? undefined : time;
}

export function toDay(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** Takes what Flow JSON before 5.0 has, too: epoch ms as text. */
export function readDay(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  if (toTime(value) !== undefined) return value;
  return /^-?\d{5,14}$/.test(value) ? toDay(Number(value)) : undefined;
}

export function addDays(day: string, days: number): string {
  return toDay((toTime(day) ?? 0) + days * DAY_MS);
}

/** From one day to the other: 0 for the same. */
export function daysBetween(from: string, to: string): number {
  return Math.round(((toTime(to) ?? 0) - (toTime(from) ?? 0)) / DAY_MS);
}

export function weekdayOf(day: string): (typeof WEEKDAYS)[number] {
  return WEEKDAYS[(new Date(toTime(day) ?? 0).getUTCDay() + 6) % 7] ?? 'Mon';
}

/** `2030-01` and the like. */
export function monthOf(day: string): string {
  return day.slice(0, 7);
}

export function addMonths(month: string, months: number): string {
  const [year = 1970, number = 1] = month.split('-').map(Number);
  return toDay(Date.UTC(year, number - 1 + months, 1)).slice(0, 7);
}

/** The days of a month in weeks from Monday on, with undefined before the first and after the last. */
export function weeksOf(month: string): (string | undefined)[][] {
  const first = `${month}-01`;
  const before = WEEKDAYS.indexOf(weekdayOf(first));
  const count = daysBetween(first, `${addMonths(month, 1)}-01`);
  const cells = Array.from({ length: Math.ceil((before + count) / 7) * 7 }, (_, index) =>
    index < before || index >= before + count ? undefined : addDays(first, index - before),
  );
  return Array.from({ length: cells.length / 7 }, (_, week) => cells.slice(week * 7, week * 7 + 7));
}

export function longDate(day: string): string {
  const time = toTime(day);
  return time === undefined ? day : new Date(time).toLocaleDateString('en-GB', { dateStyle: 'long', timeZone: 'UTC' });
}

export function longMonth(month: string): string {
  const options = { month: 'long', year: 'numeric', timeZone: 'UTC' } as const;
  return new Date(toTime(`${month}-01`) ?? 0).toLocaleDateString('en-GB', options);
}
