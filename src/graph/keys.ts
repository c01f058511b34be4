/**
 * The public key of a business number at Meta, by which phones encrypt what they send to its Flows.
 *
 * One key a number: an upload replaces it. Phones keep the key they have until a request of theirs is answered 421.
 * Source: Meta, "WhatsApp Business encryption".
 */
import { isObject, type JsonObject, nonEmptyString } from '../json.ts';
import { callGraph, type GraphOptions, toEndpoint } from './call.ts';
import type { GraphAction } from './graph-error.ts';

const PATH = 'whatsapp_business_encryption';
const UPLOAD: GraphAction = { label: 'upload the public key', sends: false, wants: '"success": true' };
const READ: GraphAction = { label: 'read the public key', sends: false, wants: 'a key or its absence' };

/** `MISMATCH`: Meta's signature does not fit the key; upload it again. `UNKNOWN`: a word that Meta does not document. */
export const KEY_STATUSES = ['VALID', 'MISMATCH', 'UNKNOWN'] as const;
export type KeyStatus = (typeof KEY_STATUSES)[number];

export interface PublishedKey {
  /** SPKI. */
  readonly pem: string;
  readonly status: KeyStatus;
}

/** Each rejects with a GraphError, or with the reason of `signal` once that is aborted. */
export interface GraphKeys {
  /** @param pem SPKI, with its line breaks. Phones use it from their next download on. */
  uploadPublicKey(pem: string, signal?: AbortSignal): Promise<void>;
  /** @returns undefined when the number has no key. */
  readPublicKey(signal?: AbortSignal): Promise<PublishedKey | undefined>;
}

/** @throws TypeError for options no call could work with. */
export function createGraphKeys(options: GraphOptions): GraphKeys {
  const endpoint = toEndpoint(options);
  return {
    async uploadPublicKey(pem, signal) {
      const body = new URLSearchParams({ business_public_key: pem });
      await callGraph(endpoint, { action: UPLOAD, path: PATH, body, signal, read: isSuccess });
    },
    async readPublicKey(signal) {
      const { key } = await callGraph(endpoint, { action: READ, path: PATH, signal, read: publishedKeyOf });
      return key;
    },
  };
}

function isSuccess({ success }: JsonObject): true | undefined {
  return success === true ? true : undefined;
}

/** Meta's reference wraps the key in `data`, its guide does not. @returns undefined for what is neither. */
function publishedKeyOf(reply: JsonObject): { key: PublishedKey | undefined } | undefined {
  const { data } = reply;
  const entry = Array.isArray(data) ? (data[0] ?? {}) : 'business_public_key' in reply ? reply : undefined;
  if (!isObject(entry)) return undefined;
  const pem = nonEmptyString(entry['business_public_key']);
  const word = entry['business_public_key_signature_status'];
  const status = KEY_STATUSES.find((known) => known === word) ?? 'UNKNOWN';
  return { key: pem === undefined ? undefined : { pem, status } };
}
