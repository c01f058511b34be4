/** What data can break in the components of one screen, compiled to a list of checks. */
import { isObject, type JsonObject } from '../../json.ts';
import { dataPathOf, isDynamic, type Read, reader, resolveStatic, toDataPath, UNKNOWN } from './bindings.ts';
import type { Catalogue } from './components.ts';
import { componentsOf, type Placed } from './layout.ts';
import type { ComponentKind } from './limits.ts';
import { idOf, type Rule } from './rules.ts';
import { compileShown, compileTest, type Test } from './shown.ts';
import type { PathPart, Walk } from './walk.ts';

export type DataCheck = (data: object, walk: Walk) => void;

/** One property of a component, or two of them against each other. */
type PropertyCheck = DataCheck;

/** @param warn hears of every component that is not known, and therefore not checked. */
export function compileScreen(layout: unknown, catalogue: Catalogue, warn: (message: string) => void): DataCheck {
  const checks = componentsOf(layout).flatMap((placed) => {
    const kind = catalogue.get(placed.type);
    if (kind) return compileComponent(placed, kind, warn) ?? [];
    warn(`${placed.type === '' ? 'a component without a type' : `the component ${placed.type}`} is not known`);
    return [];
  });
  return (data, walk) => {
    for (let i = 0; i < checks.length && !walk.isFull; i++) checks[i]?.(data, walk);
  };
}

function compileComponent(placed: Placed, kind: ComponentKind, warn: (message: string) => void): DataCheck | undefined {
  const { component, type } = placed;
  for (const property of Object.keys(component)) {
    if (!Object.hasOwn(kind.properties, property)) warn(`the property ${property} of ${type} is not known`);
  }
  const checks = [...propertyChecks(component, kind), ...initChecks(placed, kind)];
  if (checks.length === 0) return undefined;
  return whereShown(checks, compileShown(placed.conditions), compileTest(component['enabled']));
}

/** What is hidden is not checked; what may be hidden, or is off, need not be complete. */
function whereShown(checks: readonly PropertyCheck[], isShown: Test | undefined, isEnabled: Test): DataCheck {
  return (data, walk) => {
    const shown = isShown ? isShown(data) : true;
    if (shown === false) return;
    walk.isNeeded = shown === true && isEnabled(data) === true;
    for (const check of checks) check(data, walk);
  };
}

function propertyChecks(component: JsonObject, kind: ComponentKind): PropertyCheck[] {
  return Object.entries(component).flatMap(([name, template]) => {
    const rule = ruleOf(kind, name, component);
    const read = rule && reader(template);
    return read ? [ruleCheck(read, rule, template)] : [];
  });
}

/** A large label may be longer, by how much is not documented. */
export function ruleOf({ properties }: ComponentKind, name: string, component: JsonObject): Rule | undefined {
  if (name === 'label' && component['label-variant'] !== undefined) return undefined;
  return Object.hasOwn(properties, name) ? properties[name]?.rule : undefined;
}

function ruleCheck(read: Read, rule: Rule, template: unknown): PropertyCheck {
  const locate = (path: readonly PathPart[]) => toDataPath(template, path);
  return (data, walk) => {
    const value = read(data);
    if (value === undefined || value === null || value === UNKNOWN) return; // the data model tells
    walk.translate(locate);
    rule(value, walk);
  };
}

function initChecks({ component, form }: Placed, { init, properties }: ComponentKind): PropertyCheck[] {
  const template = initTemplate(component, form);
  if (!init || template === undefined) return [];
  const read = reader(template);
  const checks = read ? [ruleCheck(read, init, template)] : [];
  return 'data-source' in properties ? [...checks, ...optionChecks(template, component['data-source'])] : checks;
}

/** Its own, or the Form's for its name. */
export function initTemplate(component: JsonObject, form: JsonObject | undefined): unknown {
  if (component['init-value'] !== undefined) return component['init-value'];
  const { name } = component;
  const values = form?.['init-values'];
  if (typeof name !== 'string' || isDynamic(name)) return undefined;
  if (isObject(values)) return Object.hasOwn(values, name) ? values[name] : undefined;
  const path = dataPathOf(values);
  return path && /^[\w-]+$/.test(name) ? `\${data.${[...path, name].join('.')}}` : undefined;
}

/** An init-value must be one of the options, wherever data gives one of the two. */
function optionChecks(init: unknown, source: unknown): PropertyCheck[] {
  const [fromInit, fromSource] = [reader(init), reader(source)];
  if (!fromInit && !fromSource) return [];
  const readInit = fromInit ?? constant(init);
  const readSource = fromSource ?? constant(source);
  const template = fromInit ? init : source;
  const locate = (path: readonly PathPart[]) => toDataPath(template, fromInit ? path : []);
  return [
    (data, walk) => {
      if (!walk.isNeeded) return;
      walk.translate(locate);
      checkInit(readInit(data), readSource(data), walk);
    },
  ];
}

function constant(template: unknown): Read {
  const value = resolveStatic(template);
  return () => value;
}

/** An empty text picks nothing. */
export function checkInit(init: unknown, items: unknown, walk: Walk): void {
  if (!Array.isArray(items) || items.some((item) => typeof idOf(item) !== 'string')) return;
  const isOption = (id: unknown) => typeof id !== 'string' || id === '' || items.some((item) => idOf(item) === id);
  if (!Array.isArray(init)) {
    if (!isOption(init)) walk.report('init-value', 'must be the id of an option');
    return;
  }
  for (const [i, id] of init.entries()) {
    if (isOption(id) || walk.isFull) continue;
    walk.push(i);
    walk.report('init-value', 'must be the id of an option');
    walk.pop();
  }
}
