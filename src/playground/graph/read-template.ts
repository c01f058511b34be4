/** A template message: its words stand at Meta, so what is known is its name and what fills it. */
import { isObject, type JsonObject, type JsonValue } from '../../json.ts';
import type { FlowButton, SentTemplate, TemplatePart } from '../sent.ts';
import { type KnownFlows, readTemplateButton } from './flow-button.ts';
import { invalid } from './graph-refusal.ts';
import { object, text } from './read-fields.ts';

/** @throws GraphRefusal. */
export function readTemplate({ name, language, components = [] }: JsonObject, flows: KnownFlows): SentTemplate {
  const all = list('components', components).map((component) => object('a component', component));
  const buttons = all.filter(isFlowButton).map((component) => readButton(component, flows));
  const [button] = buttons;
  return {
    type: 'template',
    name: text('template.name', name),
    language: text('template.language.code', object('template.language', language)['code']),
    parts: all.filter((component) => !isFlowButton(component)).map(readPart),
    ...(button && { button }),
  };
}

function isFlowButton({ sub_type }: JsonObject): boolean {
  return typeof sub_type === 'string' && sub_type.toLowerCase() === 'flow';
}

function readButton({ type, index, parameters }: JsonObject, flows: KnownFlows): FlowButton {
  if (text('type', type).toLowerCase() !== 'button') throw invalid('type', 'button, for what has a sub_type');
  if (!/^\d$/.test(text('index', index))) throw invalid('index', '0 to 9, as text');
  const [parameter] = list('parameters', parameters);
  return readTemplateButton(object('action', object('a parameter', parameter)['action']), flows);
}

function readPart({ type, index, parameters = [] }: JsonObject): TemplatePart {
  const name = text('type', type).toLowerCase();
  const part = typeof index === 'string' || typeof index === 'number' ? `${name} ${index}` : name;
  return {
    part,
    values: list('parameters', parameters).map((parameter) => shownValue(object('a parameter', parameter))),
  };
}

/** What a reader would see of it, or what kind of thing it is. */
function shownValue(parameter: JsonObject): string {
  const type = text('the type of a parameter', parameter['type']);
  const value = parameter[type];
  if (typeof value === 'string') return value;
  const fallback = isObject(value) ? (value['fallback_value'] ?? value['filename'] ?? value['name']) : undefined;
  return typeof fallback === 'string' ? fallback : `[${type}]`;
}

function list(name: string, value: JsonValue | undefined): readonly JsonValue[] {
  if (Array.isArray(value)) return value;
  throw invalid(name, 'a list');
}
