/** Why the real client would refuse to show a screen: the keys are those of its error notifications. */
import { compileModel } from '../../../flows/guard/model.ts';
import { type Violation, Walk } from '../../../flows/guard/walk.ts';
import type { JsonObject } from '../../../json.ts';
import { componentProblem } from './component-check.ts';
import type { Flow, Screen } from './flow.ts';
import type { FlowRequest, PhoneState } from './phone-state.ts';
import { viewOfFrame } from './view.ts';

export interface Refusal {
  readonly error: 'invalid-screen-transition' | 'payload-schema-error' | 'components-validation-error';
  readonly reason: string;
}

interface Move {
  readonly action: FlowRequest['action'];
  /** Undefined where the Flow is opened. */
  readonly from: string | undefined;
}

export function refusalOf(
  state: PhoneState,
  { screen: id, data }: { readonly screen: string; readonly data: JsonObject },
  move: Move,
): Refusal | undefined {
  if (!state.flow.isKnown) return undefined;
  const screen = state.flow.screens.get(id);
  const wrongMove = transitionProblem(state.flow, id, move);
  if (!screen || wrongMove !== undefined) {
    return { error: 'invalid-screen-transition', reason: wrongMove ?? `the Flow has no screen ${id}` };
  }
  const wrongData = schemaProblem(screen, data);
  if (wrongData !== undefined) return { error: 'payload-schema-error', reason: wrongData };
  const wrongComponent = componentsProblem(state, screen, data);
  return wrongComponent === undefined ? undefined : { error: 'components-validation-error', reason: wrongComponent };
}

function transitionProblem({ screens, routing }: Flow, id: string, { action, from }: Move): string | undefined {
  if (!screens.has(id)) return `the Flow has no screen ${id}`;
  if (!routing) return undefined;
  if (from === undefined || action === 'INIT') {
    return routing.entries.has(id) ? undefined : `${id} is no screen to open the Flow with`;
  }
  return routing.from.get(from)?.has(id) ? undefined : `the routing model has no way from ${from} to ${id}`;
}

/** Clients put up with keys that are missing or one too many, unless the screen declares no data at all. */
function schemaProblem({ id, model }: Screen, data: JsonObject): string | undefined {
  const [key] = Object.keys(data);
  if (!model) return key === undefined ? undefined : `${id} expects no dynamic data, and got "${key}"`;
  const walk = new Walk(id);
  compileModel(model)(data, walk);
  const wrong = walk.violations.find(({ rule }) => rule !== 'missing' && rule !== 'undeclared');
  return wrong && sentence(wrong);
}

function sentence({ screen, key, message }: Violation): string {
  return `${[screen, key].filter(Boolean).join('.')} ${message}`;
}

function componentsProblem(state: PhoneState, { id }: Screen, data: JsonObject): string | undefined {
  const frame = { id: 0, screen: id, data, touched: {}, edited: new Set<string>(), isTried: false };
  const { nodes } = viewOfFrame(frame, state);
  for (const node of nodes) {
    const problem = componentProblem(node, state.flow.version);
    if (problem !== undefined) return `${id}, ${node.type}: ${problem}`;
  }
  return undefined;
}
