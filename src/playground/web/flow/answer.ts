/** What the phone makes of an answer, in the order of the real client: read it, check it, end or show. */

import { SUCCESS } from '../../../flows/reply.ts';
import { isObject, type JsonObject, type JsonValue, nonEmptyString } from '../../../json.ts';
import { finish } from './actions.ts';
import { refusalOf } from './answer-check.ts';
import { initialValue, sameValue } from './form.ts';
import { push, refuse, still } from './moves.ts';
import type { FlowRequest, Frame, Outcome, PhoneState, Step } from './phone-state.ts';
import { sourcesOf, viewOf } from './view.ts';

/** An answer to another request than the one waited for came too late, and has no effect. */
export function answered(state: PhoneState, id: number, outcome: Outcome): Step {
  const { pending } = state;
  if (pending?.id !== id) return still(state);
  const { request } = pending;
  switch (outcome.kind) {
    case 'expired':
      return still({ ...state, stage: 'expired', frames: [], pending: undefined, expiredText: outcome.text });
    case 'failed':
      return still({ ...state, pending: undefined, failure: { request, reason: outcome.reason } });
    case 'unreadable':
      return refuse(state, request, 'response-decryption-error', outcome.reason);
    case 'answer':
      return show(state, request, outcome.payload);
  }
}

function show(state: PhoneState, request: FlowRequest, payload: JsonValue): Step {
  const screen = isObject(payload) ? nonEmptyString(payload['screen']) : undefined;
  if (!isObject(payload) || screen === undefined) {
    return refuse(state, request, 'payload-schema-error', 'the answer names no screen');
  }
  const data = isObject(payload['data']) ? payload['data'] : {};
  if (screen === SUCCESS) return succeed(state, data);
  const { error_message: errorMessage, extension_message_response: _, ...bound } = data;
  const refusal = refusalOf(state, { screen, data: bound }, { action: request.action, from: request.screen });
  if (refusal) return refuse(state, request, refusal.error, refusal.reason);
  const shown = place(state, request, screen, bound);
  const snackbar = typeof errorMessage === 'string' ? errorMessage : undefined;
  return still({ ...shown, pending: undefined, snackbar });
}

/** Without params the Flow closes, and no message is sent. */
function succeed(state: PhoneState, data: JsonObject): Step {
  const { extension_message_response: response } = data;
  const params = isObject(response) && isObject(response['params']) ? response['params'] : undefined;
  const isSuccess = viewOf(state)?.screen?.success ?? true;
  return finish(state, { params, by: 'endpoint', isSuccess });
}

/** The same screen is refreshed, one on the way back is returned to, any other is opened. */
function place(state: PhoneState, request: FlowRequest, screen: string, data: JsonObject): PhoneState {
  const { frames } = state;
  const at = frames.findLastIndex((frame) => frame.screen === screen);
  const known = frames[at];
  if (known) {
    return { ...leaveAbove(state, at), frames: [...frames.slice(0, at), refreshed(known, data, state)] };
  }
  if (request.action !== 'BACK') return push(state, screen, data);
  const pushed = push(state, screen, data);
  return { ...pushed, frames: [...frames.slice(0, -1), ...pushed.frames.slice(-1)] };
}

function leaveAbove(state: PhoneState, at: number): PhoneState {
  if (at === state.frames.length - 1) return state;
  const view = viewOf(state);
  if (!view) return state;
  const { frame, form } = view;
  return { ...state, snapshots: new Map([...state.snapshots, [frame.screen, { data: frame.data, form }]]) };
}

/** What was typed stays, but where the answer brings another first value for the field. */
function refreshed(frame: Frame, data: JsonObject, { flow, snapshots }: PhoneState): Frame {
  const before = { data: frame.data, form: {}, screens: snapshots };
  const after = { ...before, data };
  const sources = sourcesOf(flow, frame.screen);
  const reset = sources.filter((source) => !sameValue(initialValue(source, before), initialValue(source, after)));
  const names = new Set(reset.map(({ name }) => name));
  const touched = Object.fromEntries(Object.entries(frame.touched).filter(([name]) => !names.has(name)));
  return { ...frame, data, touched, edited: new Set(), isTried: false };
}
