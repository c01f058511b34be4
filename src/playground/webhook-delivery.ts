/** The webhooks that the playground sends, as Meta would write them. */
import { delivery, toWireText } from '../testing/webhook-bodies.ts';
import { type FlowAlertName, flowAlert, type MetaEvent, nfmReply, textMessage } from '../testing/webhook-events.ts';
import type { AlertName, WebhookRequest } from './api.ts';
import { badRequest } from './api-error.ts';

/** @returns a body ready to be signed. @throws ApiError 400 for what nests too deep to be written. */
export function toDelivery(webhook: WebhookRequest): string {
  try {
    return toWireText(delivery([toEvent(webhook)]));
  } catch (error) {
    throw error instanceof RangeError ? badRequest('params nest too deep to be written as JSON') : error;
  }
}

function toEvent(webhook: WebhookRequest): MetaEvent {
  switch (webhook.kind) {
    case 'completion':
      return nfmReply({ token: webhook.token, params: webhook.params });
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
