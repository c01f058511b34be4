/**
 * The phone: from a state and an event to the next state and what is to be done.
 *
 * Pure, so that every way through a Flow can be tested without a browser. While a request runs nothing that the person
 * does has an effect, but to close the Flow.
 */
import { isObject, type JsonObject } from '../../../json.ts';
import type { FlowStart } from '../../sent.ts';
import { runAction } from './actions.ts';
import { answered } from './answer.ts';
import { change } from './change.ts';
import { leave, request, send, still } from './moves.ts';
import type { FlowRequest, PhoneEvent, PhoneState, Step } from './phone-state.ts';
import { viewOf } from './view.ts';

export function step(state: PhoneState, event: PhoneEvent): Step {
  if (event.type === 'answered') return answered(state, event.id, event.outcome);
  if (event.type === 'close') return still(closed(state));
  return state.pending ? still(state) : act({ ...state, snackbar: undefined, url: undefined }, event);
}

function act(state: PhoneState, event: Exclude<PhoneEvent, { type: 'answered' | 'close' }>): Step {
  switch (event.type) {
    case 'open':
      return open(state, event.start);
    case 'change':
      return change(state, event);
    case 'press':
      return event.isFooter ? pressFooter(state, event.action) : runAction(state, event.action);
    case 'submit':
      return send(state, request(state, 'data_exchange', event.data));
    case 'uploaded':
      return still({ ...state, media: new Map([...state.media, [event.id, event.info]]) });
    case 'back':
      return back(state);
    case 'retry':
      return retry(state);
    case 'dismiss':
      return still(state);
  }
}

/**
 * @param start of a message that says where the Flow opens, and with what. A Flow without an endpoint opens by itself in
 *   any case, with the data that its message would bring.
 */
function open(state: PhoneState, start: FlowStart | undefined): Step {
  const fresh: PhoneState = { ...state, stage: 'open', frames: [], snapshots: new Map(), failure: undefined };
  const { flow } = state;
  const init = { version: state.apiVersion, action: 'INIT', flow_token: state.token } satisfies FlowRequest;
  if (!start && (flow.dataApiVersion !== undefined || !flow.isKnown)) return send(fresh, signed(state, init));
  const screen = start?.screen ?? flow.entry;
  if (screen === undefined)
    return still({ ...fresh, failure: { request: undefined, reason: 'The Flow has no screen.' } });
  const payload = start?.data ?? exampleData(state, screen);
  return runAction(fresh, { name: 'navigate', next: { type: 'screen', name: screen }, payload });
}

function signed(state: PhoneState, init: FlowRequest): FlowRequest {
  return state.tokenSignature === undefined ? init : { ...init, flow_token_signature: state.tokenSignature };
}

function exampleData({ flow }: PhoneState, screen: string): JsonObject {
  const model = flow.screens.get(screen)?.model ?? {};
  const examples = Object.entries(model).map(([key, schema]) => [
    key,
    isObject(schema) ? schema['__example__'] : undefined,
  ]);
  return Object.fromEntries(examples.filter(([, example]) => example !== undefined));
}

/** Nothing leaves a screen whose fields are not filled in. */
function pressFooter(state: PhoneState, action: Parameters<typeof runAction>[1]): Step {
  const view = viewOf(state);
  if (!view) return still(state);
  if (Object.keys(view.errors).length === 0) return runAction(state, action);
  const frames = [...state.frames.slice(0, -1), { ...view.frame, isTried: true }];
  return still({ ...state, frames });
}

/** The endpoint is asked where the screen says `refresh_on_back`; from the first screen the way back leads out. */
function back(state: PhoneState): Step {
  const view = viewOf(state);
  if (state.failure && view) return still({ ...state, failure: undefined });
  if (!view || state.frames.length < 2) return still(closed(state));
  const asks = view.screen?.refreshOnBack === true && state.flow.dataApiVersion !== undefined;
  if (asks) return send(state, request(state, 'BACK', {}));
  const left = leave(state);
  const frames = left.frames.slice(0, -1);
  const shown = frames.at(-1);
  const effects = shown ? [{ type: 'moved', screen: shown.screen, data: shown.data } as const] : [];
  return { state: { ...left, frames }, effects };
}

function retry(state: PhoneState): Step {
  const again = state.failure?.request;
  return again ? send(state, again) : still(state);
}

function closed(state: PhoneState): PhoneState {
  const stage = state.stage === 'open' ? 'closed' : state.stage;
  return { ...state, stage, frames: [], pending: undefined, failure: undefined, snackbar: undefined, url: undefined };
}
