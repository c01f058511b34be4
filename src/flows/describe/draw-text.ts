/** The routes of a Flow as text: a line a path, and indented lines where it forks. */
import type { OutlinedScreen } from './outline.ts';
import { printable } from './printable.ts';

/**
 * ```
 * APPOINTMENT* -> DETAILS*
 *   -> DELIVERY* -> SUMMARY (end)
 *   -> PICKUP -> SUMMARY (end)
 * ```
 */
export function drawText(screens: readonly OutlinedScreen[]): string {
  const lines = new Drawing(screens).lines();
  if (screens.some(({ asksEndpoint }) => asksEndpoint)) lines.push('* asks the endpoint');
  return lines.join('\n');
}

class Drawing {
  readonly #screens: ReadonlyMap<string, OutlinedScreen>;
  readonly #drawn = new Set<string>();
  readonly #lines: string[] = [];

  constructor(screens: readonly OutlinedScreen[]) {
    this.#screens = new Map(screens.map((screen) => [screen.id, screen]));
  }

  /** Those that open the Flow come first; what none of them leads to begins a path of its own. */
  lines(): string[] {
    const screens = [...this.#screens.values()];
    for (const screen of screens.filter(({ isEntry }) => isEntry)) this.#drawPath(screen, '', '');
    for (const screen of screens) if (!this.#drawn.has(screen.id)) this.#drawPath(screen, '', '');
    return this.#lines;
  }

  #drawPath(first: OutlinedScreen, indent: string, arrow: string): void {
    const labels: string[] = [];
    let screen: OutlinedScreen | undefined = first;
    let next: readonly OutlinedScreen[] = [];
    for (; screen; screen = next.length === 1 ? next[0] : undefined) {
      const isKnown = this.#drawn.has(screen.id);
      const targets = this.#targetsOf(screen);
      labels.push(isKnown && targets.length > 0 ? `${labelOf(screen)} (above)` : labelOf(screen));
      next = isKnown ? [] : targets;
      this.#drawn.add(screen.id);
    }
    this.#lines.push(indent + arrow + labels.join(' -> '));
    for (const target of next) this.#drawPath(target, `${indent}  `, '-> ');
  }

  #targetsOf({ next }: OutlinedScreen): OutlinedScreen[] {
    return next.flatMap((id) => this.#screens.get(id) ?? []);
  }
}

function labelOf({ id, asksEndpoint, isTerminal }: OutlinedScreen): string {
  return `${printable(id)}${asksEndpoint ? '*' : ''}${isTerminal ? ' (end)' : ''}`;
}
