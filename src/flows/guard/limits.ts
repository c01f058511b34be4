/** What a property of a component takes, and the limits that changed from version to version. */
import { date, ofRange, type Rule, text } from './rules.ts';

export interface Property {
  /** Of a key bound to it; none where several fit, or clients differ. */
  readonly type?: 'string' | 'boolean' | 'array' | 'object';
  readonly rule?: Rule;
  /** Flow JSON version. */
  readonly since?: number;
}

export interface ComponentKind {
  /** Flow JSON version. */
  readonly since?: number;
  readonly properties: Readonly<Record<string, Property>>;
  /** Without them a client has nothing to show. */
  readonly needs?: readonly string[];
  /** How many of them a screen may have. */
  readonly perScreen?: number;
  /** Of `init-value`, and of the component's entry in a Form's `init-values`. */
  readonly init?: Rule;
}

export const flag: Property = { type: 'boolean' };
export const word: Property = { type: 'string' };
export const any: Property = {};
export const shown = { type: any, visible: flag };
/** Of what a user fills in. */
export const field = { ...shown, name: any, enabled: flag, required: flag };
export const selecting = { 'on-select-action': any, 'on-unselect-action': { since: 600 } };

/** The limits that changed from version to version, and the properties made of them. */
export class Limits {
  /** Since 6.0: a blank text is refused where a component needs some. */
  readonly isBlankRefused: boolean;
  readonly optionImageKb: number;
  /** A day, as a string. */
  readonly day: Rule;

  constructor(version: number) {
    this.isBlankRefused = version >= 600;
    this.optionImageKb = version >= 600 ? 100 : 300;
    this.day = date(version >= 500);
  }

  /** Text that a component cannot do without. */
  needed(max: number): Property & { readonly rule: Rule } {
    return { type: 'string', rule: text(max, this.isBlankRefused) };
  }

  upTo(max: number): Property {
    return { type: 'string', rule: text(max) };
  }

  /** One text, or one for each end of a range. */
  rangeUpTo(max: number): Property {
    return { rule: ofRange(text(max)) };
  }
}
