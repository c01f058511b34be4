/**
 * Messages as the Graph API takes them.
 *
 * Pure. What Meta would refuse and a caller can know is a TypeError here; no message of one quotes what was to be sent.
 * Source: Meta, "Text messages", "Document messages", "Sending a Flow", "Business-scoped user IDs",
 * "Mark messages as read", "Typing indicators".
 */

/** A phone number, or the business-scoped id of a user who may have none to show. */
export type Recipient = { readonly to: string } | { readonly recipient: string };

/** The message that opens a Flow, as its reader sees it. */
export interface FlowCard {
  /** The button: Meta advises at most 30 characters and no emoji. */
  readonly cta: string;
  readonly body: string;
  readonly header?: string | undefined;
  readonly footer?: string | undefined;
  /** Opens here, without asking the endpoint. Left out, the endpoint's INIT answers what to open. */
  readonly screen?: string | undefined;
  /** What `screen` shows. */
  readonly data?: object | undefined;
  /** `published` by default. */
  readonly mode?: 'published' | 'draft' | undefined;
}

export interface FlowInvitation extends FlowCard {
  /** The Flow, by one of its id and its name. */
  readonly flowId?: string | undefined;
  readonly flowName?: string | undefined;
  /** Comes back with every request of this Flow, and with its completion. */
  readonly token: string;
}

export interface DocumentReference {
  readonly mediaId: string;
  readonly filename: string;
  readonly caption?: string | undefined;
}

const MAX_TEXT_CHARS = 4_096;
/** The only version there is. */
const FLOW_MESSAGE_VERSION = '3';

export function textMessage(recipient: Recipient, body: string, replyTo?: string): object {
  required('the text', body);
  if (body.length > MAX_TEXT_CHARS && [...body].length > MAX_TEXT_CHARS) {
    throw new TypeError(`a text message has at most ${MAX_TEXT_CHARS} characters: send it in parts, or as a document`);
  }
  return message(recipient, replyTo, { type: 'text', text: { preview_url: false, body } });
}

export function documentMessage(
  recipient: Recipient,
  { mediaId, filename, caption }: DocumentReference,
  replyTo?: string,
): object {
  const document = { id: mediaId, filename, ...(caption !== undefined && { caption }) };
  return message(recipient, replyTo, { type: 'document', document });
}

export function flowMessage(recipient: Recipient, flow: FlowInvitation, replyTo?: string): object {
  const { header, footer } = flow;
  const interactive = {
    type: 'flow',
    ...(header !== undefined && { header: { type: 'text', text: required('header', header) } }),
    body: { text: required('body', flow.body) },
    ...(footer !== undefined && { footer: { text: required('footer', footer) } }),
    action: { name: 'flow', parameters: flowParameters(flow) },
  };
  return message(recipient, replyTo, { type: 'interactive', interactive });
}

/** A read receipt for that message and those before it; `typing` shows that an answer is being written. */
export function readReceipt(messageId: string, typing: boolean): object {
  return {
    messaging_product: 'whatsapp',
    status: 'read',
    message_id: required('messageId', messageId),
    ...(typing && { typing_indicator: { type: 'text' } }),
  };
}

/** Whom Meta counts the messages of, as far as one can tell: a phone number however it is written, or a user id. */
export function userOf(recipient: Recipient): string {
  const named = address(recipient);
  if ('recipient' in named) return named.recipient;
  return named.to.replace(/\D/g, '') || named.to;
}

/** @throws TypeError when `recipient` names nobody. */
export function address(recipient: Recipient): { to: string } | { recipient: string } {
  if ('to' in recipient) return { to: required('to', recipient.to) };
  return { recipient: required('recipient', recipient.recipient) };
}

/** @throws TypeError when `value` is not a string with something in it. */
export function required(name: string, value: string): string {
  if (typeof value !== 'string' || value === '') throw new TypeError(`${name} must be a string that is not empty`);
  return value;
}

export function message(recipient: Recipient, replyTo: string | undefined, content: object): object {
  return {
    messaging_product: 'whatsapp',
    recipient_type: 'individual',
    ...address(recipient),
    ...(replyTo !== undefined && { context: { message_id: required('replyTo', replyTo) } }),
    ...content,
  };
}

function flowParameters({ flowId, flowName, token, cta, mode = 'published', screen, data }: FlowInvitation): object {
  return {
    flow_message_version: FLOW_MESSAGE_VERSION,
    ...flowReference(flowId, flowName),
    flow_token: required('token', token),
    flow_cta: required('cta', cta),
    mode,
    ...flowAction(screen, data),
  };
}

function flowReference(id: string | undefined, name: string | undefined): object {
  if ((id === undefined) === (name === undefined)) throw new TypeError('a Flow has either a flowId or a flowName');
  return id === undefined ? { flow_name: required('flowName', name ?? '') } : { flow_id: required('flowId', id) };
}

/** A payload goes with `navigate` only, and its data must be left out when empty. */
function flowAction(screen: string | undefined, data: object | undefined): object {
  if (screen === undefined) {
    if (data !== undefined) throw new TypeError('data goes with a screen: without one, the endpoint answers with both');
    return { flow_action: 'data_exchange' };
  }
  const hasData = data !== undefined && Object.keys(data).length > 0;
  const payload = { screen: required('screen', screen), ...(hasData && { data }) };
  return { flow_action: 'navigate', flow_action_payload: payload };
}
