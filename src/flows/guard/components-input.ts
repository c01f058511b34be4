/** Components that a user fills in: texts, dates, consent, files. */
import { any, type ComponentKind, field, flag, type Limits, type Property, selecting, word } from './limits.ts';
import { anyText, booleanField, list, ofRange, stringField } from './rules.ts';

const largeLabel = { 'label-variant': { since: 700 } };

export function inputKinds(limits: Limits): Readonly<Record<string, ComponentKind>> {
  const input = {
    ...field,
    ...largeLabel,
    label: limits.needed(20),
    'helper-text': limits.upTo(80),
    'init-value': word,
  };
  const needs = ['name', 'label'];
  return {
    TextInput: {
      properties: {
        ...input,
        'input-type': word,
        pattern: { type: 'string', since: 602 },
        'min-chars': any,
        'max-chars': any,
        'error-message': limits.upTo(30),
      },
      needs,
      init: stringField(anyText),
    },
    TextArea: {
      properties: { ...input, 'max-length': any, 'error-message': word },
      needs,
      init: stringField(anyText),
    },
    OptIn: {
      properties: { ...field, ...selecting, label: limits.needed(120), 'init-value': flag, 'on-click-action': any },
      needs,
      perScreen: 5,
      init: booleanField,
    },
    DatePicker: datePicker(limits),
    CalendarPicker: calendarPicker(limits),
    PhotoPicker: upload(limits, { 'photo-source': word, 'min-uploaded-photos': any, 'max-uploaded-photos': any }),
    DocumentPicker: upload(limits, {
      'min-uploaded-documents': any,
      'max-uploaded-documents': any,
      'allowed-mime-types': { type: 'array' },
    }),
  };
}

function datePicker(limits: Limits): ComponentKind {
  return {
    properties: {
      ...field,
      ...bounds(limits),
      label: limits.needed(40),
      'helper-text': limits.upTo(80),
      'init-value': { type: 'string', rule: limits.day },
      'error-message': limits.upTo(80),
      'on-select-action': any,
    },
    needs: ['name', 'label'],
    init: stringField(limits.day),
  };
}

/** In its range mode most of its texts, and its value, are one for each end. */
function calendarPicker(limits: Limits): ComponentKind {
  return {
    since: 601,
    properties: {
      ...field,
      ...bounds(limits),
      required: any,
      mode: word,
      title: limits.upTo(80),
      description: limits.upTo(300),
      label: limits.rangeUpTo(40),
      'helper-text': limits.rangeUpTo(80),
      'include-days': { type: 'array' },
      'min-days': any,
      'max-days': any,
      'init-value': { rule: ofRange(limits.day) },
      'error-message': limits.rangeUpTo(80),
      'on-select-action': any,
    },
    needs: ['name', 'label'],
    init: ofRange(stringField(limits.day)),
  };
}

function bounds({ day }: Limits): Record<string, Property> {
  const days = list(stringField(day), { max: Number.POSITIVE_INFINITY });
  return {
    'min-date': { type: 'string', rule: day },
    'max-date': { type: 'string', rule: day },
    'unavailable-dates': { type: 'array', rule: days },
  };
}

function upload(limits: Limits, own: Record<string, Property>): ComponentKind {
  const texts = { label: limits.needed(80), description: limits.upTo(300), 'error-message': any };
  return {
    since: 400,
    properties: { ...field, ...texts, 'max-file-size-kb': any, ...own },
    needs: ['name', 'label'],
    perScreen: 1,
  };
}
