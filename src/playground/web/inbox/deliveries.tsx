/** The webhooks that the page had delivered, with their bodies as Meta writes them. */
import { useState } from 'preact/hooks';
import type { JsonValue } from '../../../json.ts';
import { deliveryText } from '../chat/bubbles.tsx';
import { Tree } from '../inspector/tree.tsx';
import type { WebhookRecord } from '../session/chat-messages.ts';

export function Deliveries({ webhooks }: { readonly webhooks: readonly WebhookRecord[] }) {
  if (webhooks.length === 0) return null;
  return (
    <>
      <h2>Deliveries</h2>
      <ul class="deliveries">
        {[...webhooks].reverse().map((webhook) => (
          <li key={webhook.id}>
            <DeliveryRow webhook={webhook} />
          </li>
        ))}
      </ul>
    </>
  );
}

function DeliveryRow({ webhook }: { readonly webhook: WebhookRecord }) {
  const [isOpen, setOpen] = useState(false);
  const { request, report } = webhook;
  return (
    <>
      <button
        type="button"
        class="tree-toggle"
        aria-expanded={isOpen}
        disabled={!report}
        onClick={() => setOpen(!isOpen)}
      >
        <strong>{request.kind === 'alert' ? request.alert.replaceAll('_', ' ') : request.kind}</strong>{' '}
        {deliveryText(webhook)}
        {report && report.items.length === 0 && ' · stored nothing new'}
      </button>
      {isOpen && report && <Tree label="Webhook body" value={parsed(report.body)} />}
    </>
  );
}

function parsed(body: string): JsonValue {
  try {
    return JSON.parse(body) as JsonValue;
  } catch {
    return body;
  }
}
