/** What the offline check of a Flow JSON finds, and how bad it is. */

export interface FlowJsonProblem {
  /** For people: `screen DETAILS, Dropdown "time"`. */
  readonly where: string;
  readonly rule: string;
  /** Tells what is wrong and what would be right. */
  readonly message: string;
  /** An error is what Meta or a client would certainly refuse; a warning is the rest. */
  readonly severity: 'error' | 'warning';
}

/** Without these the guard cannot know the screens or the moves. No Flow that Meta published has one of them. */
const FATAL: ReadonlySet<string> = new Set([
  'not-an-object',
  'screens-missing',
  'screen-malformed',
  'screen-id-missing',
  'screen-id-doubled',
  'routing-malformed',
  'routing-unknown-screen',
]);

/** True for what must stop an app's start: every other problem is Meta's to judge. */
export function isFatal({ rule }: FlowJsonProblem): boolean {
  return FATAL.has(rule);
}

/** Collects problems; bounded, since a hostile file could hold millions. What is fatal is told in any case. */
export class Problems {
  readonly found: FlowJsonProblem[] = [];

  error(where: string, rule: string, message: string): void {
    this.#add({ where, rule, message, severity: 'error' });
  }

  warning(where: string, rule: string, message: string): void {
    this.#add({ where, rule, message, severity: 'warning' });
  }

  #add(problem: FlowJsonProblem): void {
    if (this.found.length < MAX_PROBLEMS) this.found.push(problem);
    else if (isFatal(problem)) this.found.splice(-1, 1, problem);
  }
}

export const MAX_PROBLEMS = 500;
