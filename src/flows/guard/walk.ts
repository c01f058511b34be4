/** What the guard finds in an answer, and the walk through the answer that finds it. */

/** Closed, so that it can be the label of a metric. */
export const GUARD_RULES = [
  'screen', // not in the Flow JSON
  'entry', // INIT is answered with a screen that has an inbound route, or with another than it asked for
  'route', // no route between the two screens
  'missing', // a declared key is not there
  'undeclared', // a key that the screen does not declare
  'null', // null, or what becomes null in JSON
  'type', // not of the declared type
  'required', // a key that an object must have
  'list-size',
  'unique-items',
  'unique-ids',
  'text-length',
  'blank', // text where a component needs some
  'image', // not bare base64 of an allowed format
  'image-size',
  'color',
  'date',
  'init-value', // not among the options
  'size', // of the whole answer
] as const;

export type GuardRule = (typeof GUARD_RULES)[number];

export interface Violation {
  /** Where the answer goes; `?` for a name that is none. */
  readonly screen: string;
  /** `times[3].title`; empty for the answer as a whole. */
  readonly key: string;
  readonly rule: GuardRule;
  /** Tells the fix: limits, sizes and types, but nothing that the data holds. */
  readonly message: string;
}

export type PathPart = string | number;

export const MAX_VIOLATIONS = 20;
/** Deeper data is not looked into: no component takes it, and a cycle would never end. */
export const MAX_DEPTH = 64;

/** One look at one answer: knows where it is, and collects. The path costs nothing until something is reported. */
export class Walk {
  readonly violations: Violation[] = [];
  /** False where a component may be hidden or off: what it lacks is no violation then. */
  isNeeded = true;
  readonly #screen: string;
  readonly #path: PathPart[] = [];
  #toDataPath: ((path: readonly PathPart[]) => readonly PathPart[] | undefined) | undefined;

  constructor(screen: string) {
    this.#screen = screen;
  }

  get isFull(): boolean {
    return this.violations.length >= MAX_VIOLATIONS;
  }

  get isTooDeep(): boolean {
    return this.#path.length >= MAX_DEPTH;
  }

  push(part: PathPart): void {
    this.#path.push(part);
  }

  pop(): void {
    this.#path.pop();
  }

  /** @param toDataPath from a path in a component's property to one in the data; undefined for what is no data. */
  translate(toDataPath: (path: readonly PathPart[]) => readonly PathPart[] | undefined): void {
    this.#toDataPath = toDataPath;
  }

  /** One violation a key: what follows from it would only repeat it. */
  report(rule: GuardRule, message: string): void {
    const path = this.#toDataPath ? this.#toDataPath(this.#path) : this.#path;
    if (!path || this.isFull) return;
    const key = formatPath(path);
    if (this.violations.some((violation) => violation.key === key)) return;
    this.violations.push({ screen: this.#screen, key, rule, message });
  }
}

/** A part that is no plain name is left out: a handler may have made it from a user's data. */
export function formatPath(path: readonly PathPart[]): string {
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${safeName(part)}`))
    .join('');
}

export function safeName(name: string): string {
  return /^[\w-]{1,64}$/.test(name) ? name : '?';
}
