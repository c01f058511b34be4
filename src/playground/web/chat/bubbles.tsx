/** The messages of the chat. */

import { Tree } from '../inspector/tree.tsx';
import type { ChatMessage, Delivery } from '../session/chat-messages.ts';
import { formatMs } from '../session/records.ts';

type MessageOf<K extends ChatMessage['kind']> = Extract<ChatMessage, { kind: K }>;

interface FlowBubbleProps {
  readonly message: MessageOf<'flow'>;
  onOpen(): void;
  onSendAgain(): void;
}

export function FlowBubble({ message, onOpen, onSendAgain }: FlowBubbleProps) {
  const { flow, choice, isDisabled, token } = message;
  return (
    <div class="bubble">
      <p class="bubble-title">{flow}</p>
      <p>Tap the button to open the Flow.</p>
      <p class="bubble-note">
        {TOKENS[choice.kind]} <code class="token">{token}</code>
      </p>
      <button type="button" class="bubble-button" disabled={isDisabled} onClick={onOpen}>
        Open {flow}
      </button>
      {isDisabled && (
        <p class="bubble-note">
          The token is dead (427), so the button is off.{' '}
          <button type="button" class="link" onClick={onSendAgain}>
            Send a new message
          </button>
        </p>
      )}
    </div>
  );
}

const TOKENS = {
  random: 'Random token',
  minted: 'Minted token',
  dead: 'Dead token',
  custom: 'Token of your own',
} as const;

interface TextBubbleProps {
  readonly message: MessageOf<'text'>;
  readonly isRead: boolean;
}

export function TextBubble({ message, isRead }: TextBubbleProps) {
  return (
    <div class="bubble">
      <p class="bubble-text">{message.text}</p>
      <DeliveryLine delivery={message.delivery} isRead={isRead} />
    </div>
  );
}

interface CompletionBubbleProps {
  readonly message: MessageOf<'completion'>;
  readonly isRead: boolean;
  onShowInbox(): void;
  onDeliverAgain(): void;
}

export function CompletionBubble({ message, isRead, onShowInbox, onDeliverAgain }: CompletionBubbleProps) {
  const { completion, summary, flow, delivery } = message;
  if (!completion.params) {
    return (
      <div class="bubble">
        <p class="bubble-title">{flow} closed</p>
        <p>The answer had no params, so a real phone sends no message.</p>
      </div>
    );
  }
  return (
    <div class="bubble" data-completion={flow}>
      <p class="bubble-title">{completion.isSuccess ? `✓ ${flow}` : flow}</p>
      <p>{completion.by === 'endpoint' ? 'Response sent' : 'Response sent, by the complete action'}</p>
      {summary.length > 0 && (
        <details>
          <summary>What the person sees of it</summary>
          <dl class="summary">
            {summary.map(({ label, value }, index) => (
              <div key={index}>
                <dt>{label}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
      <details open>
        <summary>
          <code>nfm_reply</code>
        </summary>
        <Tree label="Parameters of the completion" value={completion.params} />
      </details>
      <DeliveryLine delivery={delivery} isRead={isRead} />
      <p class="bubble-note">
        <button type="button" class="link" onClick={onShowInbox}>
          See the inbox
        </button>
        {delivery && !isDelivered(delivery) && (
          <button type="button" class="link" onClick={onDeliverAgain}>
            Deliver again
          </button>
        )}
      </p>
    </div>
  );
}

function isDelivered({ report }: Delivery): boolean {
  return report?.status === 200;
}

interface DeliveryLineProps {
  readonly delivery: Delivery | undefined;
  readonly isRead: boolean;
}

function DeliveryLine({ delivery, isRead }: DeliveryLineProps) {
  const isGood = delivery !== undefined && isDelivered(delivery);
  return (
    <p class={delivery && !isGood ? 'delivery bad' : 'delivery'} role="status">
      {isGood && (
        <span class={isRead ? 'ticks read' : 'ticks'} aria-hidden="true">
          ✓✓{' '}
        </span>
      )}
      {delivery ? deliveryText(delivery) : 'Delivering…'}
      {isGood && isRead && ', read'}
    </p>
  );
}

export function deliveryText({ report, error }: Delivery): string {
  if (!report) return error ?? '';
  if (report.status !== 200) return `The webhook answered ${report.status}: Meta would try again`;
  return `Delivered to the webhook in ${formatMs(report.tookMs)}`;
}
