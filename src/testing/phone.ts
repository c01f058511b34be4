/**
 * The test phone: a WhatsApp client that opens a Flow, fills in its screens and speaks Meta's real protocol.
 *
 * It does what the real client does: a fresh key and IV for every request, one retry with a refreshed public key after
 * a 421, and every reply opened with the inverted IV. What the person writes arrives at the webhook, as Meta delivers it.
 * Drive an app in memory, or a server over HTTP.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { App } from '../app.ts';
import type { SettingOverrides } from '../config/settings.ts';
import type { MintOptions } from '../tokens/tokens.ts';
import { PhoneError } from './phone-error.ts';
import { type ServerTarget, type Target, type TenantTarget, toTarget, type WireReply } from './target.ts';
import { type MessageOptions, nfmReply } from './webhook-events.ts';
import { type SenderOptions, WebhookSender } from './webhook-sender.ts';
import { type SealedRequest, sealRequest, signToken } from './wire.ts';

export interface PhoneOptions extends SenderOptions {
  /** `"4.0"` by default. */
  readonly version?: '3.0' | '4.0';
  /** Before the retry after a 421: 500 ms, as in the real client. */
  readonly retryDelayMs?: number;
  /** For an app in memory, e.g. `{ FLOW_DEADLINE_MS: 200, LOG_LEVEL: 'debug' }`. The phone brings key and secret. */
  readonly settings?: SettingOverrides;
  /** Of several businesses on one server, the one that this phone's user writes to. */
  readonly tenant?: TenantTarget;
}

/** Whose message was tapped. */
export interface OpenOptions extends Partial<Pick<MintOptions, 'user' | 'ttl' | 'singleUse'>> {
  /** The flow token of the message; by default a random one, or with `user` one that the app mints for that user. */
  readonly token?: string;
}

type Json = Record<string, unknown>;

/** One answered exchange. */
export interface PhoneReply {
  readonly status: number;
  /** What the reply decrypted to; undefined for a reply without a body. */
  readonly payload: Json | undefined;
  /** Encryption, round trip and decryption. */
  readonly tookMs: number;
}

/** What the phone shows after a reply. */
export interface PhoneScreen {
  readonly screen: string;
  readonly data: Json;
  /** The snackbar, when there is one. */
  readonly errorMessage: string | undefined;
  readonly tookMs: number;
}

export class Phone extends WebhookSender {
  /** The screen shown now; `SUCCESS` once completed. */
  screen: string | undefined;
  /** The data of that screen. */
  data: Json = {};
  errorMessage: string | undefined;
  /** The `params` of the completed Flow, as the `nfm_reply` webhook will carry them. */
  completed: Json | undefined;
  token: string | undefined;

  readonly #target: Target;
  readonly #version: string;
  readonly #retryDelayMs: number;
  #publicKey: string | undefined;
  #flow: string | undefined;

  constructor(target: Target, { version = '4.0', retryDelayMs = 500, ...options }: PhoneOptions = {}) {
    super(target, options);
    this.#target = target;
    this.#version = version;
    this.#retryDelayMs = retryDelayMs;
  }

  /** Opens a Flow, as a tap on its message does: `INIT`. */
  async open(flow: string, options: OpenOptions = {}): Promise<PhoneScreen> {
    this.#flow = flow;
    this.token = await this.#tokenFor(flow, options);
    this.screen = undefined;
    this.completed = undefined;
    return this.#show({ action: 'INIT' });
  }

  /** The app's own tokens carry its users; any other is as good as those that a sender makes up. */
  async #tokenFor(flow: string, { token, user, ...minting }: OpenOptions): Promise<string> {
    if (token !== undefined) return token;
    return user === undefined ? crypto.randomUUID() : this.#target.mint({ flow, user, ...minting });
  }

  /** Submits the current screen, or runs a select action on it: `data_exchange` with the payload of the action. */
  submit(data: object = {}): Promise<PhoneScreen> {
    return this.#show({ action: 'data_exchange', screen: this.screen, data });
  }

  /** Goes back from a screen that has `refresh_on_back`. */
  back(): Promise<PhoneScreen> {
    return this.#show({ action: 'BACK', screen: this.screen, data: {} });
  }

  /** A `navigate` action of the Flow: happens on the phone alone. */
  navigate(screen: string, data: Json = {}): void {
    this.screen = screen;
    this.data = data;
    this.errorMessage = undefined;
  }

  /**
   * The message that a completed Flow sends: the `nfm_reply` webhook. Resolves and rejects as `deliver` does.
   * @param params by default those that the Flow was completed with.
   */
  async sendCompletion(params: object | undefined = this.completed, options: MessageOptions = {}): Promise<number> {
    if (!params) throw new PhoneError('complete a Flow first, or give the params of one', 0);
    return this.deliver([nfmReply({ token: this.token, params }, this.from(options))]);
  }

  /** Meta's health check. @returns true when it is answered as Meta wants. */
  async ping(flow = this.#openFlow()): Promise<boolean> {
    const { payload } = await this.send({ version: '3.0', action: 'ping' }, flow);
    return (payload?.['data'] as Json | undefined)?.['status'] === 'active';
  }

  /** Tells the server that its last answer was of no use. @returns true when it is acknowledged. */
  async reportError(key: string, message = 'reported by the test phone'): Promise<boolean> {
    const data = { error: key, error_message: message };
    const { payload } = await this.send(await this.#payload({ action: 'data_exchange', screen: this.screen, data }));
    return (payload?.['data'] as Json | undefined)?.['acknowledged'] === true;
  }

  /** Any payload at all, encrypted and signed: an object, or the exact plaintext. Never throws for a status. */
  async send(payload: object | string, flow = this.#openFlow()): Promise<PhoneReply> {
    const startedMs = performance.now();
    let { sealed, reply } = await this.#exchange(payload, flow);
    if (reply.status === 421) {
      await sleep(this.#retryDelayMs);
      this.#publicKey = undefined;
      ({ sealed, reply } = await this.#exchange(payload, flow));
    }
    const text = reply.body === '' ? undefined : await sealed.openReply(reply.body);
    const opened = text === undefined ? undefined : (JSON.parse(text) as Json);
    return { status: reply.status, payload: opened, tookMs: performance.now() - startedMs };
  }

  /**
   * Resolves when the handlers of everything delivered are done, and the jobs they left for now. Retries that are yet to
   * come are not waited for. For an app in memory: a server cannot be asked, and it resolves at once.
   */
  settled(): Promise<void> {
    return this.#target.settled();
  }

  /** Ends an app that runs in memory. */
  close(): Promise<void> {
    return this.#target.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #exchange(payload: object | string, flow: string): Promise<{ sealed: SealedRequest; reply: WireReply }> {
    this.#publicKey ??= await this.#target.publicKey();
    const sealed = await sealRequest(payload, { publicKeyPem: this.#publicKey, appSecret: this.#target.appSecret });
    const headers = { 'Content-Type': 'application/json', 'X-Hub-Signature-256': sealed.signature };
    return { sealed, reply: await this.#target.post(flow, sealed.body, headers) };
  }

  async #show(payload: Json): Promise<PhoneScreen> {
    const { status, payload: reply, tookMs } = await this.send(await this.#payload(payload));
    if (status !== 200) {
      const userMessage = reply?.['error_msg'];
      const text = typeof userMessage === 'string' ? userMessage : undefined;
      const why = text ?? this.#target.refusal();
      throw new PhoneError(`the server answered ${status}${why ? `: ${why}` : ''}`, status, text);
    }
    const { screen, data = {} } = reply ?? {};
    if (typeof screen !== 'string' || typeof data !== 'object' || data === null) {
      throw new PhoneError('the reply names no screen, or its data is no object', status);
    }
    const { error_message: errorMessage, extension_message_response: completion, ...rest } = data as Json;
    this.screen = screen;
    this.data = rest;
    this.errorMessage = typeof errorMessage === 'string' ? errorMessage : undefined;
    if (screen === 'SUCCESS') this.completed = ((completion as Json | undefined)?.['params'] as Json | undefined) ?? {};
    return { screen, data: rest, errorMessage: this.errorMessage, tookMs };
  }

  /** From data API 4.0 on Meta signs the flow token. */
  async #payload(payload: Json): Promise<Json> {
    const { token } = this;
    const isSigned = this.#version !== '3.0' && token !== undefined;
    const signature = isSigned && { flow_token_signature: await signToken(token, this.#target.appSecret) };
    return { version: this.#version, ...payload, flow_token: token, ...signature };
  }

  #openFlow(): string {
    if (this.#flow === undefined) throw new PhoneError('open a Flow first', 0);
    return this.#flow;
  }
}

/**
 * A phone for an app in this process (with a key and secret of the phone's own), or for a running server.
 *
 * @example
 * await using phone = createPhone(app);
 * await phone.open('booking');
 * await phone.submit({ department: 'shopping' });
 */
export function createPhone(target: App | ServerTarget, options: PhoneOptions = {}): Phone {
  return new Phone(toTarget(target, options.settings ?? {}, options.tenant), options);
}
