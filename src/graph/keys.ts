/**
 * The public key of a business number at Meta, by which phones encrypt what they send to its Flows.
 *
 * One key a number: an upload replaces it. Phones keep the key they have until a request of theirs is answered 421.
 * Source: Meta, "WhatsApp Business encryption".
 */
import { isObject, type JsonObject, nonEmptyString } from '../json.ts';
import { callGraph, isSuccess } from './call.ts';
import { type GraphConnection, graphId, toEndpoint } from './endpoint.ts';
import type { GraphAction } from './graph-error.ts';

const OF_NUMBER = { isRepeatable: true, about: 'number' };
const UPLOAD: GraphAction = { label: 'upload the public key', wants: '"success": true', ...OF_NUMBER };
const READ: GraphAction = { label: 'read the public key', wants: 'a key or its absence', ...OF_NUMBER };

/** `MISMATCH`: Meta's signature does not fit the key; upload it again. `UNKNOWN`: a word that Meta does not document. */
export const KEY_STATUSES = ['VALID', 'MISMATCH', 'UNKNOWN'] as const;
export type KeyStatus = (typeof KEY_STATUSES)[number];

export interface PublishedKey {
  /** SPKI. */
  readonly pem: string;
  readonly status: KeyStatus;
}

export interface GraphKeysOptions extends GraphConnection {
  /** The id of the number, not the number. */
  readonly phoneNumberId: string;
}

/**
 * Each rejects with a GraphError, or with the reason of `signal` once that is aborted. One try each: somebody waits to see
 * what Meta says.
 */
export interface GraphKeys {
  /** @param pem SPKI, with its line breaks. Phones use it from their next download on. */
  uploadPublicKey(pem: string, signal?: AbortSignal): Promise<void>;
  /** @returns undefined when the number has no key. */
  readPublicKey(signal?: AbortSignal): Promise<PublishedKey | undefined>;
}

/** @throws TypeError for options no call could work with. */
export function createGraphKeys(options: GraphKeysOptions): GraphKeys {
  const endpoint = toEndpoint(options);
  const path = `${graphId('phoneNumberId', options.phoneNumberId, 'the number')}/whatsapp_business_encryption`;
  return {
    async uploadPublicKey(pem, signal) {
      const body = new URLSearchParams({ business_public_key: pem });
      await callGraph(endpoint, { action: UPLOAD, path, body, signal, read: isSuccess });
    },
    async readPublicKey(signal) {
      const { key } = await callGraph(endpoint, { action: READ, path, signal, read: publishedKeyOf });
      return key;
    },
  };
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
