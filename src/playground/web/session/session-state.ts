/** What a session knows, and what it needs. */
import type { AppReport, FlowReport, TokenRequest, WebhookReport, WebhookRequest } from '../../api.ts';
import type { SentReport } from '../../sent.ts';
import { readFlow } from '../flow/flow.ts';
import { closedPhone, type PhoneState } from '../flow/phone-state.ts';
import type { TestStep, TokenChoice } from '../inspector/copy-as-test.ts';
import type { Conditions, Timing, Transport } from '../wire/client.ts';
import type { ChatMessage, WebhookRecord } from './chat-messages.ts';
import type { Invitation } from './invitation.ts';
import type { Recorded } from './records.ts';

export interface SessionApi extends Transport {
  token(request: TokenRequest): Promise<string>;
  tokenSignature(token: string): Promise<string | undefined>;
  webhook(request: WebhookRequest): Promise<WebhookReport>;
  sent(after: number): Promise<SentReport>;
}

export interface SessionOptions {
  readonly app: Pick<AppReport, 'bootId' | 'flows' | 'sendsToPhone'>;
  readonly api: SessionApi;
  readonly timing: Timing;
  readonly randomToken: () => string;
}

export interface SessionState {
  /** The Flow that the page's own message opens. */
  readonly chosen: string;
  readonly phone: PhoneState;
  /** Whether the Flow covers the chat. */
  readonly isFlowOpen: boolean;
  readonly messages: readonly ChatMessage[];
  readonly records: readonly Recorded[];
  readonly webhooks: readonly WebhookRecord[];
  readonly conditions: Conditions;
  readonly hasRetiredKey: boolean;
  readonly apiVersion: string;
  /** Of the page's own message. */
  readonly tokenChoice: TokenChoice;
  /** What opened the Flow that the phone has. */
  readonly opened: Invitation | undefined;
  /** Since the Flow was opened last. */
  readonly steps: readonly TestStep[];
  /** Of the next record, message or delivery. */
  readonly nextId: number;
  /** Of what handlers sent, the last that is in the chat. */
  readonly lastSeq: number;
  /** Wamids that were marked read. */
  readonly reads: readonly string[];
  /** The business is writing, by the page's clock. */
  readonly typingUntilMs: number | undefined;
}

/** @param kept of a session before: its timeline and its switches go on. */
export function firstState(report: FlowReport, kept: SessionState | undefined): SessionState {
  const flow = readFlow(report.name, report.json);
  const apiVersion = flow.dataApiVersion ?? '3.0';
  return {
    chosen: report.name,
    phone: closedPhone(flow, { token: '', apiVersion }),
    isFlowOpen: false,
    messages: [],
    records: kept?.records.filter(({ endMs }) => endMs !== undefined) ?? [],
    webhooks: kept?.webhooks ?? [],
    conditions: kept?.conditions ?? { delayMs: 0, isDown: false },
    hasRetiredKey: false,
    apiVersion,
    tokenChoice: kept?.tokenChoice.kind === 'minted' ? kept.tokenChoice : { kind: 'random' },
    opened: undefined,
    steps: [],
    nextId: kept?.nextId ?? 1,
    lastSeq: 0,
    reads: [],
    typingUntilMs: undefined,
  };
}
