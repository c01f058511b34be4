/**
 * Sees to it that a body answered before is answered alike, or not at all.
 *
 * The IV of a reply follows from the request, so two different plaintexts for one request would be sealed under one
 * key and IV, which breaks GCM. Real clients encrypt every retry anew; a repeated body comes from a proxy or an
 * attacker. It gets the same ciphertext while that is kept (and costs no RSA), then a bodiless 503.
 */
import type { Clock } from '../clock.ts';
import { FlowgateError } from '../errors.ts';
import type { HttpReply } from '../http/server.ts';

/** Replies are kept this long, and no more of them than the bytes below. */
const KEEP_REPLY_MS = 60_000;
const MAX_REPLY_BYTES = 16 * 1024 * 1024;
/** Fingerprints are kept in two generations: each lasts this long, or until it holds this many (about 15 MB each). */
const GENERATION_MS = 5 * 60_000;
const GENERATION_SIZE = 1 << 18;

export interface ReplyMemoryLimits {
  readonly keepReplyMs: number;
  readonly maxReplyBytes: number;
  readonly generationMs: number;
  readonly generationSize: number;
}

interface KeptReply {
  readonly reply: HttpReply;
  readonly bytes: number;
  readonly keptAtMs: number;
}

export class ReplyMemory {
  readonly #clock: Clock;
  readonly #limits: ReplyMemoryLimits;
  readonly #pending = new Map<string, Promise<HttpReply>>();
  /** Oldest first: a Map keeps the order of insertion. */
  readonly #replies = new Map<string, KeptReply>();
  #replyBytes = 0;
  #answered = new Set<string>();
  #answeredBefore = new Set<string>();
  #generationStartedMs: number;

  constructor(clock: Clock, limits: Partial<ReplyMemoryLimits> = {}) {
    this.#clock = clock;
    this.#limits = {
      keepReplyMs: KEEP_REPLY_MS,
      maxReplyBytes: MAX_REPLY_BYTES,
      generationMs: GENERATION_MS,
      generationSize: GENERATION_SIZE,
      ...limits,
    };
    this.#generationStartedMs = clock.nowMs();
  }

  /** Ciphertext held, in bytes; never above the limit. */
  get replyBytes(): number {
    return this.#replyBytes;
  }

  /**
   * Answers by `seal`, at most once for a fingerprint whose reply was sealed. A `seal` that rejects sealed nothing, so
   * the body may be tried again. While one is under way its twins wait for the same answer.
   * Rejects with `REPLY_FORGOTTEN` when this body was answered and the reply is no longer kept.
   */
  async once(fingerprint: string, seal: () => Promise<HttpReply>): Promise<HttpReply> {
    const kept = this.#replies.get(fingerprint);
    if (kept && this.#clock.nowMs() - kept.keptAtMs < this.#limits.keepReplyMs) return kept.reply;
    if (this.#answered.has(fingerprint) || this.#answeredBefore.has(fingerprint)) {
      throw new FlowgateError('REPLY_FORGOTTEN', 'this body was answered before, and the answer is no longer kept');
    }
    const pending = this.#pending.get(fingerprint) ?? this.#sealOnce(fingerprint, seal);
    return pending;
  }

  async #sealOnce(fingerprint: string, seal: () => Promise<HttpReply>): Promise<HttpReply> {
    const pending = seal();
    this.#pending.set(fingerprint, pending);
    try {
      const reply = await pending;
      this.#remember(fingerprint, reply);
      return reply;
    } finally {
      this.#pending.delete(fingerprint);
    }
  }

  #remember(fingerprint: string, reply: HttpReply): void {
    const nowMs = this.#clock.nowMs();
    const { generationMs, generationSize, maxReplyBytes } = this.#limits;
    if (nowMs - this.#generationStartedMs >= generationMs || this.#answered.size >= generationSize) {
      this.#answeredBefore = this.#answered;
      this.#answered = new Set();
      this.#generationStartedMs = nowMs;
    }
    this.#answered.add(fingerprint);

    const bytes = (reply.body?.length ?? 0) + fingerprint.length;
    this.#replies.set(fingerprint, { reply, bytes, keptAtMs: nowMs });
    this.#replyBytes += bytes;
    for (const [oldest, { bytes: freed, keptAtMs }] of this.#replies) {
      if (this.#replyBytes <= maxReplyBytes && nowMs - keptAtMs < this.#limits.keepReplyMs) break;
      this.#replies.delete(oldest);
      this.#replyBytes -= freed;
    }
  }
}
