/** The limits that a client holds a component to, once its bindings have their values. */
import { type Catalogue, catalogueOf } from '../../../flows/guard/components.ts';
import { checkInit, ruleOf } from '../../../flows/guard/screen-checks.ts';
import { NEWEST } from '../../../flows/guard/versions.ts';
import { Walk } from '../../../flows/guard/walk.ts';
import { isEnabled, type Node } from './nodes.ts';

/** @returns the first thing that is wrong: `data-source[3].title must have at most 30 characters, has 41`. */
export function componentProblem({ type, props, component }: Node, version: number): string | undefined {
  const kind = catalogueFor(version).get(type);
  if (!kind) return undefined;
  const walk = new Walk(type);
  walk.isNeeded = isEnabled(props); // what is switched off gets by with less: a list that is yet to be filled
  for (const [name, value] of Object.entries(props)) {
    const rule = name === 'init-value' ? kind.init : ruleOf(kind, name, component);
    walk.push(name);
    rule?.(value, walk);
    walk.pop();
  }
  walk.push('init-value');
  if (props['init-value'] !== undefined) checkInit(props['init-value'], props['data-source'], walk);
  const [problem] = walk.violations;
  return problem && `${problem.key} ${problem.message}`;
}

const CATALOGUES = new Map<number, Catalogue>();

/** A Flow that says no version, or one to come, is held to the newest limits. */
function catalogueFor(version: number): Catalogue {
  const known = CATALOGUES.get(version) ?? catalogueOf(version || NEWEST);
  CATALOGUES.set(version, known);
  return known;
}
