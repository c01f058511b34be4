/** The rules of `routing_model`: forward routes only, few of them, from an entry screen to a terminal one. */
import { isObject } from '../../json.ts';
import type { Problems } from './problems.ts';

/** Meta's bound on the routes out of one screen. */
export const MAX_ROUTES = 10;
const WHERE = 'routing_model';
/** Far beyond any Flow: a larger model is not searched for circles, which takes the square of its routes. */
const MAX_SEARCHED = 5_000;

type Routes = ReadonlyMap<string, ReadonlySet<string>>;

/** @param terminals ids of the screens that may end the Flow. */
export function checkRouting(
  model: unknown,
  ids: readonly string[],
  terminals: ReadonlySet<string>,
  problems: Problems,
): void {
  const routes = readRoutes(model, problems);
  if (!routes) return;
  const known = new Set(ids);
  for (const [id, targets] of routes) {
    if (!known.has(id)) problems.error(WHERE, 'routing-unknown-screen', `${id} is none of the screens`);
    checkTargets(id, targets, known, problems);
  }
  const inbound = new Set([...routes].flatMap(([id, targets]) => [...targets].filter((target) => target !== id)));
  checkComplete(routes, ids, inbound, problems);
  checkCircles(routes, problems);
  checkPaths(routes, ids, inbound, terminals, problems);
}

function readRoutes(model: unknown, problems: Problems): Routes | undefined {
  if (!isObject(model)) {
    problems.error(WHERE, 'routing-malformed', 'must be an object of screen names, each with a list of screen names');
    return undefined;
  }
  const routes = new Map<string, ReadonlySet<string>>();
  for (const [id, targets] of Object.entries(model)) {
    if (Array.isArray(targets) && targets.every((target) => typeof target === 'string')) {
      routes.set(id, new Set(targets));
      if (new Set(targets).size < targets.length) {
        problems.warning(WHERE, 'routing-doubled', `${id} names a screen twice`);
      }
    } else problems.error(WHERE, 'routing-malformed', `${id} must have a list of screen names`);
  }
  return routes;
}

function checkTargets(id: string, targets: ReadonlySet<string>, known: ReadonlySet<string>, problems: Problems): void {
  if (targets.size > MAX_ROUTES) {
    problems.error(WHERE, 'routing-too-many', `${id} has ${targets.size} routes, at most ${MAX_ROUTES} are allowed`);
  }
  for (const target of targets) {
    if (target === id) problems.error(WHERE, 'routing-self', `${id} has a route to itself, which is allowed anyway`);
    else if (!known.has(target)) {
      problems.error(WHERE, 'routing-unknown-screen', `${id} has a route to ${target}, which is none of the screens`);
    }
  }
}

/** Meta's own examples leave out the key of a screen that leads nowhere, and every key of a Flow of one screen. */
function checkComplete(routes: Routes, ids: readonly string[], inbound: ReadonlySet<string>, problems: Problems): void {
  for (const id of ids) {
    if (routes.has(id)) continue;
    const message = `${id} has no entry: add "${id}": []`;
    if (routes.size > 0 && !inbound.has(id)) problems.error(WHERE, 'routing-incomplete', message);
    else problems.warning(WHERE, 'routing-incomplete', message);
  }
}

/** Takes away screens that nothing leads to, and screens that lead nowhere, until only circles are left. */
function checkCircles(routes: Routes, problems: Problems): void {
  const edges = [...routes].flatMap(([from, targets]) => [...targets].map((to) => ({ from, to })));
  let circle = edges.length > MAX_SEARCHED ? [] : edges.filter(({ from, to }) => from !== to);
  for (let before = Number.POSITIVE_INFINITY; circle.length < before; ) {
    before = circle.length;
    const [sources, targets] = [new Set(circle.map(({ from }) => from)), new Set(circle.map(({ to }) => to))];
    circle = circle.filter(({ from, to }) => targets.has(from) && sources.has(to));
  }
  if (circle.length === 0) return;
  const names = [...new Set(circle.map(({ from }) => from))].join(', ');
  const message = `${names} lead back to each other: keep the routes forward, the way back is allowed anyway`;
  problems.error(WHERE, 'routing-back', message);
}

/** A path may go on after a terminal screen, as from a summary to its terms: it has passed one. */
function checkPaths(
  routes: Routes,
  ids: readonly string[],
  inbound: ReadonlySet<string>,
  terminals: ReadonlySet<string>,
  problems: Problems,
): void {
  const open = ids.filter((id) => !inbound.has(id));
  if (open.length === 0 && ids.length > 0) {
    problems.error(WHERE, 'routing-no-entry', 'every screen has a route to it: the Flow has no screen to open with');
  }
  const seen = new Set<string>();
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id) || terminals.has(id)) continue;
    seen.add(id);
    const targets = routes.get(id);
    if (targets?.size === 0) {
      const message = `a path ends at ${id} without a terminal screen: give ${id} "terminal": true, or a route onwards`;
      problems.error(WHERE, 'routing-dead-end', message);
    }
    for (const target of targets ?? []) open.push(target);
  }
}
