/** What the phone remembers, and what can happen to it. Everything here is data: `phone.ts` computes, others act. */
import type { JsonObject, JsonValue } from '../../../json.ts';
import type { FlowStart } from '../../sent.ts';
import type { Flow } from './flow.ts';
import type { FormValues } from './form.ts';

/** A screen on the way: going back shows the one below. */
export interface Frame {
  /** Another one for every screen that is opened, so that the focus knows. */
  readonly id: number;
  readonly screen: string;
  readonly data: JsonObject;
  /** What the person gave. */
  readonly touched: FormValues;
  /** Fields changed since the last answer: what the server said of them no longer holds. */
  readonly edited: ReadonlySet<string>;
  /** The person has tried to go on: fields say what is wrong with them. */
  readonly isTried: boolean;
}

export interface FlowRequest {
  readonly version: string;
  readonly action: 'INIT' | 'data_exchange' | 'BACK' | 'navigate';
  readonly screen?: string;
  readonly data?: JsonObject;
  readonly flow_token: string;
  readonly flow_token_signature?: string;
}

/** Of the screens left behind, for `${screen.S.form.x}` and for the summary. */
export interface Snapshot {
  readonly data: JsonObject;
  readonly form: JsonObject;
}

export interface MediaInfo {
  readonly file_name: string;
  readonly mime_type: string;
  /** Base64. */
  readonly sha256: string;
}

export interface Completion {
  /** What the `nfm_reply` carries; undefined when the Flow closes without a message. */
  readonly params: JsonObject | undefined;
  readonly by: 'endpoint' | 'complete';
  /** `success` of the terminal screen. */
  readonly isSuccess: boolean;
}

export interface Failure {
  /** Sent again by Retry; undefined where there is nothing to send. */
  readonly request: FlowRequest | undefined;
  /** For the developer: the person only reads that something went wrong. */
  readonly reason: string;
}

export interface PhoneState {
  readonly flow: Flow;
  readonly apiVersion: string;
  readonly token: string;
  readonly tokenSignature: string | undefined;
  readonly stage: 'closed' | 'open' | 'done' | 'expired';
  /** The last one is shown. */
  readonly frames: readonly Frame[];
  readonly snapshots: ReadonlyMap<string, Snapshot>;
  /** By `media_id`, for the files' form in a completion. */
  readonly media: ReadonlyMap<string, MediaInfo>;
  readonly pending: { readonly id: number; readonly request: FlowRequest } | undefined;
  readonly failure: Failure | undefined;
  readonly snackbar: string | undefined;
  /** Shown, not followed. */
  readonly url: string | undefined;
  readonly completion: Completion | undefined;
  /** What a 427 said. */
  readonly expiredText: string | undefined;
  /** Of the next frame or request. */
  readonly nextId: number;
}

/** How a request ended. */
export type Outcome =
  | { readonly kind: 'answer'; readonly payload: JsonValue }
  | { readonly kind: 'unreadable'; readonly reason: string }
  | { readonly kind: 'expired'; readonly text: string }
  | { readonly kind: 'failed'; readonly reason: string };

export type PhoneEvent =
  | { readonly type: 'open'; readonly start?: FlowStart | undefined }
  | { readonly type: 'change'; readonly name: string; readonly value: JsonValue | undefined; readonly option?: string }
  | { readonly type: 'press'; readonly action: JsonValue | undefined; readonly isFooter?: boolean }
  | { readonly type: 'submit'; readonly data: JsonObject }
  | { readonly type: 'uploaded'; readonly id: string; readonly info: MediaInfo }
  | { readonly type: 'back' }
  | { readonly type: 'retry' }
  | { readonly type: 'close' }
  | { readonly type: 'dismiss' }
  | { readonly type: 'answered'; readonly id: number; readonly outcome: Outcome };

/** What the phone wants done. */
export type Effect =
  | { readonly type: 'send'; readonly id: number; readonly request: FlowRequest }
  /** An answer was of no use: sent, and not waited for. */
  | { readonly type: 'notify'; readonly request: FlowRequest }
  /** The phone changed its screen by itself. */
  | { readonly type: 'moved'; readonly screen: string; readonly data: JsonObject }
  | { readonly type: 'completed'; readonly completion: Completion };

export interface Step {
  readonly state: PhoneState;
  readonly effects: readonly Effect[];
}

export interface PhoneOptions {
  readonly token: string;
  readonly tokenSignature?: string | undefined;
  /** Of the data API: `"3.0"` or `"4.0"`. */
  readonly apiVersion: string;
}

export function closedPhone(flow: Flow, { token, tokenSignature, apiVersion }: PhoneOptions): PhoneState {
  return {
    flow,
    apiVersion,
    token,
    tokenSignature,
    stage: 'closed',
    frames: [],
    snapshots: new Map(),
    media: new Map(),
    pending: undefined,
    failure: undefined,
    snackbar: undefined,
    url: undefined,
    completion: undefined,
    expiredText: undefined,
    nextId: 1,
  };
}
