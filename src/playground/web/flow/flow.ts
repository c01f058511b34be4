/**
 * A Flow JSON as the phone plays it.
 *
 * Reads anything: what is malformed is left out, since the server already says what is wrong and where.
 */
import { entryScreenOf, type FlowJson } from '../../../flows/flow-json.ts';
import { type Routing, routingOf } from '../../../flows/guard/routing.ts';
import { parseVersion } from '../../../flows/guard/versions.ts';
import { isObject, type JsonObject, type JsonValue, nonEmptyString } from '../../../json.ts';

export interface Component {
  readonly type: string;
  readonly [property: string]: JsonValue;
}

export interface Screen {
  readonly id: string;
  readonly title: string;
  readonly terminal: boolean;
  readonly success: boolean;
  readonly refreshOnBack: boolean;
  readonly sensitive: ReadonlySet<string>;
  /** What the screen declares; undefined when it declares nothing. */
  readonly model: JsonObject | undefined;
  readonly children: readonly Component[];
}

export interface Flow {
  readonly name: string;
  /** False for a Flow without Flow JSON: its screens are shown as the data they get. */
  readonly isKnown: boolean;
  /** As the file says it. */
  readonly versionText: string;
  /** `"7.3"` is 703; 0 when unknown. */
  readonly version: number;
  /** Undefined for a Flow without an endpoint: it opens at its entry screen, with no INIT. */
  readonly dataApiVersion: string | undefined;
  readonly screens: ReadonlyMap<string, Screen>;
  readonly entry: string | undefined;
  /** Undefined where there is no routing model: then any screen may follow any other. */
  readonly routing: Routing | undefined;
}

export function readFlow(name: string, json: unknown): Flow {
  const { version, data_api_version: dataApi, routing_model: routes, screens } = isObject(json) ? json : {};
  const read = (Array.isArray(screens) ? screens : []).filter(isObject).flatMap(readScreen);
  const sound = {
    version: '',
    screens: read,
    ...(isObject(routes) && { routing_model: readRoutes(routes) }),
  } as FlowJson;
  return {
    name,
    isKnown: isObject(json),
    versionText: nonEmptyString(version) ?? 'unknown',
    version: parseVersion(version) ?? 0,
    dataApiVersion: nonEmptyString(dataApi),
    screens: new Map(read.map((screen) => [screen.id, screen])),
    entry: entryScreenOf(sound) ?? read[0]?.id,
    routing: isObject(routes) ? routingOf(sound) : undefined,
  };
}

function readRoutes(routes: JsonObject): Record<string, string[]> {
  const read: Record<string, string[]> = Object.create(null);
  for (const [id, targets] of Object.entries(routes)) {
    read[id] = Array.isArray(targets) ? targets.filter((target) => typeof target === 'string') : [];
  }
  return read;
}

function readScreen(screen: JsonObject): Screen[] {
  const id = nonEmptyString(screen['id']);
  if (id === undefined) return [];
  const { layout, sensitive, data } = screen;
  return [
    {
      id,
      title: nonEmptyString(screen['title']) ?? id,
      terminal: screen['terminal'] === true,
      success: screen['success'] !== false,
      refreshOnBack: screen['refresh_on_back'] === true,
      sensitive: new Set(Array.isArray(sensitive) ? sensitive.filter((name) => typeof name === 'string') : []),
      model: isObject(data) && Object.keys(data).length > 0 ? data : undefined,
      children: isObject(layout) ? componentsOf(layout['children']) : [],
    },
  ];
}

/** A component without a type is one of type `?`: shown as a labelled box rather than lost. */
export function componentsOf(value: JsonValue | undefined): readonly Component[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isObject).map((child) => ({ ...child, type: nonEmptyString(child['type']) ?? '?' }));
}
