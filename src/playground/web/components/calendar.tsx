/** A month of days to choose from, by mouse, touch or arrow keys. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { DateRules } from '../flow/date-rules.ts';
import { addDays, addMonths, longDate, longMonth, monthOf, WEEKDAYS, weeksOf } from '../flow/dates.ts';

interface CalendarProps {
  readonly rules: DateRules;
  readonly from: string | undefined;
  readonly to: string | undefined;
  isEnabled(day: string): boolean;
  onChoose(day: string): void;
}

export function Calendar({ rules, from, to, isEnabled, onChoose }: CalendarProps) {
  const [focused, setFocused] = useState(() => within(from ?? today(), rules));
  const [hasMoved, setMoved] = useState(false);
  const grid = useRef<HTMLTableElement>(null);
  const month = monthOf(focused);
  useEffect(() => {
    if (hasMoved) grid.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
  }, [focused, hasMoved]);
  const goTo = (day: string, byKey: boolean) => {
    setMoved(byKey);
    setFocused(within(day, rules));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const days = KEYS[event.key];
    if (days === undefined) return;
    event.preventDefault();
    goTo(typeof days === 'number' ? addDays(focused, days) : sameDayOf(focused, days.months), true);
  };
  return (
    <div class="calendar">
      <div class="calendar-head">
        <MonthButton
          label="Earlier"
          text="‹"
          target={sameDayOf(focused, -1)}
          rules={rules}
          onGo={(day) => goTo(day, false)}
        />
        <select
          class="year"
          aria-label="Year"
          value={month.slice(0, 4)}
          onChange={(event) => goTo(`${event.currentTarget.value}${focused.slice(4)}`, false)}
        >
          {yearsOf(rules, focused).map((year) => (
            <option key={year} value={year}>
              {year}
            </option>
          ))}
        </select>
        <span class="calendar-month" aria-live="polite">
          {longMonth(month)}
        </span>
        <MonthButton
          label="Later"
          text="›"
          target={sameDayOf(focused, 1)}
          rules={rules}
          onGo={(day) => goTo(day, false)}
        />
      </div>
      <table ref={grid} onKeyDown={onKeyDown} aria-label={longMonth(month)}>
        <thead>
          <tr>
            {WEEKDAYS.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {weeksOf(month).map((week) => (
            <tr key={week.find(Boolean)}>
              {week.map((day, index) => (
                <td
                  key={day ?? index}
                  class={day !== undefined && from && to && day > from && day < to ? 'between' : ''}
                >
                  {day !== undefined && (
                    <button
                      type="button"
                      class="day"
                      aria-label={longDate(day)}
                      aria-pressed={day === from || day === to}
                      aria-disabled={!isEnabled(day)}
                      tabIndex={day === focused ? 0 : -1}
                      data-autofocus={day === focused ? true : undefined}
                      onClick={() => isEnabled(day) && onChoose(day)}
                      onFocus={() => setFocused(day)}
                    >
                      {Number(day.slice(8))}
                    </button>
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const KEYS: Readonly<Record<string, number | { readonly months: number }>> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  ArrowUp: -7,
  ArrowDown: 7,
  PageUp: { months: -1 },
  PageDown: { months: 1 },
};

interface MonthButtonProps {
  readonly label: string;
  readonly text: string;
  readonly target: string;
  readonly rules: DateRules;
  onGo(day: string): void;
}

function MonthButton({ label, text, target, rules, onGo }: MonthButtonProps) {
  const isOut = monthOf(target) < monthOf(rules.min) || monthOf(target) > monthOf(rules.max);
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={`${label} month`}
      disabled={isOut}
      onClick={() => onGo(target)}
    >
      {text}
    </button>
  );
}

function sameDayOf(day: string, months: number): string {
  const month = addMonths(monthOf(day), months);
  const last = addDays(`${addMonths(month, 1)}-01`, -1);
  const same = `${month}${day.slice(7)}`;
  return same > last ? last : same;
}

function within(day: string, { min, max }: DateRules): string {
  if (day < min) return min;
  return day > max ? max : day;
}

/** A hundred before and a hundred after are enough to choose from. */
function yearsOf({ min, max }: DateRules, focused: string): string[] {
  const now = Number(focused.slice(0, 4));
  const first = Math.max(Number(min.slice(0, 4)), now - 100);
  const last = Math.min(Number(max.slice(0, 4)), now + 100);
  return Array.from({ length: Math.max(1, last - first + 1) }, (_, index) => String(first + index));
}

function today(): string {
  const now = new Date();
  const two = (number: number) => String(number).padStart(2, '0');
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}
