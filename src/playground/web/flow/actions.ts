/** What the actions of Flow JSON do: `navigate`, `data_exchange`, `update_data`, `complete`, `open_url`. */
import { isObject, type JsonObject, type JsonValue, nonEmptyString } from '../../../json.ts';
import { refusalOf } from './answer-check.ts';
import { resolve, resolveObject } from './bindings.ts';
import { completionMedia } from './media.ts';
import { leave, push, refuse, request, send, still } from './moves.ts';
import type { Completion, PhoneState, Step } from './phone-state.ts';
import { viewOf } from './view.ts';

export function runAction(state: PhoneState, action: JsonValue | undefined): Step {
  if (!isObject(action)) return still(state);
  const payload = payloadOf(state, action);
  switch (action['name']) {
    case 'navigate':
      return navigate(state, action, payload);
    case 'data_exchange':
      return send(state, request(state, 'data_exchange', payload));
    case 'update_data':
      return still(updateData(state, payload));
    case 'complete':
      return complete(state, payload);
    case 'open_url':
      return still({ ...state, url: nonEmptyString(resolved(state, action['url'])) ?? 'no address' });
    default:
      return still({ ...state, snackbar: `The playground does not know the action "${String(action['name'])}".` });
  }
}

function payloadOf(state: PhoneState, { payload }: JsonObject): JsonObject {
  const scope = viewOf(state)?.scope;
  if (!isObject(payload)) return {};
  return scope ? resolveObject(payload, scope) : payload;
}

function resolved(state: PhoneState, value: JsonValue | undefined): JsonValue | undefined {
  const scope = viewOf(state)?.scope;
  return scope && value !== undefined ? resolve(value, scope) : value;
}

/** On the phone alone, under the same rules as an answer. */
function navigate(state: PhoneState, { next }: JsonObject, payload: JsonObject): Step {
  const screen = isObject(next) ? nonEmptyString(next['name']) : undefined;
  const from = state.frames.at(-1)?.screen;
  const refusal =
    screen === undefined
      ? { error: 'invalid-screen-transition', reason: 'the navigate action names no screen' }
      : refusalOf(state, { screen, data: payload }, { action: 'navigate', from });
  if (refusal) return refuse(state, request(state, 'navigate', payload), refusal.error, refusal.reason);
  return {
    state: push(state, screen ?? '', payload),
    effects: [{ type: 'moved', screen: screen ?? '', data: payload }],
  };
}

function updateData(state: PhoneState, payload: JsonObject): PhoneState {
  const frame = state.frames.at(-1);
  if (!frame) return state;
  return { ...state, frames: [...state.frames.slice(0, -1), { ...frame, data: { ...frame.data, ...payload } }] };
}

/** The endpoint is not asked: it learns of it by the webhook. */
function complete(state: PhoneState, payload: JsonObject): Step {
  const isSuccess = viewOf(state)?.screen?.success ?? true;
  const params = { ...completionMedia(payload, state.media), flow_token: state.token };
  return finish(state, { params, by: 'complete', isSuccess });
}

export function finish(state: PhoneState, completion: Completion): Step {
  const left = leave(state);
  return {
    state: { ...left, stage: 'done', frames: [], pending: undefined, failure: undefined, completion },
    effects: [{ type: 'completed', completion }],
  };
}
