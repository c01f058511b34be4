/**
 * Meta's webhooks about one person: what they write, what becomes of what they were sent, and alerts about Flows.
 *
 * Signed over the bytes that go out, which are escaped as Meta escapes them. Meta delivers again until it is answered
 * 200, and then again for no reason: the same body, in parallel, or its events in other company and order.
 */
import type { JsonObject } from '../json.ts';
import { PhoneError } from './phone-error.ts';
import type { Target, WireReply } from './target.ts';
import { delivery, MAX_BATCH, toWireText } from './webhook-bodies.ts';
import {
  type Business,
  buttonReply,
  type FlowAlertName,
  flowAlert,
  listReply,
  type MessageOptions,
  type MetaEvent,
  type StatusOptions,
  statusUpdate,
  TEST_BUSINESS,
  TEST_USER,
  textMessage,
  type WhatsAppUser,
} from './webhook-events.ts';
import { sign } from './wire.ts';

/** Events to be packed, a body to be escaped, or the exact text to be signed and sent. */
export type Deliverable = readonly MetaEvent[] | JsonObject | string;

export interface DeliverOptions {
  /** Sends the same signed body this often at the same time: 1 to 1,000. */
  readonly times?: number;
}

export interface RawDeliverOptions extends DeliverOptions {
  /** In place of the right one; `null` sends none. */
  readonly signature?: string | null;
}

export interface SenderOptions {
  /** Who holds the phone. */
  readonly user?: WhatsAppUser;
  /** Whom they write to. */
  readonly business?: Partial<Business>;
}

const MAX_TIMES = 1_000;

export class WebhookSender {
  readonly user: WhatsAppUser;
  readonly business: Business;
  readonly #target: Pick<Target, 'appSecret' | 'deliver'>;
  /** The newest events that were delivered, for `redeliver`. */
  readonly #delivered = new Set<MetaEvent>();

  constructor(
    target: Pick<Target, 'appSecret' | 'deliver'>,
    { user = TEST_USER, business = TEST_BUSINESS }: SenderOptions,
  ) {
    this.#target = target;
    this.user = user;
    this.business = { ...TEST_BUSINESS, ...business };
  }

  sendText(body: string, options: MessageOptions = {}): Promise<number> {
    return this.deliver([textMessage(body, this.from(options))]);
  }

  sendButtonReply(button: { id: string; title: string }, options: MessageOptions = {}): Promise<number> {
    return this.deliver([buttonReply(button, this.from(options))]);
  }

  sendListReply(
    row: { id: string; title: string; description?: string },
    options: MessageOptions = {},
  ): Promise<number> {
    return this.deliver([listReply(row, this.from(options))]);
  }

  sendStatus(options: StatusOptions): Promise<number> {
    return this.deliver([statusUpdate({ user: this.user, ...options })]);
  }

  sendAlert(event: FlowAlertName, content: JsonObject = {}, options: { at?: Date } = {}): Promise<number> {
    return this.deliver([flowAlert(event, content, options)]);
  }

  /**
   * Delivers events in one body, or a body as it is.
   * @returns 200, the only answer that Meta takes for an acknowledgement; every other one is a PhoneError.
   */
  async deliver(what: Deliverable, options: DeliverOptions = {}): Promise<number> {
    const statuses = (await this.deliverRaw(what, options)).map(({ status }) => status);
    const refused = statuses.find((status) => status !== 200);
    if (refused !== undefined) throw new PhoneError(`the webhook was answered ${refused}`, refused);
    return 200;
  }

  /** Delivers as `deliver` does, and resolves with every answer, whatever its status. */
  async deliverRaw(what: Deliverable, { times = 1, signature }: RawDeliverOptions = {}): Promise<readonly WireReply[]> {
    if (!Number.isInteger(times) || times < 1 || times > MAX_TIMES) throw new RangeError('times is from 1 to 1,000');
    const body = this.#toText(what);
    const signed = signature === undefined ? await sign(body, this.#target.appSecret) : signature;
    const headers = {
      'Content-Type': 'application/json',
      ...(signed !== null && { 'X-Hub-Signature-256': signed }),
    };
    return Promise.all(Array.from({ length: times }, () => this.#target.deliver(body, headers)));
  }

  /**
   * Delivers again what was delivered before, as a retry may: the events of several bodies merged into one, the newest
   * first. @param events by default the last 1,000 of this phone.
   */
  redeliver(events: readonly MetaEvent[] = [...this.#delivered], options: DeliverOptions = {}): Promise<number> {
    return this.deliver([...events].reverse(), options);
  }

  /** The options of a message from this person to this business. */
  protected from(options: MessageOptions): MessageOptions {
    return { user: this.user, business: this.business, ...options };
  }

  #toText(what: Deliverable): string {
    if (typeof what === 'string') return what;
    if (!isEvents(what)) return toWireText(what);
    const body = toWireText(delivery(what, this.business));
    this.#remember(what);
    return body;
  }

  #remember(events: readonly MetaEvent[]): void {
    for (const event of events) this.#delivered.add(event);
    for (const oldest of this.#delivered) {
      if (this.#delivered.size <= MAX_BATCH) break;
      this.#delivered.delete(oldest);
    }
  }
}

function isEvents(what: readonly MetaEvent[] | JsonObject): what is readonly MetaEvent[] {
  return Array.isArray(what);
}
