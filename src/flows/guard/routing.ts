/**
 * Which screen an answer may show, by where the user is: what clients enforce as `invalid-screen-transition`.
 *
 * `SUCCESS` is in none of the sets: it ends the Flow from anywhere, and `c.complete` is the way to it.
 */
import type { FlowJson } from '../flow-json.ts';

export interface Routing {
  /** Where INIT may go: the screens without an inbound route. */
  readonly entries: ReadonlySet<string>;
  /** Where an answer to a submit or a BACK on each screen may go. */
  readonly from: ReadonlyMap<string, ReadonlySet<string>>;
}

/** The key of `allowedMoves` that stands for the opening of the Flow. */
export const INIT = 'INIT';

/**
 * From C an answer may show T along a route C -> T, against one, T = C, or the first screen.
 * A Flow without a routing model has no endpoint yet: it opens at its first screen, and every move is let through.
 *
 * @param ids of the screens, where they are known to be ids.
 */
export function routingOf(json: FlowJson, ids: readonly string[] = json.screens.map(({ id }) => id)): Routing {
  const routes: unknown = json?.routing_model;
  if (typeof routes !== 'object' || routes === null) {
    return { entries: new Set(ids.slice(0, 1)), from: new Map(ids.map((id) => [id, new Set(ids)])) };
  }
  const known = new Set(ids);
  const edges = Object.entries(routes)
    .flatMap(([from, targets]) => (Array.isArray(targets) ? targets.map((to) => ({ from, to: String(to) })) : []))
    .filter(({ from, to }) => known.has(from) && known.has(to) && from !== to);
  const inbound = new Set(edges.map(({ to }) => to));
  const outer = ids.filter((id) => !inbound.has(id));
  const entries = new Set(outer.length > 0 ? outer : ids); // a circle has no entry: nothing is known of its opening
  // "The first screen" is the first of the list, or the one that opens the Flow: published Flows have them the same.
  const first = [...ids.slice(0, 1), ...outer.slice(0, 1)];
  const from = new Map(ids.map((id) => [id, new Set([id, ...first])]));
  for (const { from: source, to } of edges) {
    from.get(source)?.add(to);
    from.get(to)?.add(source);
  }
  return { entries, from };
}

/** The same as one table, under `INIT` and each screen: for types and diagrams. */
export function allowedMoves(json: FlowJson): ReadonlyMap<string, ReadonlySet<string>> {
  const { entries, from } = routingOf(json);
  const ofScreenNamedInit = from.get(INIT) ?? [];
  return new Map([[INIT, new Set([...entries, ...ofScreenNamedInit])], ...[...from].filter(([id]) => id !== INIT)]);
}
