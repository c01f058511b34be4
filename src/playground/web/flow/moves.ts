/** The single moves that the phone's steps are made of. */
import type { JsonObject } from '../../../json.ts';
import type { FlowRequest, Frame, PhoneState, Step } from './phone-state.ts';
import { viewOf } from './view.ts';

export function still(state: PhoneState): Step {
  return { state, effects: [] };
}

/** A request from the screen that is shown. */
export function request(state: PhoneState, action: FlowRequest['action'], data: JsonObject): FlowRequest {
  const screen = state.frames.at(-1)?.screen;
  return {
    version: state.apiVersion,
    action,
    ...(screen !== undefined && { screen }),
    data,
    flow_token: state.token,
    ...(state.tokenSignature !== undefined && { flow_token_signature: state.tokenSignature }),
  };
}

export function send(state: PhoneState, sent: FlowRequest): Step {
  const id = state.nextId;
  const next = { ...state, nextId: id + 1, pending: { id, request: sent }, failure: undefined };
  return { state: next, effects: [{ type: 'send', id, request: sent }] };
}

/** The shown screen's data and values stay known to the screens after it. */
export function leave(state: PhoneState): PhoneState {
  const view = viewOf(state);
  if (!view) return state;
  const { frame, form } = view;
  return { ...state, snapshots: new Map([...state.snapshots, [frame.screen, { data: frame.data, form }]]) };
}

export function push(state: PhoneState, screen: string, data: JsonObject): PhoneState {
  const left = leave(state);
  const frame: Frame = { id: state.nextId, screen, data, touched: {}, edited: new Set(), isTried: false };
  return { ...left, frames: [...left.frames, frame], nextId: state.nextId + 1 };
}

/** The person sees the generic error; the endpoint is told why. */
export function refuse(state: PhoneState, failed: FlowRequest, error: string, reason: string): Step {
  const { version, action, screen, flow_token } = failed;
  const data = { error, error_message: reason };
  const notice: FlowRequest = { version, action, ...(screen !== undefined && { screen }), data, flow_token };
  const retried = failed.action === 'navigate' ? undefined : failed;
  return {
    state: { ...state, pending: undefined, failure: { request: retried, reason: `${error}: ${reason}` } },
    effects: state.flow.dataApiVersion === undefined && state.flow.isKnown ? [] : [{ type: 'notify', request: notice }],
  };
}
