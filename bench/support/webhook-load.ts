/**
 * Webhook deliveries as Meta sends them: text messages, every one with an id of its own, signed before they are needed.
 *
 * A delivery is written once. For each further one its ids are overwritten and it is signed anew: 6 us for a single
 * message, where a general writer would take ten times as long.
 */
import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { delivery, textMessage, toWireText } from '../../dist/testing/index.js';
import type { Credentials } from './credentials.ts';
import { type Load, type ReadyRequest, RequestStock, requestBytes } from './request-stock.ts';
import type { Scale } from './scale.ts';

const ID_HEAD = 'wamid.HBgLMTY1MDU1NTEyMzQVAgASGBQz';
/** What tells one id from another: random for a process, then counted. */
const RANDOM_DIGITS = 12;
const COUNTED_DIGITS = 12;
const BLANK = '0'.repeat(RANDOM_DIGITS + COUNTED_DIGITS);
const SIGNATURE_HEAD = 'sha256=';
const TEXT =
  'Hello, I would like to move my appointment of next Tuesday to the afternoon, if you still have a time ' +
  'left after two. Otherwise Thursday morning, please.';

/** No server acknowledges more in a second; what is short then is signed when it is needed. */
const MOST_EVENTS_PER_SEC = 15_000;
const MOST_BATCHED_EVENTS_PER_SEC = 40_000;

const ownDigits = randomBytes(RANDOM_DIGITS / 2)
  .toString('hex')
  .toUpperCase();
let count = 0;

/** Never the same twice, in any process. */
export function nextMessageId(): string {
  return `${ID_HEAD}${nextDigits()}AA==`;
}

/** The body of one delivery with a text message for each id, each from another person: 700 bytes for one. */
export function deliveryText(ids: readonly string[]): string {
  const at = new Date();
  const messages = ids.map((id, i) => {
    const number = String(i).padStart(4, '0');
    const user = { waId: `1650555${number}`, userId: `US.1349120865530274${number}`, name: 'Sheena Nelson' };
    return textMessage(TEXT, { id, user, at });
  });
  return toWireText(delivery(messages));
}

/** @param batch messages in each delivery. */
export function signedDeliveries({ appSecret }: Credentials, batch: number): () => ReadyRequest {
  const key = createSecretKey(appSecret, 'utf8');
  const body = deliveryText(Array.from({ length: batch }, () => `${ID_HEAD}${BLANK}AA==`));
  const headers = { 'Content-Type': 'application/json', 'X-Hub-Signature-256': SIGNATURE_HEAD + '0'.repeat(64) };
  const template = requestBytes('POST', '/webhook', headers, body);
  const bodyStart = template.byteLength - body.length;
  const signatureStart = template.indexOf(SIGNATURE_HEAD) + SIGNATURE_HEAD.length;
  const idStarts = [...body.matchAll(new RegExp(BLANK, 'g'))].map(({ index }) => bodyStart + index);
  return () => {
    const bytes = Buffer.from(template);
    for (const start of idStarts) bytes.write(nextDigits(), start, 'latin1');
    const signature = createHmac('sha256', key).update(bytes.subarray(bodyStart)).digest('hex');
    bytes.write(signature, signatureStart, 'latin1');
    return { bytes, open: undefined };
  };
}

/** Deliveries, and how many of their events were acknowledged. */
export class DeliveryLoad implements Load {
  /** Events of the deliveries that were answered 200, ever. */
  acknowledged = 0;
  readonly #batch: number;
  readonly #stock: RequestStock;

  constructor(credentials: Credentials, batch = 1) {
    this.#batch = batch;
    this.#stock = new RequestStock(signedDeliveries(credentials, batch));
  }

  /** Signs as many as a closed loop can use up in that time: some 200 MB for the longest. */
  fillFor({ warmUpMs, measuredMs }: Pick<Scale, 'warmUpMs' | 'measuredMs'>): void {
    const perSec = (this.#batch === 1 ? MOST_EVENTS_PER_SEC : MOST_BATCHED_EVENTS_PER_SEC) / this.#batch;
    this.fill((perSec * (warmUpMs + measuredMs)) / 1_000);
  }

  fill(deliveries: number): void {
    this.#stock.fill(deliveries);
  }

  next(): ReadyRequest {
    return this.#stock.next();
  }

  mistakeIn(status: number): string | undefined {
    if (status !== 200) return `a webhook delivery was answered ${status}`;
    this.acknowledged += this.#batch;
    return undefined;
  }
}

function nextDigits(): string {
  return ownDigits + (count++).toString(16).toUpperCase().padStart(COUNTED_DIGITS, '0');
}
