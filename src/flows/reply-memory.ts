/**
 * Sees to it that a body answered before is answered alike, or not at all.
 *
 * The IV of a reply follows from the request, so two different plaintexts for one request would be sealed under one
 * key and IV, which breaks GCM. Real clients encrypt every retry anew; a repeated body comes from a proxy or an
 * attacker. It gets the same ciphertext while that is kept (and costs no RSA), then a bodiless 503.
 *
 * Each node remembers for itself. Where nodes share what they answered, a body that came to two of them is handled by both,
 * and then one ciphertext is sent by both: the first that was kept; the other is dropped, unsent.
 */
import type { Clock } from '../clock.ts';
import { codeOf, FlowgateError } from '../errors.ts';
import type { HttpReply } from '../http/server.ts';
import { FingerprintSet } from './fingerprint-set.ts';

/** What all nodes answered in the last minute. */
export interface SharedReplies {
  /**
   * Keeps `reply`, sealed and not yet sent, unless another node has kept one for this body before.
   *
   * Rejects with `REPLY_FORGOTTEN` when another node has answered, with a reply too large to keep.
   * @returns the reply to send: the one kept first; `reply` itself when that cannot be told in time.
   */
  keep(fingerprint: string, reply: HttpReply): Promise<HttpReply>;
}

/** Replies are kept at least this long, unless there are more of them than the bytes below. */
const KEEP_REPLY_MS = 60_000;
const MAX_REPLY_BYTES = 8 * 1024 * 1024;
/** Fingerprints are kept at least this long, unless there are more of them (4 MB for that many). */
const KEEP_FINGERPRINT_MS = 5 * 60_000;
const FINGERPRINTS = 1 << 18;

export interface ReplyMemoryLimits {
  readonly keepReplyMs: number;
  readonly maxReplyBytes: number;
  readonly keepFingerprintMs: number;
  /** Kept at least; a power of two. Up to twice as many are. */
  readonly fingerprints: number;
}

/**
 * Both memories forget by generations: the newer one takes everything in, and when it is full or old it becomes the
 * older one, whose content is dropped. Dropping entries one by one from the front of a Map cost 10 us a request.
 */
interface ReplyGeneration {
  readonly replies: Map<string, HttpReply>;
  readonly startedMs: number;
  bytes: number;
}

export class ReplyMemory {
  readonly #clock: Clock;
  readonly #limits: ReplyMemoryLimits;
  readonly #shared: SharedReplies | undefined;
  readonly #pending = new Map<string, Promise<HttpReply>>();
  #kept: ReplyGeneration;
  #keptBefore: ReplyGeneration;
  #answered: FingerprintSet;
  #answeredBefore: FingerprintSet;
  #answeredSinceMs: number;

  constructor(clock: Clock, limits: Partial<ReplyMemoryLimits> = {}, shared?: SharedReplies) {
    this.#clock = clock;
    this.#shared = shared;
    this.#limits = {
      keepReplyMs: KEEP_REPLY_MS,
      maxReplyBytes: MAX_REPLY_BYTES,
      keepFingerprintMs: KEEP_FINGERPRINT_MS,
      fingerprints: FINGERPRINTS,
      ...limits,
    };
    this.#kept = newGeneration(clock.nowMs());
    this.#keptBefore = newGeneration(clock.nowMs());
    this.#answered = new FingerprintSet(this.#limits.fingerprints);
    this.#answeredBefore = new FingerprintSet(this.#limits.fingerprints);
    this.#answeredSinceMs = clock.nowMs();
  }

  /** Ciphertext held, in bytes; never above the limit. */
  get replyBytes(): number {
    return this.#kept.bytes + this.#keptBefore.bytes;
  }

  /**
   * Answers by `seal`, at most once for a fingerprint whose reply was sealed. A `seal` that rejects sealed nothing, so
   * the body may be tried again. While one is under way its twins wait for the same answer.
   * Rejects with `REPLY_FORGOTTEN` when this body was answered, here or by another node, and the reply is not kept.
   */
  once(fingerprint: string, seal: () => Promise<HttpReply>): Promise<HttpReply> {
    const kept = this.#kept.replies.get(fingerprint) ?? this.#keptBefore.replies.get(fingerprint);
    if (kept) return Promise.resolve(kept);
    if (this.#wasAnswered(fingerprint)) return Promise.reject(replyForgotten());
    return this.#pending.get(fingerprint) ?? this.#sealOnce(fingerprint, seal);
  }

  #wasAnswered(fingerprint: string): boolean {
    const low = word(fingerprint, 0);
    const high = word(fingerprint, 4);
    return this.#answered.has(low, high) || this.#answeredBefore.has(low, high);
  }

  #sealOnce(fingerprint: string, seal: () => Promise<HttpReply>): Promise<HttpReply> {
    const pending = this.#shared ? this.#sealAndShare(fingerprint, seal, this.#shared) : seal();
    this.#pending.set(fingerprint, pending);
    pending.then(
      (reply) => {
        const nowMs = this.#clock.nowMs();
        this.#rememberAnswered(fingerprint, nowMs);
        this.#keep(fingerprint, reply, nowMs);
        this.#pending.delete(fingerprint);
      },
      (error) => {
        if (codeOf(error) === 'REPLY_FORGOTTEN') this.#rememberAnswered(fingerprint, this.#clock.nowMs());
        this.#pending.delete(fingerprint);
      },
    );
    return pending;
  }

  async #sealAndShare(fingerprint: string, seal: () => Promise<HttpReply>, shared: SharedReplies): Promise<HttpReply> {
    return shared.keep(fingerprint, await seal());
  }

  #rememberAnswered(fingerprint: string, nowMs: number): void {
    const { keepFingerprintMs, fingerprints } = this.#limits;
    if (nowMs - this.#answeredSinceMs >= keepFingerprintMs || this.#answered.size >= fingerprints) {
      [this.#answered, this.#answeredBefore] = [this.#answeredBefore, this.#answered];
      this.#answered.clear();
      this.#answeredSinceMs = nowMs;
    }
    this.#answered.add(word(fingerprint, 0), word(fingerprint, 4));
  }

  #keep(fingerprint: string, reply: HttpReply, nowMs: number): void {
    const { keepReplyMs, maxReplyBytes } = this.#limits;
    const bytes = (reply.body?.length ?? 0) + fingerprint.length;
    if (bytes > maxReplyBytes / 2) return;
    if (this.#kept.bytes + bytes > maxReplyBytes / 2 || nowMs - this.#kept.startedMs >= keepReplyMs) {
      this.#keptBefore = this.#kept;
      this.#kept = newGeneration(nowMs);
    }
    this.#kept.replies.set(fingerprint, reply);
    this.#kept.bytes += bytes;
  }
}

export function replyForgotten(): FlowgateError {
  return new FlowgateError('REPLY_FORGOTTEN', 'this body was answered before, and the answer is no longer kept');
}

function newGeneration(startedMs: number): ReplyGeneration {
  return { replies: new Map(), startedMs, bytes: 0 };
}

/** Four Latin-1 characters of a fingerprint as an unsigned integer. */
function word(fingerprint: string, at: number): number {
  const low = fingerprint.charCodeAt(at) | (fingerprint.charCodeAt(at + 1) << 8);
  const high = fingerprint.charCodeAt(at + 2) | (fingerprint.charCodeAt(at + 3) << 8);
  return (low | (high << 16)) >>> 0;
}
