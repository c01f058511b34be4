/**
 * The Graph API as a handler needs it: sends texts, documents, templates and Flows from one business phone number, marks
 * messages read, and looks up media.
 *
 * Messages wait for their turn where Meta's limits ask for it, and what was certainly not sent is tried again within
 * seconds; see retry.ts and turns.ts for the bounds. A resolved call means that Meta accepted the message, not that it was
 * delivered: a status webhook tells that. Free-form messages reach a user only within 24 hours of their last one (code
 * 131047).
 * Source: Meta, "Messages" and "Media" of the Cloud API.
 */
import { isObject, type JsonObject, nonEmptyString } from '../json.ts';
import { callGraph, isSuccess } from './call.ts';
import { type GraphConnection, graphId, toEndpoint } from './endpoint.ts';
import type { GraphAction } from './graph-error.ts';
import { documentUpload, type MediaInfo, mediaLookup, type OutgoingDocument } from './media.ts';
import {
  address,
  documentMessage,
  type FlowInvitation,
  flowMessage,
  type Recipient,
  readReceipt,
  textMessage,
  userOf,
} from './messages.ts';
import { type CallOptions, Patience, persist, type RetryOptions, toRetryPolicy } from './retry.ts';
import { type TemplateMessage, templateMessage } from './template-message.ts';
import { type PaceOptions, Turns } from './turns.ts';

export { GraphError } from './graph-error.ts';
export type { MediaInfo, OutgoingDocument } from './media.ts';
export type { FlowCard, FlowInvitation, Recipient } from './messages.ts';
export type { CallOptions } from './retry.ts';
export type { TemplateFlow, TemplateMessage } from './template-message.ts';

const OF_NUMBER = { about: 'number' };
const SEND: GraphAction = { label: 'send the message', wants: 'an id', isRepeatable: false, ...OF_NUMBER };
const MARK: GraphAction = {
  label: 'mark the message read',
  wants: '"success": true',
  isRepeatable: true,
  ...OF_NUMBER,
};

export interface GraphOptions extends GraphConnection, RetryOptions, PaceOptions {
  /** The id of the number, not the number. */
  readonly phoneNumberId: string;
}

export interface SendOptions extends CallOptions {
  /** The id (wamid) of the message to quote. */
  readonly replyTo?: string | undefined;
}

export interface ReadOptions extends CallOptions {
  /** Shows the user that an answer is being written: for 25 s, or until it comes. */
  readonly typing?: boolean | undefined;
}

export interface SentMessage {
  /** The wamid, which the status webhooks name. */
  readonly messageId: string;
}

/** Each rejects with a GraphError when Meta did not take it, or with a TypeError when it cannot. */
export interface GraphClient {
  /** @param body at most 4,096 characters. */
  sendText(recipient: Recipient, body: string, options?: SendOptions): Promise<SentMessage>;
  /** Uploads the bytes, at most 100 MB, then sends them by their id: two calls, with 10 s for each. */
  sendDocument(recipient: Recipient, document: OutgoingDocument, options?: SendOptions): Promise<SentMessage>;
  sendFlow(recipient: Recipient, flow: FlowInvitation, options?: SendOptions): Promise<SentMessage>;
  /** Reaches a user outside the 24 hours, too. */
  sendTemplate(recipient: Recipient, template: TemplateMessage, options?: SendOptions): Promise<SentMessage>;
  /** Marks a message of a user read, and those before it. Takes no turn: it is no message. */
  markRead(messageId: string, options?: ReadOptions): Promise<void>;
  /** Where to download media whose id a webhook told, within 7 days. */
  mediaInfo(mediaId: string, signal?: AbortSignal): Promise<MediaInfo>;
}

/** @throws TypeError for options no call could work with. */
export function createGraphClient(options: GraphOptions): GraphClient {
  const endpoint = toEndpoint(options);
  const number = graphId('phoneNumberId', options.phoneNumberId, 'the number');
  const policy = toRetryPolicy(options);
  const turns = new Turns(options, endpoint.clock);
  const path = `${number}/messages`;

  const patienceOf = (options: CallOptions) => new Patience(options, policy.maxWaitMs, endpoint.clock);

  async function send(recipient: Recipient, body: object, patience: Patience): Promise<SentMessage> {
    const { signal } = patience;
    const attempt = async () => {
      await turns.take(userOf(recipient), patience);
      return callGraph(endpoint, { action: SEND, path, body, signal, read: messageIdOf });
    };
    return { messageId: await persist(attempt, patience, policy) };
  }

  return {
    async sendText(recipient, body, options = {}) {
      return send(recipient, textMessage(recipient, body, options.replyTo), patienceOf(options));
    },
    async sendDocument(recipient, document, options = {}) {
      address(recipient); // a mistake in it is to be found before the upload
      const patience = patienceOf(options);
      const upload = documentUpload(document, number, patience.signal);
      const mediaId = await persist(() => upload(endpoint), patience, policy);
      return send(recipient, documentMessage(recipient, { ...document, mediaId }, options.replyTo), patience);
    },
    async sendFlow(recipient, flow, options = {}) {
      return send(recipient, flowMessage(recipient, flow, options.replyTo), patienceOf(options));
    },
    async sendTemplate(recipient, template, options = {}) {
      return send(recipient, templateMessage(recipient, template, options.replyTo), patienceOf(options));
    },
    async markRead(messageId, { typing = false, ...options } = {}) {
      const patience = patienceOf(options);
      const body = readReceipt(messageId, typing);
      const call = { action: MARK, path, body, signal: patience.signal, read: isSuccess };
      await persist(() => callGraph(endpoint, call), patience, policy);
    },
    async mediaInfo(mediaId, signal) {
      const lookUp = mediaLookup(mediaId, number, signal);
      return persist(() => lookUp(endpoint), patienceOf({ signal }), policy);
    },
  };
}

/** The client for a caller who has until a deadline: its signal and deadline hold for each call that brings none. */
export function bounded(client: GraphClient, { signal, deadline }: CallOptions): GraphClient {
  const within = <T extends CallOptions>(own: T | undefined) => ({
    ...own,
    signal: own?.signal ?? signal,
    deadline: own?.deadline ?? deadline,
  });
  return {
    sendText: (recipient, body, own) => client.sendText(recipient, body, within(own)),
    sendDocument: (recipient, document, own) => client.sendDocument(recipient, document, within(own)),
    sendFlow: (recipient, flow, own) => client.sendFlow(recipient, flow, within(own)),
    sendTemplate: (recipient, template, own) => client.sendTemplate(recipient, template, within(own)),
    markRead: (messageId, own) => client.markRead(messageId, within(own)),
    mediaInfo: (mediaId, own = signal) => client.mediaInfo(mediaId, own),
  };
}

function messageIdOf({ messages }: JsonObject): string | undefined {
  const [first] = Array.isArray(messages) ? messages : [];
  return isObject(first) ? nonEmptyString(first['id']) : undefined;
}
