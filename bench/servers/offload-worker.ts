/** The worker of the offload engine: a signed body in, a sealed reply out. */
import type { KeyObject } from 'node:crypto';
import { workerData } from 'piscina';
import { openPayload, sealReply, unwrapAesKey } from '../../dist/crypto/flow-cipher.js';
import { parseEnvelope, parseFlowRequest } from '../../dist/flows/protocol.js';
import { toAppSecrets, verifySignature } from '../../dist/http/signature.js';
import { departments } from '../../examples/booking/calendar.ts';

export interface OffloadData {
  readonly appSecret: string;
  readonly privateKeys: readonly KeyObject[];
}

export interface SignedBody {
  readonly body: string;
  readonly signature: string | undefined;
}

const { appSecret, privateKeys } = workerData as OffloadData;
const appSecrets = toAppSecrets([appSecret]);

/** @returns '' for a request that does not open. */
export default function answerBatch(batch: readonly SignedBody[]): string[] {
  return batch.map(answer);
}

function answer({ body, signature }: SignedBody): string {
  const { wrappedKey, sealedPayload, iv } = parseEnvelope(verifySignature(Buffer.from(body), signature, appSecrets));
  const aesKey = unwrapAesKey(wrappedKey, privateKeys);
  const plaintext = aesKey && openPayload(sealedPayload, iv, aesKey);
  if (!plaintext) return '';
  const { screen } = parseFlowRequest(plaintext.toString('utf8'));
  return sealReply(JSON.stringify({ screen, data: { departments } }), { aesKey, requestIv: iv });
}
