/** An envelope and how it opens: RSA wherever the unwrapper does it, AES here. */
import { randomBytes } from 'node:crypto';
import { FlowgateError } from '../errors.ts';
import type { UnwrapTrace } from '../tracing/tracing.ts';
import { AES_KEY_BYTES, openPayload, type ReplyKey } from './flow-cipher.ts';
import type { KeyRing } from './keyring.ts';

/** Whoever unwraps AES keys: the decrypt pool, or in a bench another way to do it. */
export interface KeyUnwrapper {
  /** True while `unwrap` would refuse: known before a body is read or a signature checked. */
  readonly isSaturated: boolean;
  unwrap(request: UnwrapRequest): Promise<Buffer | undefined>;
  /** Why nothing is unwrapped at present, if nothing is; absent where that is not known. */
  readonly problem?: string | undefined;
  /** Serves with other keys from now on, losing no request; absent where that is not to be had. */
  replaceKeys?(keys: KeyRing): Promise<void>;
  close(): Promise<void>;
}

export interface UnwrapRequest {
  readonly wrappedKey: Buffer;
  /** The only keys that may be tried; undefined: those that the unwrapper was started with. */
  readonly keys?: KeyRing | undefined;
  /** Monotonic ms. */
  readonly deadlineMs: number;
  /** Of the whole request, which stays in memory while it waits. */
  readonly bytes: number;
  /** True once the client is gone. */
  readonly isCancelled: () => boolean;
  readonly trace?: UnwrapTrace | undefined;
}

/** The three parts of a request, decoded; their lengths are not yet checked. */
export interface SealedEnvelope {
  readonly wrappedKey: Buffer;
  readonly sealedPayload: Buffer;
  readonly iv: Buffer;
}

/** The plaintext, with what sealing the reply needs. */
export interface Opened extends ReplyKey {
  readonly text: string;
}

const DECOY_KEY = randomBytes(AES_KEY_BYTES);

/**
 * Opens the payload with the unwrapped key.
 *
 * @param aesKey undefined when no private key opened it. That pays for AES all the same, with a key that cannot fit, so
 *   that the time does not tell which of the two it was.
 * @throws FlowgateError `DECRYPTION_FAILED`, one code for a wrong key, length, padding or tag.
 */
export function openEnvelope({ sealedPayload, iv }: SealedEnvelope, aesKey: Buffer = DECOY_KEY): Opened {
  const plaintext = openPayload(sealedPayload, iv, aesKey);
  if (!plaintext) throw new FlowgateError('DECRYPTION_FAILED', 'no private key of this server opens the request');
  return { text: plaintext.toString('utf8'), aesKey, requestIv: iv };
}
