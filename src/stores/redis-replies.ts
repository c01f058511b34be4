/**
 * What the servers behind one address answered in the last minute, in Redis: one key a body, kept by whoever is first.
 *
 * It is asked when the answer is ready, so it costs each Flow request one command and, while Redis hangs, the time below.
 * Without Redis each server still remembers its own answers. Ciphertext only: the key to it went to the phone.
 */
import type { Redis } from 'ioredis';
import type { Clock } from '../clock.ts';
import { replyForgotten, type SharedReplies } from '../flows/reply-memory.ts';
import type { HttpReply } from '../http/server.ts';
import { RedisConnection } from './redis-connection.ts';

const PREFIX = 'flowgate:reply';
const KEEP_MS = 60_000;
/** A person waits, with the answer ready to be sent. */
const TIMEOUT_MS = 100;
/** Of a larger one only a mark is kept: that it was sent. */
const MAX_BODY_CHARS = 256 * 1024;
const TOO_LARGE = '';

/** `SET NX GET` in one command would need Redis 7. */
const KEEP = `
local kept = redis.call('GET', KEYS[1])
if kept then return kept end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false
`;

interface Scripts {
  flowgateKeep(key: string, reply: string, keepMs: number): Promise<string | null>;
}

/** `kept`: ours was the first. `other`: another server's is sent instead. `forgotten`: that one was too large to keep. */
export type SharedReplyOutcome = 'kept' | 'other' | 'forgotten' | 'unavailable';

export interface RedisRepliesOptions {
  readonly url: string;
  readonly clock: Clock;
  /** Called once for each reply, for the metrics. */
  readonly onOutcome?: (outcome: SharedReplyOutcome) => void;
  readonly prefix?: string;
  readonly timeoutMs?: number;
}

export class RedisReplies implements SharedReplies {
  readonly #connection: RedisConnection;
  readonly #redis: Redis & Scripts;
  readonly #prefix: string;
  readonly #onOutcome: (outcome: SharedReplyOutcome) => void;

  /** Connects by itself, and silently: the inbox, which needs Redis more, logs when it is away. */
  constructor({ url, clock, onOutcome = () => {}, prefix = PREFIX, timeoutMs = TIMEOUT_MS }: RedisRepliesOptions) {
    this.#connection = new RedisConnection({ url, clock, timeoutMs, code: 'STATE_UNAVAILABLE' });
    const { redis } = this.#connection;
    redis.defineCommand('flowgateKeep', { numberOfKeys: 1, lua: KEEP });
    this.#redis = redis as Redis & Scripts;
    this.#prefix = prefix;
    this.#onOutcome = onOutcome;
  }

  async keep(fingerprint: string, reply: HttpReply): Promise<HttpReply> {
    const key = `${this.#prefix}:${Buffer.from(fingerprint, 'latin1').toString('base64url')}`;
    let kept: string | null;
    try {
      kept = await this.#connection.ask(() => this.#redis.flowgateKeep(key, toText(reply), KEEP_MS));
    } catch {
      this.#onOutcome('unavailable');
      return reply;
    }
    if (kept === null) {
      this.#onOutcome('kept');
      return reply;
    }
    const other = toReply(kept);
    this.#onOutcome(other ? 'other' : 'forgotten');
    if (!other) throw replyForgotten();
    return other;
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}

function toText({ status, headers, body = '' }: HttpReply): string {
  return body.length > MAX_BODY_CHARS ? TOO_LARGE : JSON.stringify({ status, headers, body });
}

/** @returns undefined for the mark, and for what is not ours: an answer was sent, and nobody knows which. */
function toReply(text: string): HttpReply | undefined {
  try {
    return JSON.parse(text) as HttpReply;
  } catch {
    return undefined;
  }
}
