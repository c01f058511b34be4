/**
 * Every component of Flow JSON up to 7.3: its properties, and the limits of those that data can fill.
 *
 * Sources: Meta, "Flow JSON components" and "Media upload". Captions are documented with 409 and, later, with 4096
 * characters: the guard lets 4096 pass.
 */
import { choiceKinds } from './components-choice.ts';
import { displayKinds } from './components-display.ts';
import { inputKinds } from './components-input.ts';
import { any, type ComponentKind, Limits, type Property, shown } from './limits.ts';

export type Catalogue = ReadonlyMap<string, ComponentKind>;

/** On one screen. */
export const MAX_COMPONENTS = 50;
export const MAX_IF_DEPTH = 3;

/** @param version of the Flow JSON, as a number. */
export function catalogueOf(version: number): Catalogue {
  const limits = new Limits(version);
  return new Map<string, ComponentKind>(
    Object.entries({ ...displayKinds(limits), ...inputKinds(limits), ...choiceKinds(limits), ...CONTAINERS }),
  );
}

const CONTAINERS: Readonly<Record<string, ComponentKind>> = {
  Form: {
    properties: {
      ...shown,
      name: any,
      children: any,
      'init-values': { type: 'object' },
      'error-messages': { type: 'object' },
    },
  },
  If: { since: 400, properties: { ...shown, ...anyOf('condition', 'then', 'else') }, needs: ['condition', 'then'] },
  Switch: { since: 400, properties: { ...shown, ...anyOf('value', 'cases') }, needs: ['value', 'cases'] },
};

function anyOf(...names: readonly string[]): Record<string, Property> {
  return Object.fromEntries(names.map((name) => [name, any]));
}
