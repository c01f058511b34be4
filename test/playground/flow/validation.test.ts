import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/json.ts';
import { dateRulesOf, mayEnd } from '../../../src/playground/web/flow/date-rules.ts';
import { addMonths, daysBetween, readDay, toTime, weekdayOf, weeksOf } from '../../../src/playground/web/flow/dates.ts';
import { errorOf, errorsOf } from '../../../src/playground/web/flow/validation.ts';

const files = (count: number) => Array.from({ length: count }, (_, index) => ({ media_id: String(index) }));

describe('a field', () => {
  test.each<[string, JsonObject, JsonValue | undefined, string | undefined]>([
    ['TextInput', { required: true }, '  ', 'Fill this in'],
    ['TextInput', {}, '', undefined],
    ['TextInput', {}, 'x'.repeat(80), undefined],
    ['TextInput', {}, 'x'.repeat(81), 'Enter at most 80 characters (81 now)'],
    ['TextInput', { 'max-chars': '3' }, 'four', 'Enter at most 3 characters (4 now)'],
    ['TextInput', { 'min-chars': 3 }, 'ab', 'Enter at least 3 characters'],
    ['TextInput', { 'input-type': 'number' }, '12.5', undefined],
    ['TextInput', { 'input-type': 'number' }, 'twelve', 'Enter a number'],
    ['TextInput', { 'input-type': 'email' }, 'ada@example.org', undefined],
    ['TextInput', { 'input-type': 'email' }, 'ada@example', 'Enter an e-mail address'],
    ['TextInput', { 'input-type': 'phone' }, '+44 (0)20 7946 0000', undefined],
    ['TextInput', { 'input-type': 'phone' }, 'call me', 'Enter a phone number'],
    ['TextInput', { 'input-type': 'passcode' }, '1234', undefined],
    ['TextInput', { 'input-type': 'passcode' }, '12a4', 'Enter digits alone'],
    ['TextInput', { pattern: '[A-Z]{3}' }, 'ABC', undefined],
    ['TextInput', { pattern: '[A-Z]{3}' }, 'ABCD', 'This is not in the form asked for'],
    ['TextInput', { pattern: '[' }, 'x', undefined],
    ['TextArea', {}, 'x'.repeat(601), 'Enter at most 600 characters (601 now)'],
    ['TextArea', { 'max-length': 601 }, 'x'.repeat(601), undefined],
    ['CheckboxGroup', { required: true }, [], 'Choose at least one'],
    ['CheckboxGroup', { 'min-selected-items': 2 }, ['a'], 'Choose at least 2'],
    ['CheckboxGroup', { 'max-selected-items': 1 }, ['a', 'b'], 'Choose at most 1'],
    ['ChipsSelector', { 'min-selected-items': 1 }, [], 'Choose at least one'],
    ['RadioButtonsGroup', { required: true }, undefined, 'Choose one'],
    ['Dropdown', { required: true }, 'a', undefined],
    ['OptIn', { required: true }, false, 'Tick this to go on'],
    ['OptIn', { required: true }, true, undefined],
    ['DatePicker', { required: true }, undefined, 'Choose a date'],
    ['DatePicker', { 'min-date': '2030-01-05' }, '2030-01-04', 'This date cannot be chosen'],
    ['DatePicker', { 'min-date': '2030-01-05' }, '2030-01-05', undefined],
    ['DatePicker', { 'max-date': '2030-01-05' }, '2030-01-06', 'This date cannot be chosen'],
    ['DatePicker', { 'unavailable-dates': ['2030-01-05'] }, '2030-01-05', 'This date cannot be chosen'],
    [
      'DatePicker',
      { 'min-date': String(Date.UTC(2030, 0, 5)) },
      String(Date.UTC(2030, 0, 4)),
      'This date cannot be chosen',
    ],
    ['CalendarPicker', { 'include-days': ['Mon'] }, '2030-01-07', undefined],
    ['CalendarPicker', { 'include-days': ['Mon'] }, '2030-01-08', 'This date cannot be chosen'],
    ['CalendarPicker', { mode: 'range' }, { 'start-date': '2030-01-07' }, 'Choose the last day'],
    ['CalendarPicker', { mode: 'range', required: { 'start-date': true } }, undefined, 'Choose a date'],
    [
      'CalendarPicker',
      { mode: 'range', 'min-days': 3 },
      { 'start-date': '2030-01-07', 'end-date': '2030-01-09' },
      'These dates cannot be chosen',
    ],
    [
      'CalendarPicker',
      { mode: 'range', 'min-days': 3 },
      { 'start-date': '2030-01-07', 'end-date': '2030-01-10' },
      undefined,
    ],
    [
      'CalendarPicker',
      { mode: 'range', 'max-days': 2 },
      { 'start-date': '2030-01-07', 'end-date': '2030-01-10' },
      'These dates cannot be chosen',
    ],
    ['PhotoPicker', { 'min-uploaded-photos': 1 }, undefined, 'Add a photo'],
    ['PhotoPicker', { 'min-uploaded-photos': 2 }, files(1), 'Add at least 2'],
    ['PhotoPicker', {}, files(31), 'Add at most 30'],
    ['DocumentPicker', { 'max-uploaded-documents': 1 }, files(2), 'Add at most 1'],
    ['DocumentPicker', {}, files(30), undefined],
  ])('%s %j with %j says %j', (type, props, value, error) => {
    expect(errorOf(type, props, value)).toBe(error);
  });

  test('that is not enabled, or not there, cannot be wrong', () => {
    const props = { name: 'a', required: true };
    const node = { key: '0', type: 'TextInput', component: { type: 'TextInput' }, missing: [], unknown: undefined };
    expect(errorsOf([{ ...node, props }], {})).toEqual({ a: 'Fill this in' });
    expect(errorsOf([{ ...node, props: { ...props, enabled: false } }], {})).toEqual({});
    expect(errorsOf([], {})).toEqual({});
  });
});

describe('days', () => {
  test('are those of the calendar', () => {
    expect(toTime('2030-02-29')).toBeUndefined();
    expect(toTime('2028-02-29')).toBe(Date.UTC(2028, 1, 29));
    expect(readDay(String(Date.UTC(2030, 0, 7, 15)))).toBe('2030-01-07');
    expect(readDay('soon')).toBeUndefined();
    expect(weekdayOf('2030-01-07')).toBe('Mon');
    expect(weekdayOf('2030-01-06')).toBe('Sun');
    expect(addMonths('2030-12', 1)).toBe('2031-01');
    expect(addMonths('2030-01', -1)).toBe('2029-12');
    expect(daysBetween('2030-03-30', '2030-04-01')).toBe(2);
  });

  test('of a month stand under their weekdays', () => {
    const weeks = weeksOf('2030-02');
    expect(weeks).toHaveLength(5);
    expect(weeks[0]).toEqual([undefined, undefined, undefined, undefined, '2030-02-01', '2030-02-02', '2030-02-03']);
    expect(weeks.flat().filter(Boolean)).toHaveLength(28);
    expect(weeks.at(-1)?.[3]).toBe('2030-02-28');
  });

  test('may not end a range before it begins', () => {
    expect(mayEnd('2030-01-07', '2030-01-06', dateRulesOf({}))).toBe(false);
    expect(mayEnd('2030-01-07', '2030-01-07', dateRulesOf({}))).toBe(true);
  });
});
