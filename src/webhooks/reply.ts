/** Answers to whoever sent a message. */
import type { Facilities } from '../facilities.ts';
import type { FlowDefinition } from '../flows/flow-definition.ts';
import type { FlowCard, FlowInvitation, GraphClient, Recipient } from '../graph/client.ts';
import type { InvitedUser, Reply } from './context.ts';
import type { WebhookEvent } from './events.ts';

/** A message, with the number it was sent to. */
export type AnswerableEvent = Extract<WebhookEvent, { readonly messageId: unknown; readonly from: unknown }>;

export interface ReplyDeps {
  /** As the number that was written to. */
  readonly graph: GraphClient;
  readonly flows: ReadonlyMap<string, Pick<FlowDefinition, 'metaFlow' | 'scopeFor'>>;
  readonly facilities: Pick<Facilities, 'tokens'>;
}

export function isAnswerable(event: WebhookEvent | undefined): event is AnswerableEvent {
  return event !== undefined && 'messageId' in event && 'from' in event;
}

/** @throws TypeError for a message that names no sender. */
export function replyTo(event: AnswerableEvent, deps: ReplyDeps): Reply {
  const { graph } = deps;
  const recipient = recipientOf(event);
  return {
    text: (body) => graph.sendText(recipient, body),
    document: (document) => graph.sendDocument(recipient, document),
    async flow(flow: FlowInvitation | string, card?: FlowCard & InvitedUser) {
      return graph.sendFlow(recipient, typeof flow === 'string' ? await invite(flow, card, event, deps) : flow);
    },
    read: async () => graph.markRead(messageIdOf(event)),
    typing: async () => graph.markRead(messageIdOf(event), { typing: true }),
  };
}

/** @throws TypeError for a Flow that the app does not have. */
async function invite(
  name: string,
  given: (FlowCard & InvitedUser) | undefined,
  event: AnswerableEvent,
  { flows, facilities }: ReplyDeps,
): Promise<FlowInvitation> {
  const flow = flows.get(name);
  if (!flow || !given) throw new TypeError(`c.reply.flow takes a Flow of this app, and what its message says: ${name}`);
  const { user = event.userId ?? event.from ?? '', ttl, singleUse, ...card } = given;
  const options = { user, flow: flow.scopeFor(event.tenant), ...(ttl && { ttl }), ...(singleUse && { singleUse }) };
  return { ...card, ...flow.metaFlow, token: await facilities.tokens.mint(options) };
}

function recipientOf({ from, userId }: AnswerableEvent): Recipient {
  if (from !== undefined) return { to: from };
  if (userId !== undefined) return { recipient: userId };
  throw new TypeError('this message names no sender');
}

function messageIdOf({ messageId }: AnswerableEvent): string {
  if (messageId === undefined) throw new TypeError('this message names no id');
  return messageId;
}
