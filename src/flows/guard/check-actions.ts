/** What components do: where `navigate` goes, who may `complete`, and what a payload may hold. */
import { isObject, type JsonObject } from '../../json.ts';
import { NESTED, stringsIn } from './check-bindings.ts';
import type { Problems } from './problems.ts';
import { formatVersion } from './versions.ts';

/** What a component's actions are checked against. */
export interface ActionContext {
  readonly screen: string;
  readonly isTerminal: boolean;
  readonly screens: ReadonlySet<string>;
  /** Where the routing model lets this screen go; undefined without one. */
  readonly routes: ReadonlySet<string> | undefined;
  readonly hasEndpoint: boolean;
  readonly version: number | undefined;
  /** Names of the screen's PhotoPicker and DocumentPicker. */
  readonly pickers: ReadonlySet<string>;
}

/** `on-click-action`, `on-select-action`, `on-unselect-action`. */
const ACTION = /^on-.+-action$/;
/** With the Flow JSON version they came with. */
const ACTIONS: ReadonlyMap<string, number> = new Map([
  ['navigate', 0],
  ['complete', 0],
  ['data_exchange', 0],
  ['update_data', 600],
  ['open_url', 600],
]);
const MAX_DEPTH = 12;

/** Looks at the component and at the items of its list, each of which may have an action of its own. */
export function checkActions(component: JsonObject, where: string, context: ActionContext, problems: Problems): void {
  for (const action of actionsOf(component, 0)) checkAction(action, where, context, problems);
}

function actionsOf(value: unknown, depth: number): JsonObject[] {
  if (depth > MAX_DEPTH) return [];
  if (Array.isArray(value)) return value.flatMap((item) => actionsOf(item, depth + 1));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (NESTED.has(key)) return [];
    return ACTION.test(key) && isObject(inner) ? [inner] : actionsOf(inner, depth + 1);
  });
}

function checkAction(action: JsonObject, where: string, context: ActionContext, problems: Problems): void {
  const { name } = action;
  const since = typeof name === 'string' ? ACTIONS.get(name) : undefined;
  if (since === undefined) {
    problems.warning(where, 'action-unknown', 'has an action whose name is not known');
    return;
  }
  if (context.version !== undefined && context.version < since) {
    problems.warning(where, 'action-version', `${name} came with Flow JSON ${formatVersion(since)}`);
  }
  if (name === 'navigate') checkNavigate(action, where, context, problems);
  if (name === 'complete' && !context.isTerminal) {
    problems.error(where, 'complete-not-terminal', `only a terminal screen may complete: give it "terminal": true`);
  }
  if (name === 'data_exchange' && !context.hasEndpoint) {
    problems.warning(where, 'endpoint-missing', 'data_exchange asks an endpoint: the Flow needs a "data_api_version"');
  }
  checkPickers(action, where, context, problems);
}

function checkNavigate({ next }: JsonObject, where: string, context: ActionContext, problems: Problems): void {
  const { name: target } = isObject(next) ? next : {};
  if (typeof target !== 'string') {
    problems.error(where, 'navigate-malformed', 'navigate needs "next": { "type": "screen", "name": "..." }');
  } else if (!context.screens.has(target)) {
    problems.error(where, 'navigate-unknown-screen', `navigates to ${target}, which is none of the screens`);
  } else if (context.routes && !context.routes.has(target) && target !== context.screen) {
    problems.warning(where, 'navigate-route', `navigates to ${target}, to which routing_model has no route`);
  }
}

/** Files only travel as a value of the payload itself, and never from screen to screen. */
function checkPickers(
  { name, payload }: JsonObject,
  where: string,
  { pickers }: ActionContext,
  problems: Problems,
): void {
  if (!isObject(payload)) return;
  for (const [key, value] of Object.entries(payload)) {
    const isDirect = typeof value === 'string';
    const picker = [...pickers].find((id) => stringsIn(value).some((text) => text.includes(`\${form.${id}}`)));
    if (picker === undefined || (isDirect && name !== 'navigate')) continue;
    const message = isDirect
      ? 'must not be sent with navigate'
      : `must be a value of the payload itself, not in "${key}"`;
    problems.error(where, 'picker-payload', `the files of "${picker}" ${message}`);
  }
}
