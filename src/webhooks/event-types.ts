/** The names of events: a closed set, so that a handler for a name that does not exist does not compile, and labels stay few. */

const MESSAGE_TYPES = [
  'text',
  'image',
  'audio',
  'video',
  'document',
  'sticker',
  'location',
  'contacts',
  'reaction',
  'order',
  'button',
  'unsupported',
] as const;
const INTERACTIVE_TYPES = {
  button_reply: 'button_reply',
  list_reply: 'list_reply',
  nfm_reply: 'interactive.nfm_reply',
};
const STATUSES = ['sent', 'delivered', 'read', 'played', 'failed'] as const;
const FLOW_ALERTS = {
  FLOW_STATUS_CHANGE: 'status_change',
  CLIENT_ERROR_RATE: 'client_error_rate',
  ENDPOINT_ERROR_RATE: 'endpoint_error_rate',
  ENDPOINT_LATENCY: 'endpoint_latency',
  ENDPOINT_AVAILABILITY: 'endpoint_availability',
  FLOW_VERSION_EXPIRY_WARNING: 'version_expiry_warning',
} as const;

export type MediaType = 'image' | 'audio' | 'video' | 'document' | 'sticker';
export type MessageStatus = (typeof STATUSES)[number];
export type FlowAlert = keyof typeof FLOW_ALERTS;

export type MessageEventType =
  | `message.${(typeof MESSAGE_TYPES)[number] | 'button_reply' | 'list_reply' | 'interactive.nfm_reply'}`
  | 'system';
export type StatusEventType = `status.${MessageStatus}`;
export type FlowEventType = `flow.${(typeof FLOW_ALERTS)[FlowAlert]}`;
/** `error`: a problem of the account that concerns no message. `unknown`: signed by Meta, and of no kind known here. */
export type EventType = MessageEventType | StatusEventType | FlowEventType | 'error' | 'unknown';
/** A name, or all names that begin alike. */
export type EventPattern = EventType | 'message.*' | 'status.*' | 'flow.*';

const NAMES: ReadonlySet<string> = new Set<string>([
  ...MESSAGE_TYPES.map((type) => `message.${type}`),
  ...Object.values(INTERACTIVE_TYPES).map((type) => `message.${type}`),
  ...STATUSES.map((status) => `status.${status}`),
  ...Object.values(FLOW_ALERTS).map((alert) => `flow.${alert}`),
  'system',
  'error',
  'unknown',
]);

export function isEventPattern(name: string): name is EventPattern {
  return NAMES.has(name) || name === 'message.*' || name === 'status.*' || name === 'flow.*';
}

/** @param pattern a name, or one that ends in `.*`. */
export function matchesPattern(pattern: EventPattern, type: EventType): boolean {
  return pattern.endsWith('.*') ? type.startsWith(pattern.slice(0, -1)) : pattern === type;
}

/** @param type of a message. @param interactiveType of its `interactive` object, if it has one. */
export function messageEventType(type: unknown, interactiveType: unknown): EventType {
  if (type === 'system') return 'system';
  if (type === 'interactive') return named('message', lookUp(INTERACTIVE_TYPES, interactiveType));
  return named('message', oneOf(MESSAGE_TYPES, type));
}

export function statusEventType(status: unknown): EventType {
  return named('status', oneOf(STATUSES, status));
}

export function flowEventType(event: unknown): EventType {
  return named('flow', lookUp(FLOW_ALERTS, event));
}

function named(kind: string, name: string | undefined): EventType {
  return name === undefined ? 'unknown' : (`${kind}.${name}` as EventType);
}

function oneOf(names: readonly string[], value: unknown): string | undefined {
  return names.find((name) => name === value);
}

function lookUp(names: Readonly<Record<string, string>>, key: unknown): string | undefined {
  return typeof key === 'string' && Object.hasOwn(names, key) ? names[key] : undefined;
}
