/** What a session knows, and what it needs. */
import type { FlowReport, TokenRequest, WebhookReport, WebhookRequest } from '../../api.ts';
import { readFlow } from '../flow/flow.ts';
import { closedPhone, type PhoneState } from '../flow/phone-state.ts';
import type { TestStep, TokenChoice } from '../inspector/copy-as-test.ts';
import type { Conditions, Timing, Transport } from '../wire/client.ts';
import type { ChatMessage, WebhookRecord } from './chat-messages.ts';
import type { Recorded } from './records.ts';

export interface SessionApi extends Transport {
  token(request: TokenRequest): Promise<string>;
  tokenSignature(token: string): Promise<string | undefined>;
  webhook(request: WebhookRequest): Promise<WebhookReport>;
}

export interface SessionOptions {
  readonly api: SessionApi;
  readonly timing: Timing;
  readonly randomToken: () => string;
}

export interface SessionState {
  readonly phone: PhoneState;
  /** Whether the Flow covers the chat. */
  readonly isFlowOpen: boolean;
  readonly messages: readonly ChatMessage[];
  readonly records: readonly Recorded[];
  readonly webhooks: readonly WebhookRecord[];
  readonly conditions: Conditions;
  readonly hasRetiredKey: boolean;
  readonly apiVersion: string;
  readonly tokenChoice: TokenChoice;
  /** Since the Flow was opened last. */
  readonly steps: readonly TestStep[];
  /** Of the next record, message or delivery. */
  readonly nextId: number;
}

/** @param kept of a session before: its timeline and its switches go on. */
export function firstState(report: FlowReport, kept: SessionState | undefined): SessionState {
  const flow = readFlow(report.name, report.json);
  const apiVersion = flow.dataApiVersion ?? '3.0';
  return {
    phone: closedPhone(flow, { token: '', apiVersion }),
    isFlowOpen: false,
    messages: [],
    records: kept?.records.filter(({ endMs }) => endMs !== undefined) ?? [],
    webhooks: kept?.webhooks ?? [],
    conditions: kept?.conditions ?? { delayMs: 0, isDown: false },
    hasRetiredKey: false,
    apiVersion,
    tokenChoice: kept?.tokenChoice.kind === 'minted' ? kept.tokenChoice : { kind: 'random' },
    steps: [],
    nextId: kept?.nextId ?? 1,
  };
}
