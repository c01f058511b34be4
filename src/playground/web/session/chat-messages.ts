/** What stands in the chat, and what was delivered as a webhook because of it. */
import type { WebhookReport, WebhookRequest } from '../../api.ts';
import type { SentMessage } from '../../sent.ts';
import type { Completion } from '../flow/phone-state.ts';
import type { SummaryLine } from '../flow/summary.ts';
import type { TokenChoice } from '../inspector/copy-as-test.ts';

export interface Delivery {
  readonly report: WebhookReport | undefined;
  /** One sentence, when it could not be delivered at all. */
  readonly error: string | undefined;
}

export type ChatMessage =
  | {
      readonly kind: 'flow';
      readonly id: number;
      readonly flow: string;
      readonly token: string;
      readonly choice: TokenChoice;
      /** A 427 came. */
      readonly isDisabled: boolean;
    }
  /** What a handler sent. */
  | {
      readonly kind: 'business';
      readonly id: number;
      readonly sent: SentMessage;
      /** A 427 came. */
      readonly isDisabled: boolean;
    }
  | { readonly kind: 'text'; readonly id: number; readonly text: string; readonly delivery: Delivery | undefined }
  | {
      readonly kind: 'completion';
      readonly id: number;
      readonly flow: string;
      readonly completion: Completion;
      readonly summary: readonly SummaryLine[];
      /** Undefined for a Flow that closed without a message. */
      readonly request: WebhookRequest | undefined;
      readonly delivery: Delivery | undefined;
    };

export interface WebhookRecord extends Delivery {
  readonly id: number;
  readonly startMs: number;
  readonly request: WebhookRequest;
}
