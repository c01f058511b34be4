/** Events as handlers see them: typed where Meta documents a shape, with all that Meta sent beside it. */
import type { JsonObject } from '../json.ts';
import type {
  EventPattern,
  FlowEventType,
  MediaType,
  MessageEventType,
  MessageStatus,
  StatusEventType,
} from './event-types.ts';

export interface EventBase {
  /** The same whenever and however often this event is delivered: what makes an effect idempotent. */
  readonly id: string;
  /** Epoch ms: when it came in. */
  readonly receivedAtMs: number;
  /** Epoch ms: when it happened, by Meta's clock, to the second. */
  readonly sentAtMs: number | undefined;
  /** The WhatsApp Business Account. */
  readonly businessAccountId: string | undefined;
  /** Whose `/webhook/<tenant>` it came to; undefined for `/webhook`. */
  readonly tenant: string | undefined;
  /** What Meta sent for this event; an empty object where it sent none. Fields appear in it without notice. */
  readonly raw: JsonObject;
}

export interface MessageBase extends EventBase {
  /** The message: `wamid...`. */
  readonly messageId: string | undefined;
  /** The sender's number, digits only; absent for users who hide it behind a username. */
  readonly from: string | undefined;
  /** The sender's id within this business: prefer it to `from` as the key of a user. */
  readonly userId: string | undefined;
  readonly profileName: string | undefined;
  /** The business number that was written to. */
  readonly phoneNumberId: string | undefined;
  /** The message this one answers. */
  readonly replyTo: string | undefined;
}

export interface TextMessage extends MessageBase {
  readonly type: 'message.text';
  readonly text: string;
}

export interface MediaMessage extends MessageBase {
  readonly type: `message.${MediaType}`;
  readonly media: {
    readonly id: string | undefined;
    readonly mimeType: string | undefined;
    readonly sha256: string | undefined;
    readonly caption: string | undefined;
    readonly filename: string | undefined;
  };
}

/** A button of an interactive message, or an entry of its list. */
export interface ChoiceMessage extends MessageBase {
  readonly type: 'message.button_reply' | 'message.list_reply';
  readonly choice: { readonly id: string; readonly title: string; readonly description: string | undefined };
}

/** A quick-reply button of a template. */
export interface ButtonMessage extends MessageBase {
  readonly type: 'message.button';
  readonly payload: string | undefined;
  readonly text: string | undefined;
}

/** A finished Flow. Handlers given to `flow.completed` come first. */
export interface CompletionMessage extends MessageBase {
  readonly type: 'message.interactive.nfm_reply';
  /** `flow`, or `address_message`. */
  readonly name: string | undefined;
  /** `response_json`, parsed; absent when it is no JSON object. */
  readonly response: JsonObject | undefined;
  /** From the response; `"unused"` when the sender set none. Not a proof of identity. */
  readonly flowToken: string | undefined;
}

export interface OtherMessage extends MessageBase {
  readonly type: Exclude<
    MessageEventType,
    (TextMessage | MediaMessage | ChoiceMessage | ButtonMessage | CompletionMessage)['type']
  >;
}

/** Statuses come repeated and out of order: `read` may come before `delivered`, or alone. */
export interface StatusEvent extends EventBase {
  readonly type: StatusEventType;
  readonly status: MessageStatus;
  /** The message whose status it is. */
  readonly messageId: string | undefined;
  readonly recipient: string | undefined;
  readonly recipientUserId: string | undefined;
  readonly phoneNumberId: string | undefined;
  /** Meta's error codes, for a message that failed. */
  readonly errorCodes: readonly number[];
}

/** Flow health as Meta sees it. */
export interface FlowAlertEvent extends EventBase {
  readonly type: FlowEventType;
  readonly flowId: string | undefined;
  /** Absent for status changes and expiry warnings. */
  readonly alertState: 'ACTIVATED' | 'DEACTIVATED' | undefined;
  readonly message: string | undefined;
  /** What the alert is about: the one of `p90_latency` (ms), `error_rate` (percent), `availability` (percent) it has. */
  readonly value: number | undefined;
  readonly threshold: number | undefined;
  readonly newStatus: string | undefined;
}

export interface ErrorEvent extends EventBase {
  readonly type: 'error';
  readonly errorCodes: readonly number[];
  readonly phoneNumberId: string | undefined;
}

export interface UnknownEvent extends EventBase {
  readonly type: 'unknown';
  /** The subscribed field, such as `account_update`, where there was one. */
  readonly field: string | undefined;
  /** The text, where it was not JSON. */
  readonly text: string | undefined;
}

export type WebhookEvent =
  | TextMessage
  | MediaMessage
  | ChoiceMessage
  | ButtonMessage
  | CompletionMessage
  | OtherMessage
  | StatusEvent
  | FlowAlertEvent
  | ErrorEvent
  | UnknownEvent;

/** The event that a handler for `P` is given. */
export type EventOf<P extends EventPattern> = P extends `${infer Prefix}.*`
  ? Extract<WebhookEvent, { type: `${Prefix}.${string}` }>
  : WebhookEvent extends infer E
    ? E extends { readonly type: infer T }
      ? P extends T
        ? E & { readonly type: P }
        : never
      : never
    : never;
