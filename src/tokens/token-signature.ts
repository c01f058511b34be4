/**
 * `flow_token_signature`: Meta's word that a flow token is the one of the message that the user opened.
 *
 * A JWT, HMAC-SHA256 with the app secret, sent by clients of data API 4.0 and Flow JSON 7.3 on. Meta names no claim, so
 * a token counts as signed when any claim is that token.
 * Source: Meta, "Implementing Endpoint for Flows", data exchange request.
 */
import type { KeyObject } from 'node:crypto';
import { errors, type JWTPayload, jwtVerify } from 'jose';
import type { Clock } from '../clock.ts';
import type { AppSecrets } from '../http/signature.ts';
import { isObject } from '../json.ts';

/** Looked at before anything is decoded. */
export const MAX_SIGNATURE_CHARS = 8 * 1024;
/** Of `exp` and `nbf`, where they are given: the clocks of two companies. */
const CLOCK_TOLERANCE_S = 5 * 60;

/** `optional`: verified where it is present. `required`: a request without one has a dead token. `off`: not looked at. */
export type SignatureMode = 'optional' | 'required' | 'off';

/** Few-valued, for a metric; `other_token`: signed by Meta, and none of its claims is this flow token. */
export type SignatureFault = 'missing' | 'malformed' | 'forged' | 'expired' | 'other_token';

export type SignatureVerdict =
  | { readonly ok: true; readonly state: 'verified' | 'absent' }
  | { readonly ok: false; readonly reason: SignatureFault };

export interface SignatureDeps {
  readonly secrets: AppSecrets;
  readonly clock: Clock;
}

/** Costs about 0.1 ms, of which most is spent off the event loop. Never rejects. */
export async function verifyTokenSignature(
  { token, tokenSignature }: { readonly token: string | undefined; readonly tokenSignature: string | undefined },
  mode: SignatureMode,
  deps: SignatureDeps,
): Promise<SignatureVerdict> {
  if (mode === 'off') return { ok: true, state: 'absent' };
  if (tokenSignature === undefined) {
    return mode === 'optional' ? { ok: true, state: 'absent' } : { ok: false, reason: 'missing' };
  }
  if (tokenSignature.length > MAX_SIGNATURE_CHARS) return { ok: false, reason: 'malformed' };
  const claims = await openSignature(tokenSignature, deps);
  if (typeof claims === 'string') return { ok: false, reason: claims };
  const isSigned = token !== undefined && hasClaim(claims, token);
  return isSigned ? { ok: true, state: 'verified' } : { ok: false, reason: 'other_token' };
}

/** By the first secret that made it: there are several while one is being reset. */
async function openSignature(jwt: string, { secrets, clock }: SignatureDeps): Promise<JWTPayload | SignatureFault> {
  const now = new Date(clock.epochMs());
  for (const secret of secrets) {
    const opened = await openWith(secret, jwt, now);
    if (opened !== 'forged') return opened;
  }
  return 'forged';
}

async function openWith(secret: KeyObject, jwt: string, currentDate: Date): Promise<JWTPayload | SignatureFault> {
  try {
    const options = { algorithms: ['HS256'], currentDate, clockTolerance: CLOCK_TOLERANCE_S };
    return (await jwtVerify(jwt, secret, options)).payload;
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return 'forged';
    const isUntimely = error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed;
    return isUntimely ? 'expired' : 'malformed';
  }
}

/** Among the claims, and one level into those that are objects or lists. */
function hasClaim(claims: JWTPayload, token: string): boolean {
  return Object.values(claims).some(
    (claim) => claim === token || ((isObject(claim) || Array.isArray(claim)) && Object.values(claim).includes(token)),
  );
}
