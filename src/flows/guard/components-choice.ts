/** Components that show a list of which a user picks. */
import { any, type ComponentKind, field, type Limits, type Property, selecting, shown, word } from './limits.ts';
import {
  anyText,
  booleanField,
  color,
  fieldRules,
  image,
  list,
  type OptionLimits,
  options,
  type Rule,
  stringField,
  text,
} from './rules.ts';

export function choiceKinds(limits: Limits): Readonly<Record<string, ComponentKind>> {
  const choice = (bounds: OptionLimits): Property => ({ type: 'array', rule: options(optionOf(limits), bounds) });
  const common = {
    ...field,
    ...selecting,
    'error-message': word,
    'media-size': { type: 'string', since: 500 },
  } as const;
  const group = { ...common, label: limits.needed(30), description: limits.upTo(300) };
  const several = { 'min-selected-items': any, 'max-selected-items': any, 'init-value': { type: 'array' } } as const;
  const needs = ['name', 'data-source'];
  return {
    CheckboxGroup: {
      properties: { ...group, ...several, 'data-source': choice({ min: 1, max: 20 }) },
      needs,
      init: ids,
    },
    RadioButtonsGroup: {
      properties: { ...group, 'init-value': word, 'data-source': choice({ min: 1, max: 20 }) },
      needs,
      init: stringField(anyText),
    },
    Dropdown: {
      properties: {
        ...common,
        label: limits.needed(20),
        'init-value': word,
        'data-source': choice({ min: 1, max: 200, maxWithImages: 100 }),
      },
      needs: [...needs, 'label'],
      init: stringField(anyText),
    },
    ChipsSelector: {
      since: 603,
      properties: { ...group, ...several, label: limits.needed(80), 'data-source': choice({ min: 2, max: 20 }) },
      needs,
      init: ids,
    },
    NavigationList: {
      since: 602,
      properties: {
        ...shown,
        name: any,
        label: word, // this and the description are cut where they are too long
        description: word,
        'media-size': word,
        'list-items': { type: 'array', rule: options(navigationItemOf(limits), { min: 1, max: 20 }) },
        'on-click-action': any,
      },
      needs: ['name', 'list-items'],
      perScreen: 2,
    },
  };
}

function optionOf({ isBlankRefused, optionImageKb }: Limits): Rule {
  const rules = {
    id: stringField(anyText),
    title: stringField(text(30, isBlankRefused)),
    description: stringField(text(300)),
    metadata: stringField(text(20)),
    enabled: booleanField,
    image: stringField(image({ maxKb: optionImageKb })),
    'alt-text': stringField(anyText),
    color: stringField(color),
  };
  return fieldRules(rules, { required: ['id', 'title'] });
}

function navigationItemOf({ isBlankRefused }: Limits): Rule {
  const main = {
    title: stringField(text(30, isBlankRefused)),
    description: stringField(text(20)),
    metadata: stringField(text(80)),
  };
  const short = stringField(text(10));
  const rules = {
    id: stringField(anyText),
    'main-content': fieldRules(main, { required: ['title'] }),
    start: fieldRules({ image: stringField(image({ maxKb: 100 })), 'alt-text': stringField(anyText) }),
    end: fieldRules({ title: short, description: short, metadata: short }),
    badge: stringField(text(15)),
    tags: list(stringField(text(15)), { max: 3 }),
  };
  return fieldRules(rules, { required: ['main-content'] });
}

const ids: Rule = (value, walk) => {
  if (Array.isArray(value)) idList(value, walk);
  else walk.report('type', 'must be an array of ids');
};
const idList = list(stringField(anyText), { max: Number.POSITIVE_INFINITY });
