/** The webhooks that the playground sends, as Meta would write them. */
import { delivery, toWireText } from '../testing/webhook-bodies.ts';
import { type FlowAlertName, flowAlert, type MetaEvent, nfmReply, textMessage } from '../testing/webhook-events.ts';
import type { AlertName, WebhookRequest } from './api.ts';
import { badRequest } from './api-error.ts';

export interface Delivery {
  /** Ready to be signed. */
  readonly body: string;
  /** The wamid; undefined for an alert. */
  readonly messageId: string | undefined;
}

/** From the one number and the one person of the test kit. @throws ApiError 400 for what nests too deep to be written. */
export function toDelivery(webhook: WebhookRequest): Delivery {
  try {
    const event = toEvent(webhook);
    const messageId = event.kind === 'messages' ? String(event.item['id']) : undefined;
    return { body: toWireText(delivery([event])), messageId };
  } catch (error) {
    throw error instanceof RangeError ? badRequest('params nest too deep to be written as JSON') : error;
  }
}

function toEvent(webhook: WebhookRequest): MetaEvent {
  switch (webhook.kind) {
    case 'completion':
      return nfmReply(webhook, webhook.replyTo === undefined ? {} : { replyTo: webhook.replyTo });
    case 'text':
      return textMessage(webhook.text);
    case 'alert':
      return flowAlert(ALERT_NAMES[webhook.alert], { alert_state: webhook.isActive ? 'ACTIVATED' : 'DEACTIVATED' });
  }
}

const ALERT_NAMES: Readonly<Record<AlertName, FlowAlertName>> = {
  client_error_rate: 'CLIENT_ERROR_RATE',
  endpoint_error_rate: 'ENDPOINT_ERROR_RATE',
  endpoint_latency: 'ENDPOINT_LATENCY',
  endpoint_availability: 'ENDPOINT_AVAILABILITY',
};
