/** The chat around the Flow, and the webhooks that come of it. */
import type { WebhookReport, WebhookRequest } from '../../api.ts';
import type { Completion, PhoneState } from '../flow/phone-state.ts';
import { summaryOf } from '../flow/summary.ts';
import type { Timing } from '../wire/client.ts';
import type { ChatMessage } from './chat-messages.ts';
import { buttonOf } from './invitation.ts';
import type { SessionState } from './session-state.ts';
import type { Store } from './store.ts';

/** Newest last; the oldest go first. */
export const MAX_MESSAGES = 100;
export const MAX_WEBHOOKS = 50;

type Deliver = (request: WebhookRequest) => Promise<WebhookReport>;
/** Of each kind of message, all but its id. */
type NewMessage = ChatMessage extends infer M ? (M extends ChatMessage ? Omit<M, 'id'> : never) : never;

export class Correspondence {
  readonly #store: Store<SessionState>;
  readonly #deliver: Deliver;
  readonly #timing: Timing;

  constructor(store: Store<SessionState>, deliver: Deliver, timing: Timing) {
    this.#store = store;
    this.#deliver = deliver;
    this.#timing = timing;
  }

  /** @returns the message's id. */
  say(message: NewMessage): number {
    const { nextId: id, messages } = this.#store.value;
    this.#store.update({ messages: [...messages, { ...message, id }].slice(-MAX_MESSAGES), nextId: id + 1 });
    return id;
  }

  /** A 427 turns the button off. */
  disable(token: string): void {
    const messages = this.#store.value.messages.map((message) =>
      'isDisabled' in message && tokenOf(message) === token ? { ...message, isDisabled: true } : message,
    );
    this.#store.update({ messages });
  }

  /**
   * What a finished Flow sends: nothing, where the answer has no params.
   * @param replyTo the wamid of the message that opened it.
   */
  complete(phone: PhoneState, completion: Completion, replyTo: string | undefined): void {
    const flow = phone.flow.name;
    const { params } = completion;
    const answered = replyTo === undefined ? {} : { replyTo };
    const request = params && ({ kind: 'completion', flow, token: phone.token, params, ...answered } as const);
    const id = this.say({
      kind: 'completion',
      flow,
      completion,
      summary: summaryOf(phone),
      request,
      delivery: undefined,
    });
    if (request) void this.deliver(request, id);
  }

  /** @param messageId of the message that tells how it went. */
  async deliver(request: WebhookRequest, messageId?: number): Promise<void> {
    const startMs = this.#timing.now();
    const delivery = await this.#deliver(request).then(
      (report) => ({ report, error: undefined }),
      (error: Error) => ({ report: undefined, error: error.message }),
    );
    const { messages, webhooks, nextId: id } = this.#store.value;
    this.#store.update({
      messages: messages.map((message) =>
        message.id === messageId && 'delivery' in message ? { ...message, delivery } : message,
      ),
      webhooks: [...webhooks, { id, startMs, request, ...delivery }].slice(-MAX_WEBHOOKS),
      nextId: id + 1,
    });
  }
}

function tokenOf(message: Extract<ChatMessage, { isDisabled: boolean }>): string | undefined {
  return message.kind === 'flow' ? message.token : buttonOf(message.sent.content)?.token;
}
