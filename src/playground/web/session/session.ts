/**
 * One person with one phone: plays a Flow, keeps what went over the wire, and the chat around it.
 *
 * Knows no DOM: the page draws `store`, and tests drive it with a transport of their own.
 */
import type { JsonObject } from '../../../json.ts';
import type { AlertName, FlowReport, MediaReport } from '../../api.ts';
import { type Flow, readFlow } from '../flow/flow.ts';
import { step } from '../flow/phone.ts';
import {
  type Completion,
  closedPhone,
  type Effect,
  type FlowRequest,
  type MediaInfo,
  type PhoneEvent,
  type PhoneState,
} from '../flow/phone-state.ts';
import type { TestStep, TokenChoice } from '../inspector/copy-as-test.ts';
import type { Conditions } from '../wire/client.ts';
import type { ChatMessage } from './chat-messages.ts';
import { Correspondence } from './correspondence.ts';
import { taken } from './incoming.ts';
import type { Invitation } from './invitation.ts';
import { Recorder } from './recorder.ts';
import type { Recorded } from './records.ts';
import { firstState, type SessionOptions, type SessionState } from './session-state.ts';
import { Store } from './store.ts';
import { endOf, withEnd } from './test-steps.ts';

/** From this Flow JSON on, and data API 4.0, clients send `flow_token_signature`. */
const SIGNED_SINCE = 703;

export class Session {
  readonly store: Store<SessionState>;
  readonly #options: SessionOptions;
  readonly #recorder: Recorder;
  readonly #chat: Correspondence;
  readonly #flows = new Map<string, Flow>();
  /** Test steps by the phone's request. */
  #stepOf = new Map<number, number>();
  /** A test phone opens a Flow by asking its endpoint, and in no other way. */
  #canBeCopied = true;

  /** @param kept of a session before: its timeline and its switches go on. */
  constructor(report: FlowReport, options: SessionOptions, kept?: SessionState) {
    const { api, timing } = options;
    this.#options = options;
    this.store = new Store(firstState(report, kept));
    this.#recorder = new Recorder(this.store, api, timing);
    this.#chat = new Correspondence(this.store, (request) => api.webhook(request), timing);
  }

  /** The business sends the Flow's message, with a token of the chosen kind. Rejects when none can be minted. */
  async sendFlowMessage(choice: TokenChoice = this.store.value.tokenChoice): Promise<void> {
    const token = await this.#tokenOf(choice);
    this.store.update({ tokenChoice: choice });
    this.#chat.say({ kind: 'flow', flow: this.store.value.chosen, token, choice, isDisabled: false });
  }

  /** A tap on the button of a Flow's message, the page's own or the business's. */
  async openFlow(opened: Invitation): Promise<void> {
    const flow = this.#flowOf(opened.flow);
    if (!flow) return;
    const { token, start } = opened;
    const apiVersion = this.#apiVersionOf(flow);
    const tokenSignature = await this.#signatureOf(token, flow, apiVersion);
    const { nextId } = this.store.value.phone; // what still comes is not taken for its own
    const closed = { ...closedPhone(flow, { token, tokenSignature, apiVersion }), nextId };
    this.#stepOf = new Map();
    this.#canBeCopied = !start || (flow.isKnown && flow.dataApiVersion === undefined);
    this.store.update({ phone: closed, isFlowOpen: true, steps: [], opened, apiVersion });
    this.dispatch({ type: 'open', start });
  }

  /** Looks for what handlers sent. Never rejects: what cannot be had now is there later. */
  async collect(): Promise<void> {
    const { api, app, timing } = this.#options;
    const report = app.sendsToPhone ? await api.sent(this.store.value.lastSeq).catch(() => undefined) : undefined;
    const isOfThisBoot = report?.bootId === app.bootId;
    const change = taken(this.store.value, isOfThisBoot ? report : undefined, timing.now());
    if (change) this.store.update(change);
  }

  dispatch(event: PhoneEvent): void {
    const before = this.store.value.phone;
    const { state, effects } = step(before, event);
    if (state !== before) this.store.update({ phone: state });
    if (event.type === 'answered') this.#noteEnd(event.id);
    for (const effect of effects) this.#perform(effect);
    if (state.stage === 'closed') this.store.update({ isFlowOpen: false });
    if (state.stage === 'expired' && before.stage !== 'expired') this.#chat.disable(state.token);
  }

  /** Back to the chat, from the end of a Flow. */
  leaveFlow(): void {
    this.dispatch({ type: 'close' });
    this.store.update({ isFlowOpen: false });
  }

  /** Sent once more, or as it was edited, past the phone: it shows nothing of the answer. */
  async resend(record: Recorded, payload: JsonObject = record.request): Promise<void> {
    await this.#recorder.send(payload === record.request ? 'replayed' : 'edited', payload, record.flow);
  }

  setConditions(conditions: Partial<Conditions>): void {
    this.store.update({ conditions: { ...this.store.value.conditions, ...conditions } });
  }

  setRetiredKey(hasRetiredKey: boolean): void {
    this.#recorder.rotateKey(hasRetiredKey);
  }

  /** For requests from now on. */
  setApiVersion(apiVersion: string): void {
    this.store.update({ apiVersion, phone: { ...this.store.value.phone, apiVersion } });
  }

  clearRecords(): void {
    this.store.update({ records: this.store.value.records.filter(({ endMs }) => endMs === undefined) });
  }

  uploaded(media: MediaReport, info: MediaInfo): void {
    this.dispatch({ type: 'uploaded', id: String(media['media_id']), info });
  }

  async sendText(text: string): Promise<void> {
    await this.#chat.deliver({ kind: 'text', text }, this.#chat.say({ kind: 'text', text, delivery: undefined }));
  }

  /** Of a completion whose delivery failed. */
  async deliverAgain({ id, request }: Extract<ChatMessage, { kind: 'completion' }>): Promise<void> {
    if (request) await this.#chat.deliver(request, id);
  }

  async sendAlert(alert: AlertName, isActive: boolean): Promise<void> {
    await this.#chat.deliver({ kind: 'alert', alert, isActive });
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case 'send':
        void this.#send(effect.id, effect.request);
        return;
      case 'notify':
        void this.#recorder.send('notification', { ...effect.request });
        return;
      case 'moved':
        this.#addStep({ kind: 'navigate', screen: effect.screen, data: effect.data });
        return;
      case 'completed':
        this.#complete(effect.completion);
        return;
    }
  }

  async #send(id: number, request: FlowRequest): Promise<void> {
    this.#stepOf.set(id, this.#addStep(toStep(request, this.store.value)));
    const { outcome, recordId } = await this.#recorder.send('phone', { ...request });
    const wasAwaited = this.store.value.phone.pending?.id === id;
    this.dispatch({ type: 'answered', id, outcome });
    this.#recorder.note(recordId, {
      verdict: wasAwaited ? verdictOf(this.store.value.phone) : 'nothing: the Flow was closed',
    });
  }

  #complete(completion: Completion): void {
    const { params, by } = completion;
    if (by === 'complete' && params) this.#addStep({ kind: 'complete', params });
    const { phone, opened } = this.store.value;
    this.#chat.complete(phone, completion, opened?.messageId);
  }

  #noteEnd(requestId: number): void {
    const { phone, steps, records } = this.store.value;
    const index = this.#stepOf.get(requestId);
    if (index !== undefined) this.store.update({ steps: withEnd(steps, index, endOf(phone, records)) });
  }

  #addStep(added: TestStep): number {
    const { steps } = this.store.value;
    if (this.#canBeCopied) this.store.update({ steps: [...steps, added] });
    return steps.length;
  }

  async #tokenOf(choice: TokenChoice): Promise<string> {
    if (choice.kind === 'random') return this.#options.randomToken();
    if (choice.kind !== 'minted') return choice.token;
    return this.#options.api.token({ flow: this.store.value.chosen, user: choice.user });
  }

  #flowOf(name: string): Flow | undefined {
    const report = this.#options.app.flows.find((known) => known.name === name);
    const flow = this.#flows.get(name) ?? (report && readFlow(name, report.json));
    if (flow) this.#flows.set(name, flow);
    return flow;
  }

  /** The one that is chosen by the switch, until another Flow with one of its own is played. */
  #apiVersionOf({ name, dataApiVersion = '3.0' }: Flow): string {
    const { phone, apiVersion } = this.store.value;
    return name === phone.flow.name ? apiVersion : dataApiVersion;
  }

  async #signatureOf(token: string, flow: Flow, apiVersion: string): Promise<string | undefined> {
    const { version, dataApiVersion } = flow;
    const isSigned = version >= SIGNED_SINCE && apiVersion === '4.0' && dataApiVersion !== undefined;
    return isSigned ? this.#options.api.tokenSignature(token) : undefined;
  }
}

function toStep(request: FlowRequest, { phone, opened }: SessionState): TestStep {
  const token = opened?.choice ?? { kind: 'random' };
  if (request.action === 'INIT') return { kind: 'open', flow: phone.flow.name, token };
  return request.action === 'BACK' ? { kind: 'back' } : { kind: 'submit', data: request.data ?? {} };
}

/** What the phone made of the answer. */
function verdictOf(phone: PhoneState): string {
  if (phone.failure) return phone.failure.reason;
  if (phone.stage === 'expired') return 'the message is disabled';
  if (phone.stage === 'done') return 'completes the Flow';
  const screen = phone.frames.at(-1)?.screen ?? 'nothing';
  return phone.snackbar === undefined ? `shows ${screen}` : `shows ${screen} with an error`;
}
