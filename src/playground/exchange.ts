/** Brings what the page sends to the public port, signed, and tells what the service did meanwhile. */
import { randomUUID } from 'node:crypto';
import type { FlowDefinition } from '../flows/flow-definition.ts';
import { itemsIn } from '../webhooks/delivery.ts';
import type { ExchangeReport, WebhookReport, WebhookRequest } from './api.ts';
import type { Credentials } from './credentials.ts';
import { type PostedAnswer, post } from './post.ts';
import type { RequestRecord, RequestRecords } from './request-records.ts';
import { toDelivery } from './webhook-delivery.ts';

export interface ExchangeDeps {
  readonly publicUrl: string;
  readonly credentials: Pick<Credentials, 'sign'>;
  readonly records: RequestRecords;
}

/** @param body the envelope, signed and sent as it is. */
export async function exchange(flow: FlowDefinition, body: string, deps: ExchangeDeps): Promise<ExchangeReport> {
  const signature = await deps.credentials.sign(body, flow);
  const { answer, record } = await send(`/flows/${flow.name}`, body, signature, deps);
  const { stages, outcome, refusal, thrown } = record;
  const { bytes: responseBytes, ...answered } = answer;
  return {
    ...answered,
    requestBytes: Buffer.byteLength(body),
    responseBytes,
    stages: [...stages], // what ends later is not the answer's
    ...(outcome !== undefined && { outcome }),
    ...(refusal && { refusal }),
    ...(thrown !== undefined && { thrown }),
  };
}

export async function deliver(webhook: WebhookRequest, deps: ExchangeDeps): Promise<WebhookReport> {
  const { body, messageId } = toDelivery(webhook);
  const signature = await deps.credentials.sign(body);
  const { answer, record } = await send('/webhook', body, signature, deps);
  const { status, tookMs } = answer;
  const items = itemsIn(Buffer.from(body), 0).map(({ id }) => id);
  return {
    ...{ status, tookMs, body, items: items.filter((_, i) => record.areNew[i] === true) },
    ...(messageId !== undefined && { messageId }),
  };
}

async function send(
  path: string,
  body: string,
  signature: string,
  { publicUrl, records }: ExchangeDeps,
): Promise<{ answer: PostedAnswer; record: RequestRecord }> {
  const requestId = `playground-${randomUUID()}`;
  const record = records.expect(requestId);
  try {
    const headers = { 'X-Hub-Signature-256': signature, 'X-Request-Id': requestId };
    return { answer: await post(publicUrl + path, body, headers), record };
  } finally {
    records.forget(requestId);
  }
}
