/** What a screen may have together: how many of each component, which of them alone, and names that are unique. */
import type { Catalogue } from './components.ts';
import { MAX_COMPONENTS, MAX_IF_DEPTH } from './components.ts';
import type { Placed } from './layout.ts';
import type { Problems } from './problems.ts';

/**
 * Components in the branches of an If or a Switch are not shown together, so only the others count for certain.
 *
 * @param version of the Flow JSON, as a number.
 */
export function checkCounts(
  placed: readonly Placed[],
  catalogue: Catalogue,
  version: number,
  where: string,
  problems: Problems,
): void {
  const certain = placed.filter(({ isConditional }) => !isConditional);
  checkTotal(placed.length, certain.length, where, problems);
  const counts = countByType(certain);
  for (const [type, count] of counts) {
    const most = catalogue.get(type)?.perScreen;
    if (most !== undefined && count > most) {
      problems.error(where, 'component-count', `has ${count} ${type}, at most ${most} are allowed`);
    }
  }
  if (counts.has('PhotoPicker') && counts.has('DocumentPicker')) {
    problems.error(where, 'picker-count', 'has a PhotoPicker and a DocumentPicker: only one of them is allowed');
  }
  checkAlone(placed, version, where, problems);
  checkNesting(placed, where, problems);
  checkNames(placed, where, problems);
}

function checkTotal(all: number, certain: number, where: string, problems: Problems): void {
  if (all <= MAX_COMPONENTS) return;
  const message = `has ${all} components, at most ${MAX_COMPONENTS} are allowed`;
  if (certain > MAX_COMPONENTS) problems.error(where, 'component-total', message);
  else problems.warning(where, 'component-total', `${message}, if those in branches count`);
}

function countByType(placed: readonly Placed[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { type } of placed) counts.set(type, (counts.get(type) ?? 0) + 1);
  return counts;
}

function checkAlone(placed: readonly Placed[], version: number, where: string, problems: Problems): void {
  const types = new Set(placed.map(({ type }) => type));
  const others = (...allowed: readonly string[]) => [...types].filter((type) => !allowed.includes(type));
  if (types.has('NavigationList') && others('NavigationList').length > 0) {
    problems.warning(where, 'component-alone', 'a NavigationList shares its screen with nothing but another one');
  }
  const besideRichText = version >= 603 ? ['RichText', 'Footer', 'Form'] : ['RichText', 'Form'];
  if (types.has('RichText') && others(...besideRichText).length > 0) {
    problems.warning(where, 'component-alone', 'a RichText shares its screen with nothing but, since 6.3, a Footer');
  }
}

function checkNesting(placed: readonly Placed[], where: string, problems: Problems): void {
  const deepest = Math.max(0, ...placed.map(({ type, ifDepth }) => ifDepth + Number(type === 'If')));
  if (deepest > MAX_IF_DEPTH) {
    problems.error(where, 'if-depth', `has ${deepest} If in each other, at most ${MAX_IF_DEPTH} are allowed`);
  }
}

/** Two branches may be meant to have the same field, so that is not certain to be refused. */
function checkNames(placed: readonly Placed[], where: string, problems: Problems): void {
  const seen = new Map<string, Placed>();
  for (const one of placed) {
    const { name } = one.component;
    if (typeof name !== 'string') continue;
    const other = seen.get(name);
    seen.set(name, one);
    if (!other) continue;
    const message = `has two components with the name "${name}"`;
    if (one.isConditional || other.isConditional) problems.warning(where, 'name-doubled', message);
    else problems.error(where, 'name-doubled', message);
  }
}
