/** What the chat shows of a finished Flow: each field with its value, masked where its screen says `sensitive`. */
import { isObject, type JsonObject, type JsonValue, nonEmptyString } from '../../../json.ts';
import { resolve } from './bindings.ts';
import { rangeOf } from './date-rules.ts';
import { longDate, readDay } from './dates.ts';
import type { Component } from './flow.ts';
import { optionsOf } from './options.ts';
import type { PhoneState } from './phone-state.ts';
import { sourcesOf } from './view.ts';

export interface SummaryLine {
  readonly label: string;
  readonly value: string;
}

const MASK = '••••';
/** Never shown when sensitive, not even masked. */
const HIDDEN_WHEN_SENSITIVE = new Set(['PhotoPicker', 'DocumentPicker', 'password', 'passcode']);

export function summaryOf(state: PhoneState): SummaryLine[] {
  return [...state.snapshots].flatMap(([screen, { data, form }]) => {
    const sensitive = state.flow.screens.get(screen)?.sensitive ?? new Set();
    const scope = { data, form, screens: state.snapshots };
    return sourcesOf(state.flow, screen).flatMap(({ name, component }) => {
      const value = shownValue(component, form[name], (source) => resolve(source, scope));
      if (value === undefined || component.type === 'NavigationList') return [];
      const label = nonEmptyString(resolve(component['label'] ?? '', scope)) ?? name;
      if (!sensitive.has(name) || component.type === 'OptIn') return isSecret(component) ? [] : [{ label, value }];
      return isHidden(component) ? [] : [{ label, value: MASK }];
    });
  });
}

function isHidden(component: Component): boolean {
  return HIDDEN_WHEN_SENSITIVE.has(component.type) || isSecret(component);
}

/** What was typed unseen stays unseen. */
function isSecret(component: Component): boolean {
  return HIDDEN_WHEN_SENSITIVE.has(String(component['input-type']));
}

function shownValue(
  component: Component,
  value: JsonValue | undefined,
  resolved: (source: JsonValue) => JsonValue | undefined,
): string | undefined {
  if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) return undefined;
  if (component.type === 'OptIn') return value === true ? 'Yes' : undefined;
  const titles = new Map(optionsOf(resolved(component['data-source'] ?? [])).map(({ id, title }) => [id, title]));
  if (Array.isArray(value)) return value.map((item) => itemText(item, titles)).join(', ');
  if (isObject(value)) return rangeText(value);
  const day = component.type.endsWith('Picker') ? readDay(value) : undefined;
  return day === undefined ? itemText(value, titles) : longDate(day);
}

function itemText(item: JsonValue, titles: ReadonlyMap<string, string>): string {
  if (isObject(item)) return String(item['file_name'] ?? 'a file');
  return titles.get(String(item)) ?? String(item);
}

function rangeText(value: JsonObject): string {
  const { start, end } = rangeOf(value);
  return [start, end].map((day) => (day === undefined ? '' : longDate(day))).join(' – ');
}
