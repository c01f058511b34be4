/** What handlers sent, taken into the chat. Pure: times come in. */
import type { Sent, SentReport } from '../../sent.ts';
import { MAX_MESSAGES } from './correspondence.ts';
import type { SessionState } from './session-state.ts';

/** WhatsApp shows it no longer, if nothing comes. */
export const TYPING_MS = 25_000;
/** Of messages that are no longer in the chat nothing needs to be known. */
export const MAX_READS = MAX_MESSAGES;

export type Incoming = Pick<SessionState, 'messages' | 'nextId' | 'lastSeq' | 'reads' | 'typingUntilMs'>;

/**
 * @param report undefined where none could be had: time goes on.
 * @param nowMs of the page.
 * @returns undefined where nothing changes.
 */
export function taken(state: Incoming, report: SentReport | undefined, nowMs: number): Incoming | undefined {
  const fresh = report?.sent.filter(({ seq }) => seq > state.lastSeq) ?? [];
  const isTypingOver = state.typingUntilMs !== undefined && state.typingUntilMs <= nowMs;
  if (fresh.length === 0 && !isTypingOver) return undefined;
  const serverOffsetMs = nowMs - (report?.nowMs ?? 0);
  const after = fresh.reduce((before, sent) => withSent(before, sent, sent.atMs + serverOffsetMs), state);
  const { messages, nextId, lastSeq, reads, typingUntilMs } = after;
  const isTyping = typingUntilMs !== undefined && typingUntilMs > nowMs;
  return {
    ...{ nextId, lastSeq },
    messages: messages.slice(-MAX_MESSAGES),
    reads: reads.slice(-MAX_READS),
    typingUntilMs: isTyping ? typingUntilMs : undefined,
  };
}

/** @param atMs by the page's clock. */
function withSent(state: Incoming, sent: Sent, atMs: number): Incoming {
  const { messages, nextId, reads, typingUntilMs } = state;
  const { seq: lastSeq } = sent;
  if (sent.kind === 'read') {
    const until = sent.isTyping ? atMs + TYPING_MS : typingUntilMs;
    return { ...state, lastSeq, reads: [...reads, sent.messageId], typingUntilMs: until };
  }
  const message = { kind: 'business', id: nextId, sent, isDisabled: false } as const;
  const until = sent.to === undefined ? undefined : typingUntilMs;
  return { ...state, lastSeq, messages: [...messages, message], nextId: nextId + 1, typingUntilMs: until };
}
