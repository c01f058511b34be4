/** The components of a screen, wherever they are in its layout, and what decides whether each is shown. */
import { isObject, type JsonObject } from '../../json.ts';

export interface Placed {
  readonly component: JsonObject;
  readonly type: string;
  /** The Form around it: gives its fields their first values. */
  readonly form: JsonObject | undefined;
  /** Every condition must hold for the component to be shown. */
  readonly conditions: readonly Condition[];
  /** How many If are around it. */
  readonly ifDepth: number;
  /** In a branch of an If or a Switch. */
  readonly isConditional: boolean;
}

export type Condition =
  /** Of an If, or a `visible`. */
  | { readonly test: unknown; readonly holds: boolean }
  /** Of a Switch; `default` when there are `others` only. */
  | { readonly value: unknown; readonly is: string | undefined; readonly others: readonly string[] };

/** More than any client shows: what comes after is not looked at. */
const MAX_PLACED = 2_000;
const MAX_DEPTH = 24;

type Place = Omit<Placed, 'component' | 'type'>;

/** @returns the components in the order of the layout, containers before what they hold. */
export function componentsOf(layout: unknown): readonly Placed[] {
  const placed: Placed[] = [];
  const place = { form: undefined, conditions: [], ifDepth: 0, isConditional: false };
  if (isObject(layout)) addAll(layout['children'], place, 0, placed);
  return placed;
}

function addAll(children: unknown, place: Place, depth: number, placed: Placed[]): void {
  if (!Array.isArray(children) || depth > MAX_DEPTH) return;
  for (const child of children) {
    if (isObject(child) && placed.length < MAX_PLACED) add(child, place, depth, placed);
  }
}

function add(component: JsonObject, outer: Place, depth: number, placed: Placed[]): void {
  const { type, visible } = component;
  const conditions = visible === undefined ? outer.conditions : [...outer.conditions, { test: visible, holds: true }];
  const place = { ...outer, conditions };
  const inner = (children: unknown, over: Partial<Place> = {}) =>
    addAll(children, { ...place, ...over }, depth + 1, placed);
  placed.push({ ...place, component, type: typeof type === 'string' ? type : '' });
  if (type === 'If') {
    const { condition: test } = component;
    const branch = { ifDepth: place.ifDepth + 1, isConditional: true };
    inner(component['then'], { ...branch, conditions: [...conditions, { test, holds: true }] });
    inner(component['else'], { ...branch, conditions: [...conditions, { test, holds: false }] });
  } else if (type === 'Switch') {
    const { value, cases } = component;
    const names = isObject(cases) ? Object.keys(cases) : [];
    for (const name of names) {
      const others = names.filter((other) => other !== name);
      const condition = { value, is: name === 'default' ? undefined : name, others };
      inner(isObject(cases) ? cases[name] : [], { isConditional: true, conditions: [...conditions, condition] });
    }
  } else inner(component['children'], type === 'Form' ? { form: component } : {});
}
