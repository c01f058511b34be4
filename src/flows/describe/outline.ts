/** What a diagram shows of a Flow JSON: its screens, and which may follow which. */
import type { FlowDefinition } from '../flow-definition.ts';
import type { FlowJson, FlowJsonScreen } from '../flow-json.ts';
import { allowedMoves, INIT } from '../guard/routing.ts';
import { unansweredBy } from '../unanswered.ts';

/** More would be no picture, and their moves could fill the memory. */
export const MAX_SCREENS = 1_000;

export interface OutlinedScreen {
  readonly id: string;
  readonly title: string | undefined;
  /** INIT may show it. */
  readonly isEntry: boolean;
  /** May end the Flow. */
  readonly isTerminal: boolean;
  /** By a data_exchange action, or on the way back. */
  readonly asksEndpoint: boolean;
  /** Where its routes lead, each once, in the order of the Flow JSON. */
  readonly next: readonly string[];
}

/** @param json without a fatal problem (`isFatal`), and of at most `MAX_SCREENS`. */
export function outlineOf(json: FlowJson): readonly OutlinedScreen[] {
  const entries = allowedMoves(json).get(INIT);
  const asking = new Set(screensThatAsk(json));
  return json.screens.map((screen) => {
    const { id } = screen;
    const next = [...new Set(json.routing_model?.[id])].filter((target) => target !== id);
    const isEntry = entries?.has(id) ?? false;
    return { id, ...titleAndEnd(screen), isEntry, asksEndpoint: asking.has(id), next };
  });
}

/** What a Flow without handlers leaves unanswered is whatever asks. */
function screensThatAsk(json: FlowJson): string[] {
  const flow = { json, submitSteps: new Map(), backSteps: new Map() } as unknown as FlowDefinition;
  return unansweredBy(flow).map(({ screen }) => screen);
}

function titleAndEnd(screen: FlowJsonScreen): Pick<OutlinedScreen, 'title' | 'isTerminal'> {
  const { title, terminal } = screen as { title?: unknown; terminal?: unknown };
  return { title: typeof title === 'string' && title !== '' ? title : undefined, isTerminal: terminal === true };
}
