/** What the screens of a Flow JSON ask the endpoint, compared with the handlers there are. */
import { isObject, type JsonValue } from '../json.ts';
import type { FlowDefinition } from './flow-definition.ts';

export interface Unanswered {
  readonly screen: string;
  /** What it does that nothing answers. */
  readonly why: string;
  /** The call that is missing. */
  readonly call: string;
}

/** `on-click-action`, `on-select-action`, `on-unselect-action`. */
const ACTION = /^on-.+-action$/;

/**
 * The other way round needs no look: a handler for a screen that the Flow JSON does not have is refused when it is added.
 *
 * @returns nothing for a Flow whose JSON is not known.
 */
export function unansweredBy({ json, submitSteps, backSteps }: FlowDefinition): Unanswered[] {
  return (json?.screens ?? []).flatMap((screen) => {
    const found: Unanswered[] = [];
    const { id } = screen;
    const asks = asksEndpoint(screen as unknown as JsonValue);
    if (asks && !submitSteps.has(id)) {
      found.push({ screen: id, why: 'has a data_exchange action', call: `.on('${id}', handler)` });
    }
    if ('refresh_on_back' in screen && screen.refresh_on_back === true && !backSteps.has(id)) {
      found.push({ screen: id, why: 'has refresh_on_back', call: `.back('${id}', handler)` });
    }
    return found;
  });
}

/** Components may be anywhere in a screen, and so may the items of a list, each with an action of its own. */
function asksEndpoint(value: JsonValue | undefined): boolean {
  if (Array.isArray(value)) return value.some((item) => asksEndpoint(item as JsonValue));
  if (!isObject(value)) return false;
  return Object.entries(value).some(([key, inner]) => {
    if (ACTION.test(key) && isObject(inner) && inner['name'] === 'data_exchange') return true;
    return asksEndpoint(inner);
  });
}
