/**
 * The offline check of a Flow JSON: what Meta, or a client, would refuse, before either sees it.
 *
 * Takes anything and throws nothing. It knows what is documented up to Flow JSON 7.3 (Meta, "Flow JSON", "Flow JSON
 * components", "Media upload"); what it does not know is a warning at most.
 */
import { isObject, type JsonObject } from '../../json.ts';
import { SUCCESS } from '../reply.ts';
import { checkRouting } from './check-routing.ts';
import { checkScreen } from './check-screen.ts';
import { catalogueOf } from './components.ts';
import { type FlowJsonProblem, Problems } from './problems.ts';
import { formatVersion, NEWEST, parseVersion } from './versions.ts';

export { type FlowJsonProblem, isFatal } from './problems.ts';

const FLOW = 'the Flow JSON';

/** @returns what is wrong, at most 500 findings; none for a Flow JSON that is fine. */
export function checkFlowJson(json: unknown): readonly FlowJsonProblem[] {
  const problems = new Problems();
  if (!isObject(json)) problems.error(FLOW, 'not-an-object', 'must be a JSON object with "version" and "screens"');
  else if (isDeeper(json, MAX_DEPTH)) problems.error(FLOW, 'too-deep', `nests deeper than ${MAX_DEPTH} levels`);
  else checkFlow(json, problems);
  return problems.found;
}

/** Every If in each other, with a list of lists of objects in the innermost, needs half of it. */
const MAX_DEPTH = 100;

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

function checkFlow(json: JsonObject, problems: Problems): void {
  const { screens, routing_model: routes } = json;
  if (!Array.isArray(screens) || screens.length === 0) {
    problems.error(FLOW, 'screens-missing', '"screens" must be a list with at least one screen');
    return;
  }
  const ids = checkIds(screens, problems);
  const known = screens.filter((screen): screen is KnownScreen => isObject(screen) && typeof screen['id'] === 'string');
  const terminals = new Set(known.filter(({ terminal }) => terminal === true).map(({ id }) => id));
  const version = checkVersion(json, problems);
  if (routes !== undefined) checkRouting(routes, ids, terminals, problems);
  else if (json['data_api_version'] !== undefined) {
    problems.error(FLOW, 'routing-missing', 'a Flow with a "data_api_version" must have a "routing_model"');
  }
  const facts = {
    screens: new Set(ids),
    routes: isObject(routes) ? routesOf(routes) : undefined,
    hasEndpoint: json['data_api_version'] !== undefined || json['data_channel_uri'] !== undefined,
    version,
    catalogue: catalogueOf(version),
  };
  for (const screen of known) checkScreen(screen, facts, problems);
}

type KnownScreen = JsonObject & { readonly id: string };

/** @returns the newest version for one that is not known: most of what holds there holds in it, too. */
function checkVersion({ version: given, data_api_version: api }: JsonObject, problems: Problems): number {
  const version = parseVersion(given);
  const newest = formatVersion(NEWEST);
  if (version === undefined) problems.error(FLOW, 'version', `"version" must be a text like "${newest}"`);
  else if (version > NEWEST)
    problems.warning(FLOW, 'version-newer', `its version is newer than ${newest}, the newest known`);
  if (api !== undefined && api !== '3.0' && api !== '4.0') {
    problems.warning(FLOW, 'data-api-version', '"data_api_version" is known as "3.0" and "4.0"');
  }
  return version === undefined || version > NEWEST ? NEWEST : version;
}

function routesOf(routes: JsonObject): ReadonlyMap<string, ReadonlySet<string>> {
  const lists = Object.entries(routes).map(([id, targets]) => [id, Array.isArray(targets) ? targets : []] as const);
  return new Map(lists.map(([id, targets]) => [id, new Set(targets.map(String))]));
}

function checkIds(screens: readonly unknown[], problems: Problems): string[] {
  const ids = new Set<string>();
  for (const [index, screen] of screens.entries()) {
    const where = `screens[${index}]`;
    if (!isObject(screen)) {
      problems.error(where, 'screen-malformed', 'must be an object');
      continue;
    }
    const { id } = screen;
    if (typeof id !== 'string' || id === '') problems.error(where, 'screen-id-missing', '"id" must be a name');
    else if (ids.has(id)) problems.error(where, 'screen-id-doubled', `another screen is called ${id}, too`);
    else {
      ids.add(id);
      checkId(id, problems);
    }
  }
  return [...ids];
}

function checkId(id: string, problems: Problems): void {
  if (id === SUCCESS) problems.error(`screen ${id}`, 'screen-id-reserved', `${SUCCESS} is reserved: it ends the Flow`);
  else if (/[^A-Za-z_\d-]/.test(id)) {
    problems.error(`screen ${id}`, 'screen-id', 'a screen id takes letters and underscores');
  } else if (/[\d-]/.test(id)) {
    problems.warning(
      `screen ${id}`,
      'screen-id',
      'a screen id takes letters and underscores, no digits and no hyphens',
    );
  }
}
