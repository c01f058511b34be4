/**
 * What the playground's page and its server say to each other: JSON under `/playground/api/` on the admin port.
 *
 * Types alone, read by both sides; those of `sent` are in `sent.ts`. The page seals and opens envelopes itself; the server signs what the page sealed, since
 * the app secret stays with it, brings it to the real endpoint, and tells what the endpoint did meanwhile.
 * Every POST carries `X-Playground: 1`, which no other page can send without a preflight that nothing here grants.
 */
import type { FlowJson } from '../flows/flow-json.ts';
import type { JsonObject, JsonValue } from '../json.ts';

/** GET `app`. */
export interface AppReport {
  /** Another one after every restart: the page loads the app anew. */
  readonly bootId: string;
  /** Where the Flows are served: `http://127.0.0.1:3000`. */
  readonly publicUrl: string;
  readonly flows: readonly FlowReport[];
  /** No token for the real Graph API is set: what handlers send is to be had from `sent`. */
  readonly sendsToPhone: boolean;
  /** The module could not be loaded, and nothing but this page is served until it is mended. */
  readonly failure?: AppFailure;
}

export interface AppFailure {
  readonly file: string;
  /** One sentence. */
  readonly message: string;
  /** With the stack, as a terminal shows it. */
  readonly details: string;
}

export interface FlowReport {
  readonly name: string;
  /** Absent for a Flow that was given none: then the page asks for screens and shows their data alone. */
  readonly json?: FlowJson;
  /** What is wrong with the Flow JSON, where it is, by people's words. */
  readonly problems: readonly FlowProblem[];
  /** A `.completed` handler waits for its webhook. */
  readonly hasCompleted: boolean;
}

export interface FlowProblem {
  readonly severity: 'error' | 'warning';
  readonly where: string;
  readonly rule: string;
  readonly message: string;
}

/** GET `public-key?flow=<name>`. `&retired` gives one whose private half the server does not hold: what a phone has after a rotation. */
export interface PublicKeyReport {
  /** SPKI. */
  readonly pem: string;
}

/** POST `exchange/<flow>`: the body is the envelope as text, which is signed and sent as it is. */
export interface ExchangeReport {
  /** Of the endpoint; 0 when it could not be reached. */
  readonly status: number;
  /** The sealed answer, as it came; empty where there was none. */
  readonly body: string;
  readonly contentType: string | null;
  /** From sending to the last byte, measured by the server. */
  readonly tookMs: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** In the order they began; what is not covered by one is HTTP and waiting for the event loop. */
  readonly stages: readonly StageTime[];
  /** How the endpoint names the end: `ok`, `expired`, or an error code in lower case. */
  readonly outcome?: string;
  /** The reply guard found the answer wrong. */
  readonly refusal?: Refusal;
  /** The handler threw: its message, which only development shows. */
  readonly thrown?: string;
}

export const STAGES = ['queue', 'rsa', 'handler', 'fallback', 'guard', 'seal'] as const;
export type Stage = (typeof STAGES)[number];

export interface StageTime {
  readonly stage: Stage;
  /** Since the request's head was read. */
  readonly startMs: number;
  readonly durationMs: number;
}

export interface Refusal {
  /** The answer that was not sent, or was sent though it is wrong. */
  readonly answer: JsonValue;
  readonly violations: readonly { screen: string; key: string; rule: string; message: string }[];
}

/** POST `token`: mints one. */
export interface TokenRequest {
  readonly flow: string;
  readonly user: string;
  readonly singleUse?: boolean;
}

export interface TokenReport {
  readonly token: string;
}

/** POST `token-signature`, `{ token }`: what a client adds to a request from Flow JSON 7.3 and data API 4.0 on. */
export interface TokenSignatureReport {
  /** `flow_token_signature`: a JWT, keyed with the app secret. */
  readonly signature: string;
}

/** POST `webhook`: what Meta would deliver, signed, to the real `/webhook`. */
export type WebhookRequest =
  | {
      readonly kind: 'completion';
      readonly flow: string;
      readonly token: string;
      readonly params: JsonObject;
      /** The wamid of the message that opened the Flow. */
      readonly replyTo?: string;
    }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'alert'; readonly alert: AlertName; readonly isActive: boolean };

export const ALERTS = [
  'client_error_rate',
  'endpoint_error_rate',
  'endpoint_latency',
  'endpoint_availability',
] as const;
export type AlertName = (typeof ALERTS)[number];

export interface WebhookReport {
  readonly status: number;
  readonly tookMs: number;
  /** The signed body, as Meta writes it. */
  readonly body: string;
  /** The wamid of the person's message; an alert is none. */
  readonly messageId?: string;
  /** Of the items that this delivery stored: ask `/inbox/items/<id>` for each. */
  readonly items: readonly string[];
}

/** GET `inbox`: the newest items of every state, and what each is doing. The rest is `/inbox` of the admin port. */
export interface InboxView {
  readonly items: readonly InboxItem[];
}

export interface InboxItem {
  readonly id: string;
  readonly kind: 'event' | 'job';
  readonly type: string;
  readonly state: 'waiting' | 'leased' | 'done' | 'dead';
  readonly attempts: number;
  /** Epoch ms. */
  readonly storedAtMs: number;
  readonly dueAtMs?: number;
  /** Why the last attempt failed. */
  readonly error?: string;
  /** For a job: the item whose handler left it. */
  readonly deferredBy?: string;
}

/** POST `media?name=<file name>`: the body is the file. Encrypted into the server's own CDN, as WhatsApp does it. */
export type MediaReport = JsonObject;

export interface ApiFailure {
  /** One sentence. */
  readonly error: string;
}
