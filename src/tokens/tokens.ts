/**
 * Flow tokens that tell who the user is, expire, and can be good for one completion only.
 *
 * A flow token is the only thing of a request that says whose it is. One that the app chose itself proves nothing, as
 * anybody may send it; a minted one cannot be guessed, and is known here until it expires or is revoked.
 */
import { type Duration, toMs } from '../duration.ts';
import type { FlowRequest } from '../flows/protocol.ts';
import { payloadHash, stateKey } from '../state/state-key.ts';
import type { StateStore } from '../state/state-store.ts';
import { looksMinted, newToken, parseTokenRecord, type TokenRecord, type TokenUse } from './minted-token.ts';

/** What the user of a dead token reads. */
export const DEAD_TOKEN_MESSAGE = 'This form is no longer available.';
export const MAX_USER_CHARS = 256;
/** Of an answer that a used token keeps for the user's retry, as UTF-8. */
export const MAX_USED_TEXT_BYTES = 64 * 1024;
/** Meta's advice: two or three days. */
const DEFAULT_TTL: Duration = '3d';
const MAX_TTL: Duration = '30d';
/** A used token is as dead as one that is unknown: it is kept only for the retries of the submit that used it. */
const KEEP_USED_MS = 24 * 60 * 60_000;

export interface MintOptions {
  /** Your id of the user, 1 to 256 characters: what `c.user` says. */
  readonly user: string;
  /** The Flow it is for; dead in any other. */
  readonly flow: string;
  /** Up to 30 days; 3 days unless given. */
  readonly ttl?: Duration;
  /** Dead once its Flow is completed by `c.complete`. */
  readonly singleUse?: boolean;
}

/** `optional`: a token that does not look minted passes, without a user. `required`: it is dead. */
export type TokenMode = 'optional' | 'required';

/** A request, as far as it tells one submit from another. */
export type TokenRequest = Pick<FlowRequest, 'action' | 'screen' | 'data' | 'token'>;

/** Of a minted token that was found alive. */
export interface LiveToken {
  readonly user: string;
  readonly singleUse: boolean;
  /** Where it was found, for `use`. */
  readonly at: { readonly key: string; readonly version: number };
}

/** Expired, revoked and never minted are one to who asks: all are unknown. */
export type DeadReason = 'missing' | 'not_minted' | 'unknown' | 'used';

export type TokenVerdict =
  | { readonly state: 'unverified' } // not minted, and need not be
  | { readonly state: 'live'; readonly token: LiveToken }
  | { readonly state: 'answered'; readonly user: string; readonly text: string } // the very submit that used it, again
  | { readonly state: 'dead'; readonly reason: DeadReason };

export interface TokenDeps {
  readonly state: StateStore;
  readonly randomBytes: (size: number) => Buffer;
}

/** Every call rejects with `STATE_UNAVAILABLE` when the store is away. */
export class Tokens {
  readonly #deps: TokenDeps;

  constructor(deps: TokenDeps) {
    this.#deps = deps;
  }

  /** @returns a token to send as `flow_token`. Rejects with a TypeError for options out of bounds. */
  async mint({ user, flow, ttl = DEFAULT_TTL, singleUse = false }: MintOptions): Promise<string> {
    if (typeof user !== 'string' || user === '' || user.length > MAX_USER_CHARS) {
      throw new TypeError(`user must be a text of 1 to ${MAX_USER_CHARS} characters`);
    }
    if (typeof flow !== 'string' || flow === '') throw new TypeError('flow must be the name of a Flow');
    if (typeof singleUse !== 'boolean') throw new TypeError('singleUse must be true or false');
    const { state, randomBytes } = this.#deps;
    const ttlMs = toMs('ttl', ttl, MAX_TTL);
    const token = newToken(flow, randomBytes);
    const record: TokenRecord = { user, singleUse };
    const isNew = await state.put(keyOf(flow, token), { value: JSON.stringify(record), ttlMs, ifVersion: 0 });
    if (isNew === undefined) throw new TypeError('this token was minted before: its randomness is none');
    return token;
  }

  /** @returns undefined for a token that is malformed, unknown, expired, revoked, used, or another Flow's. */
  async verify(flow: string, token: string | undefined): Promise<{ readonly user: string } | undefined> {
    const found = token === undefined ? undefined : await this.#find(flow, token);
    return found && !found.record.used ? { user: found.record.user } : undefined;
  }

  /** @returns false when there was no such token, or no more. */
  async revoke(token: string): Promise<boolean> {
    const flow = token.slice(0, token.lastIndexOf(':'));
    return looksMinted(flow, token) && this.#deps.state.delete(keyOf(flow, token));
  }

  /** What a request's token is worth. One read of the store for a token that looks minted, none for others. */
  async check(flow: string, request: TokenRequest, mode: TokenMode): Promise<TokenVerdict> {
    const { token } = request;
    if (token === undefined || !looksMinted(flow, token)) {
      if (mode === 'optional') return { state: 'unverified' };
      return { state: 'dead', reason: token === undefined || token === 'unused' ? 'missing' : 'not_minted' };
    }
    const found = await this.#find(flow, token);
    if (!found) return { state: 'dead', reason: 'unknown' };
    const { key, version, record } = found;
    const { user, singleUse, used } = record;
    if (!used) return { state: 'live', token: { user, singleUse, at: { key, version } } };
    const text = textFor(request, used);
    return text === undefined ? { state: 'dead', reason: 'used' } : { state: 'answered', user, text };
  }

  /**
   * Uses up a single-use token with the completion `text`; of completions at the same time one wins.
   * @returns what to answer: `text`, or what the very same submit was answered before; undefined when another submit
   *   used the token, or it was revoked or expired meanwhile: it is dead.
   */
  async use({ user, at }: LiveToken, request: TokenRequest, text: string): Promise<string | undefined> {
    const { state } = this.#deps;
    const isKept = Buffer.byteLength(text) <= MAX_USED_TEXT_BYTES;
    const used: TokenUse = { submit: submitHash(request), ...(isKept && { text }) };
    const value = JSON.stringify({ user, singleUse: true, used } satisfies TokenRecord);
    const written = await state.put(at.key, { value, ttlMs: KEEP_USED_MS, ifVersion: at.version });
    if (written !== undefined) return text;
    const now = await state.get(at.key);
    const usedBefore = now && parseTokenRecord(now.value)?.used;
    return usedBefore && textFor(request, usedBefore);
  }

  async #find(flow: string, token: string): Promise<Found | undefined> {
    if (!looksMinted(flow, token)) return undefined;
    const key = keyOf(flow, token);
    const found = await this.#deps.state.get(key);
    const record = found && parseTokenRecord(found.value);
    return record && { key, version: found.version, record };
  }
}

interface Found {
  readonly key: string;
  readonly version: number;
  readonly record: TokenRecord;
}

function keyOf(flow: string, token: string): string {
  return stateKey('token', flow, token);
}

function textFor(request: TokenRequest, { submit, text }: TokenUse): string | undefined {
  return submit === submitHash(request) ? text : undefined;
}

function submitHash({ action, screen = '', data }: TokenRequest): string {
  return payloadHash([action, screen, data]);
}
