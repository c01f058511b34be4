/**
 * What a screen shows: its components with their bindings resolved, in one list.
 *
 * `If` and `Switch` are replaced by the branch that holds, a `Form` by its fields, which take their first values and error
 * texts from it. Whatever is not visible is left out.
 */
import { isObject, type JsonObject } from '../../../json.ts';
import { isMet, resolve, resolveObject, type Scope } from './bindings.ts';
import { isTrue } from './evaluate.ts';
import { type Component, componentsOf } from './flow.ts';
import { whyUnknown } from './version.ts';

export interface Node {
  /** The same as long as the component stands at the same place of the file. */
  readonly key: string;
  readonly type: string;
  /** Resolved, but for the actions: those are resolved when they run. */
  readonly props: JsonObject;
  /** As the file has it. */
  readonly component: Component;
  /** Bindings without a value. */
  readonly missing: readonly string[];
  /** Why it is shown as a labelled box. */
  readonly unknown: string | undefined;
}

/** Deepest nesting of components that is followed; Meta allows an `If` in an `If` in an `If`. */
const MAX_DEPTH = 20;

interface Place {
  readonly version: number;
  readonly scope: Scope;
  readonly initValues: JsonObject;
  readonly errorMessages: JsonObject;
  readonly depth: number;
}

export function nodesOf(children: readonly Component[], version: number, scope: Scope): Node[] {
  return expandAll(children, '', { version, scope, initValues: {}, errorMessages: {}, depth: 0 });
}

function expandAll(children: readonly Component[], path: string, place: Place): Node[] {
  return children.flatMap((child, index) => expand(child, `${path}${index}`, place));
}

function expand(component: Component, key: string, place: Place): Node[] {
  if (place.depth > MAX_DEPTH) return [];
  const unknown = whyUnknown(component.type, place.version);
  if (unknown !== undefined) return [{ ...toNode(component, key, place), unknown }];
  const inner = { ...place, depth: place.depth + 1 };
  if (component.type === 'If') {
    const branch = isMet(component['condition'], place.scope) ? 'then' : 'else';
    return expandAll(componentsOf(component[branch]), `${key}.${branch}.`, inner);
  }
  if (component.type === 'Switch') {
    const chosen = chosenCase(component, place.scope);
    return chosen === undefined ? [] : expandAll(chosen.children, `${key}.${chosen.name}.`, inner);
  }
  const node = toNode(component, key, place);
  if (!isVisible(node.props)) return [];
  if (component.type !== 'Form') return [node];
  const { 'init-values': initValues, 'error-messages': errorMessages } = node.props;
  return expandAll(componentsOf(component['children']), `${key}.`, {
    ...inner,
    initValues: isObject(initValues) ? initValues : {},
    errorMessages: isObject(errorMessages) ? errorMessages : {},
  });
}

function chosenCase(
  { value, cases }: Component,
  scope: Scope,
): { name: string; children: readonly Component[] } | undefined {
  if (!isObject(cases) || value === undefined) return undefined;
  const wanted = String(resolve(value, scope) ?? '');
  const name = [wanted, 'default'].find((candidate) => Object.hasOwn(cases, candidate));
  return name === undefined ? undefined : { name, children: componentsOf(cases[name]) };
}

function toNode(component: Component, key: string, { scope, initValues, errorMessages }: Place): Node {
  const missing: string[] = [];
  const telling = { ...scope, onMissing: (binding: string) => missing.push(binding) };
  const entries = Object.entries(component).filter(([property]) => !APART.has(property));
  const props = {
    ...switchedOff(component),
    ...resolveObject(Object.fromEntries(entries.filter(([property]) => !MAY_LACK.has(property))), telling),
    ...resolveObject(Object.fromEntries(entries.filter(([property]) => MAY_LACK.has(property))), scope),
  };
  const name = typeof component['name'] === 'string' ? component['name'] : undefined;
  const fromForm = {
    ...(name !== undefined && Object.hasOwn(initValues, name) && { 'init-value': initValues[name] }),
    ...(name !== undefined && Object.hasOwn(errorMessages, name) && { 'error-message': errorMessages[name] }),
  } as JsonObject;
  return { key, type: component.type, props: { ...props, ...fromForm }, component, missing, unknown: undefined };
}

/** Bound to nothing, it is neither shown nor enabled. */
function switchedOff({ visible, enabled }: Component): JsonObject {
  return { ...(visible !== undefined && { visible: false }), ...(enabled !== undefined && { enabled: false }) };
}

/** Resolved when they run, or expanded on their own. */
const APART = new Set([
  'on-click-action',
  'on-select-action',
  'on-unselect-action',
  'children',
  'then',
  'else',
  'cases',
  'condition',
]);
/** Often bound to what is only there at times. */
const MAY_LACK = new Set(['init-value', 'init-values', 'error-message', 'error-messages', 'visible', 'enabled']);

function isVisible(props: JsonObject): boolean {
  return !('visible' in props) || isTrue(props['visible']);
}

/** Of a node and of an option: enabled unless it says otherwise. */
export function isEnabled(props: JsonObject): boolean {
  return !('enabled' in props) || isTrue(props['enabled']);
}
