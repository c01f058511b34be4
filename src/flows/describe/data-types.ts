/** TypeScript for the data models of screens: what the reply guard takes compiles. */
import { isObject, type JsonObject, type JsonValue } from '../../json.ts';
import { TAKEN_BY_CLIENTS } from '../guard/model.ts';
import { propertyKey } from './literals.ts';

/** Deeper than this, a value is just one that JSON can hold. */
const MAX_DEPTH = 16;
/** What a list's items need where their model does not say: no component shows one without. */
const NEEDED_IN_ITEMS = ['id', 'title'];

export class DataTypes {
  /** True once a type named `ScreenValue`, which is to be imported. */
  needsScreenValue = false;

  /** A component that binds to a missing key shows an error: all are needed, but for those that clients take out. */
  ofScreen(model: JsonValue | undefined): string {
    if (!isObject(model) || Object.keys(model).length === 0) return 'Record<never, never>';
    const needed = Object.keys(model).filter((name) => !TAKEN_BY_CLIENTS.has(name));
    return this.#ofProperties(model, needed, 0);
  }

  #of(model: JsonValue | undefined, depth: number, needed: readonly string[] = []): string {
    if (!isObject(model) || depth > MAX_DEPTH) return this.#screenValue();
    const { type, items, properties } = model;
    if (type === 'string' || type === 'number' || type === 'boolean') return type;
    if (type === 'array') return listOf(this.#of(items, depth + 1, NEEDED_IN_ITEMS));
    if (type !== 'object') return this.#screenValue();
    if (!isObject(properties) || Object.keys(properties).length === 0) return `Record<string, ${this.#screenValue()}>`;
    return this.#ofProperties(properties, requiredOf(model) ?? needed, depth);
  }

  #ofProperties(properties: JsonObject, needed: readonly string[], depth: number): string {
    const names = new Set(needed);
    const lines = Object.entries(properties).map(([name, model]) => {
      return `${propertyKey(name)}${names.has(name) ? '' : '?'}: ${this.#of(model, depth + 1)};`;
    });
    return block(lines);
  }

  #screenValue(): string {
    this.needsScreenValue = true;
    return 'ScreenValue';
  }
}

/** An object type over several lines, which may be blocks themselves. */
export function block(members: readonly string[]): string {
  return `{\n${members.join('\n').replace(/^/gm, '  ')}\n}`;
}

function listOf(item: string): string {
  return item.startsWith('readonly ') ? `readonly (${item})[]` : `readonly ${item}[]`;
}

function requiredOf({ required }: JsonObject): readonly string[] | undefined {
  return Array.isArray(required) ? required.filter((name): name is string => typeof name === 'string') : undefined;
}
