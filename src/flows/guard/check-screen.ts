/** One screen: its data model, its layout and every component in it. */
import { isObject, type JsonObject } from '../../json.ts';
import { type ActionContext, checkActions } from './check-actions.ts';
import { checkBindings, checkBoundTypes } from './check-bindings.ts';
import { checkComponent } from './check-component.ts';
import { checkCounts } from './check-counts.ts';
import { checkModel } from './check-model.ts';
import type { Catalogue } from './components.ts';
import { componentsOf, type Placed } from './layout.ts';
import type { Problems } from './problems.ts';
import { compileScreen } from './screen-checks.ts';
import { Walk } from './walk.ts';

/** What a screen is checked against. */
export interface FlowFacts {
  readonly screens: ReadonlySet<string>;
  readonly routes: ReadonlyMap<string, ReadonlySet<string>> | undefined;
  readonly hasEndpoint: boolean;
  /** As a number; the newest known for one that is not. */
  readonly version: number;
  readonly catalogue: Catalogue;
}

const SCREEN_KEYS: ReadonlySet<string> = new Set([
  ...['id', 'title', 'data', 'layout', 'terminal', 'success', 'refresh_on_back', 'sensitive'],
]);

export function checkScreen(screen: JsonObject & { readonly id: string }, facts: FlowFacts, problems: Problems): void {
  const { id, data, layout } = screen;
  const where = `screen ${id}`;
  for (const key of Object.keys(screen)) {
    if (!SCREEN_KEYS.has(key)) problems.warning(where, 'property-unknown', `"${key}" is not known: not checked`);
  }
  checkModel(data, where, problems);
  if (!isObject(layout) || !Array.isArray(layout['children'])) {
    problems.error(where, 'layout-malformed', 'must have a "layout" of type SingleColumnLayout, with "children"');
    return;
  }
  const placed = componentsOf(layout);
  checkTerminal(screen, placed, where, problems);
  checkCounts(placed, facts.catalogue, facts.version, where, problems);
  const model = isObject(data) ? data : {};
  const context = actionContext(screen, placed, facts);
  for (const [index, one] of placed.entries()) {
    const whereComponent = `${where}, ${nameOf(one, index)}`;
    checkComponent(one, facts.catalogue, facts.version, whereComponent, problems);
    checkBindings(one.component, model, whereComponent, problems);
    const kind = facts.catalogue.get(one.type);
    if (kind) checkBoundTypes(one.component, kind, model, whereComponent, problems);
    checkActions(one.component, whereComponent, context, problems);
  }
  checkExamples(layout, model, facts.catalogue, where, problems);
}

/** `Dropdown "time"`, or `component 3, a TextBody`. */
function nameOf({ component, type }: Placed, index: number): string {
  const { name } = component;
  if (typeof name === 'string') return `${type} "${name}"`;
  return `component ${index + 1}${type === '' ? '' : `, ${/^[AEIOU]/.test(type) ? 'an' : 'a'} ${type}`}`;
}

function checkTerminal({ terminal }: JsonObject, placed: readonly Placed[], where: string, problems: Problems): void {
  if (terminal !== true) return;
  if (!placed.some(({ type }) => type === 'Footer')) {
    problems.error(where, 'terminal-footer', 'is terminal, so it must have a Footer');
  }
  if (placed.some(({ type }) => type === 'NavigationList')) {
    problems.error(where, 'terminal-list', 'is terminal, so it must not have a NavigationList');
  }
}

function actionContext(
  { id, terminal }: JsonObject & { readonly id: string },
  placed: readonly Placed[],
  { screens, routes, hasEndpoint, version }: FlowFacts,
): ActionContext {
  const pickers = placed.filter(({ type }) => type === 'PhotoPicker' || type === 'DocumentPicker');
  const names = pickers.map(({ component }) => component['name']).filter((name) => typeof name === 'string');
  const isTerminal = terminal === true;
  const ownRoutes = routes && (routes.get(id) ?? new Set());
  return { screen: id, isTerminal, screens, routes: ownRoutes, hasEndpoint, version, pickers: new Set(names) };
}

/** The examples are the data that the Builder shows the screen with: what breaks a limit there breaks it on a phone. */
function checkExamples(
  layout: JsonObject,
  model: JsonObject,
  catalogue: Catalogue,
  where: string,
  problems: Problems,
): void {
  const walk = new Walk('');
  const examples = Object.entries(model).map(([key, schema]) => [
    key,
    isObject(schema) ? schema['__example__'] : undefined,
  ]);
  compileScreen(layout, catalogue, () => {})(Object.fromEntries(examples), walk);
  for (const { key, rule, message } of walk.violations) {
    problems.warning(where, `example-${rule}`, `the example of ${key} ${message}`);
  }
}
