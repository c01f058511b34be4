/**
 * The Graph API as a webhook handler needs it: sends a text, a document or a Flow from one business phone number.
 *
 * Nothing is retried and nothing is paced here: the inbox retries. A resolved call means that Meta accepted the message,
 * not that it was delivered: a status webhook tells that. Free-form messages reach a user only within 24 hours of their
 * last one (code 131047).
 * Source: Meta, "Messages" and "Media" of the Cloud API.
 */
import { isObject, type JsonObject, nonEmptyString } from '../json.ts';
import { callGraph, type GraphEndpoint, type GraphOptions, toEndpoint } from './call.ts';
import type { GraphAction } from './graph-error.ts';
import {
  address,
  documentMessage,
  type FlowInvitation,
  flowMessage,
  type Recipient,
  required,
  textMessage,
} from './messages.ts';

export type { GraphOptions } from './call.ts';
export { GraphError } from './graph-error.ts';
export type { FlowInvitation, Recipient } from './messages.ts';

/** Meta's limit for a document. */
const MAX_DOCUMENT_BYTES = 100 * 1024 * 1024;

const SEND: GraphAction = { label: 'send the message', sends: true, wants: 'an id' };
const UPLOAD: GraphAction = { label: 'upload the document', sends: false, wants: 'an id' };

export interface SendOptions {
  /** Gives up: the call rejects with the signal's reason, and the message may or may not have been sent. */
  readonly signal?: AbortSignal | undefined;
  /** The id (wamid) of the message to quote. */
  readonly replyTo?: string | undefined;
}

export interface OutgoingDocument {
  readonly data: Uint8Array;
  /** With its extension: the client picks the icon by it. */
  readonly filename: string;
  readonly mimeType: string;
  readonly caption?: string | undefined;
}

export interface SentMessage {
  /** The wamid, which the status webhooks name. */
  readonly messageId: string;
}

/** Each rejects with a GraphError when the message was not accepted, or with a TypeError when it cannot be. */
export interface GraphClient {
  /** @param body at most 4,096 characters. */
  sendText(recipient: Recipient, body: string, options?: SendOptions): Promise<SentMessage>;
  /** Uploads the bytes, at most 100 MB, then sends them by their id: two calls, with 10 s for each. */
  sendDocument(recipient: Recipient, document: OutgoingDocument, options?: SendOptions): Promise<SentMessage>;
  sendFlow(recipient: Recipient, flow: FlowInvitation, options?: SendOptions): Promise<SentMessage>;
}

/** @throws TypeError for options no call could work with. */
export function createGraphClient(options: GraphOptions): GraphClient {
  const endpoint = toEndpoint(options);
  return {
    async sendText(recipient, body, { signal, replyTo } = {}) {
      return send(endpoint, textMessage(recipient, body, replyTo), signal);
    },
    async sendDocument(recipient, document, { signal, replyTo } = {}) {
      address(recipient); // a mistake in it is to be found before the upload
      const mediaId = await upload(endpoint, document, signal);
      return send(endpoint, documentMessage(recipient, { ...document, mediaId }, replyTo), signal);
    },
    async sendFlow(recipient, flow, { signal, replyTo } = {}) {
      return send(endpoint, flowMessage(recipient, flow, replyTo), signal);
    },
  };
}

async function send(endpoint: GraphEndpoint, body: object, signal: AbortSignal | undefined): Promise<SentMessage> {
  return { messageId: await callGraph(endpoint, { action: SEND, path: 'messages', body, signal, read: messageIdOf }) };
}

/** @returns the media id, good for 30 days. */
async function upload(
  endpoint: GraphEndpoint,
  { data, filename, mimeType }: OutgoingDocument,
  signal: AbortSignal | undefined,
): Promise<string> {
  if (data.byteLength === 0 || data.byteLength > MAX_DOCUMENT_BYTES) {
    throw new TypeError('a document has at least 1 byte and at most 100 MB');
  }
  const body = new FormData();
  body.append('messaging_product', 'whatsapp');
  body.append('type', required('mimeType', mimeType));
  body.append('file', new Blob([data], { type: mimeType }), required('filename', filename));
  const idOf = (reply: JsonObject) => nonEmptyString(reply['id']);
  return callGraph(endpoint, { action: UPLOAD, path: 'media', body, signal, read: idOf });
}

function messageIdOf({ messages }: JsonObject): string | undefined {
  const [first] = Array.isArray(messages) ? messages : [];
  return isObject(first) ? nonEmptyString(first['id']) : undefined;
}
