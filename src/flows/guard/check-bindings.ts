/** Every `${data.x}` of a component names a key that its screen declares. */
import { isObject, type JsonObject } from '../../json.ts';
import { dataPathOf, dataReferencesIn, ownValue } from './bindings.ts';
import type { ComponentKind } from './limits.ts';
import { TAKEN_BY_CLIENTS } from './model.ts';
import type { Problems } from './problems.ts';

/** Keys under which a component holds other components, which are looked at on their own. */
export const NESTED: ReadonlySet<string> = new Set(['children', 'then', 'else', 'cases']);

/** @param model of the screen; an empty one where it declares no data. */
export function checkBindings(component: JsonObject, model: JsonObject, where: string, problems: Problems): void {
  const references = new Set(stringsIn(component).flatMap(dataReferencesIn));
  for (const reference of references) {
    const [key = '', ...rest] = reference.split('.');
    if (!Object.hasOwn(model, key)) {
      const hint = TAKEN_BY_CLIENTS.has(key) ? ', which clients take out before they bind data' : '';
      problems.error(where, 'binding-undeclared', `binds data.${reference}: the screen's data has no "${key}"${hint}`);
    } else if (!declares(model[key], rest)) {
      problems.warning(where, 'binding-undeclared', `binds data.${reference}, which "${key}" does not declare`);
    }
  }
}

/** A property that takes a boolean, a list or a text is bound to a key of that type. */
export function checkBoundTypes(
  component: JsonObject,
  { properties }: ComponentKind,
  model: JsonObject,
  where: string,
  problems: Problems,
): void {
  for (const [name, template] of Object.entries(component)) {
    const wanted = Object.hasOwn(properties, name) ? properties[name]?.type : undefined;
    const path = dataPathOf(template);
    if (!wanted || path?.length !== 1) continue;
    const schema = ownValue(model, path[0] ?? '');
    const type = isObject(schema) ? schema['type'] : undefined;
    if (typeof type === 'string' && type !== wanted) {
      problems.warning(
        where,
        'binding-type',
        `"${name}" takes a value of type ${wanted}, data.${path[0]} is a ${type}`,
      );
    }
  }
}

/** True also where the model does not say what an object holds. */
function declares(schema: unknown, path: readonly string[]): boolean {
  let inner = schema;
  for (const key of path) {
    const properties = isObject(inner) ? inner['properties'] : undefined;
    if (!isObject(properties)) return true;
    if (!Object.hasOwn(properties, key)) return false;
    inner = properties[key];
  }
  return true;
}

/** Of a component or a part of it, without those inside it. */
export function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (NESTED.has(key) ? [] : stringsIn(inner)));
}
