/**
 * The values of a screen's fields.
 *
 * What the person gave, else what the Flow gives, else what an empty field is: `""` for text, `[]` for several choices,
 * false for a tick, and nothing for one choice, a date or files. A choice that is no longer offered is no value.
 */
import { isObject, type JsonObject, type JsonValue } from '../../../json.ts';
import { resolve, type Scope } from './bindings.ts';
import { type Component, componentsOf } from './flow.ts';
import { idsOf } from './options.ts';

export type FormValues = Readonly<Record<string, JsonValue | undefined>>;

const EMPTY: Readonly<Record<string, JsonValue | undefined>> = {
  TextInput: '',
  TextArea: '',
  CheckboxGroup: [],
  ChipsSelector: [],
  RadioButtonsGroup: undefined,
  Dropdown: undefined,
  DatePicker: undefined,
  CalendarPicker: undefined,
  OptIn: false,
  PhotoPicker: undefined,
  DocumentPicker: undefined,
  NavigationList: undefined, // the item that was tapped
};

export function isField(type: string): boolean {
  return Object.hasOwn(EMPTY, type);
}

/** A field as the file has it, with what its Form gives it. */
export interface FieldSource {
  readonly name: string;
  readonly component: Component;
  readonly initValue: JsonValue | undefined;
}

/** Every field of the screen, shown or not: a branch that is hidden keeps what was typed into it. */
export function fieldSources(
  children: readonly Component[],
  initValues: JsonValue | undefined = undefined,
): FieldSource[] {
  return children.flatMap((component) => {
    const { name } = component;
    if (isField(component.type) && typeof name === 'string') {
      return [{ name, component, initValue: component['init-value'] ?? bindingOf(initValues, name) }];
    }
    return innerOf(component).flatMap((inner) => fieldSources(inner, component['init-values'] ?? initValues));
  });
}

/** `init-values` is an object of bindings, or itself bound to one. */
function bindingOf(initValues: JsonValue | undefined, name: string): JsonValue | undefined {
  if (isObject(initValues)) return Object.hasOwn(initValues, name) ? initValues[name] : undefined;
  const path = typeof initValues === 'string' ? /^\$\{([^{}]*)\}$/.exec(initValues)?.[1] : undefined;
  return path === undefined ? undefined : `\${${path}.${name}}`;
}

function innerOf(component: Component): readonly (readonly Component[])[] {
  const { cases } = component;
  const lists = [component['children'], component['then'], component['else']];
  return [...lists, ...(isObject(cases) ? Object.values(cases) : [])].map(componentsOf);
}

/** @param touched what the person gave. @param scope without a form: first values are not bound to one. */
export function formOf(sources: readonly FieldSource[], touched: FormValues, scope: Scope): JsonObject {
  const values: Record<string, JsonValue> = Object.create(null);
  for (const source of sources) {
    if (source.name in values) continue;
    const given = Object.hasOwn(touched, source.name) ? touched[source.name] : initialValue(source, scope);
    const value = stillOffered(source, given, scope);
    if (value !== undefined) values[source.name] = value;
  }
  return { ...values };
}

export function initialValue({ component, initValue }: FieldSource, scope: Scope): JsonValue | undefined {
  const value = initValue === undefined ? undefined : resolve(initValue, scope);
  return value === undefined || value === null ? EMPTY[component.type] : value;
}

function stillOffered({ component }: FieldSource, value: JsonValue | undefined, scope: Scope): JsonValue | undefined {
  const source = component['data-source'];
  if (source === undefined || value === undefined) return value;
  const ids = idsOf(resolve(source, scope));
  if (typeof value === 'string') return ids.has(value) ? value : undefined;
  return Array.isArray(value) ? value.filter((id) => typeof id === 'string' && ids.has(id)) : value;
}

export function sameValue(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
