import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Sent, SentContent, SentReport } from '../../../src/playground/sent.ts';
import type { ChatMessage } from '../../../src/playground/web/session/chat-messages.ts';
import { MAX_MESSAGES } from '../../../src/playground/web/session/correspondence.ts';
import { excerptOf, lastReadId, sentExcerpt, withWamid } from '../../../src/playground/web/session/excerpts.ts';
import { type Incoming, MAX_READS, TYPING_MS, taken } from '../../../src/playground/web/session/incoming.ts';
import { invitationOf } from '../../../src/playground/web/session/invitation.ts';

const EMPTY: Incoming = { messages: [], nextId: 1, lastSeq: 0, reads: [], typingUntilMs: undefined };
/** The server's clock is far from the page's. */
const SERVER_MS = 1_800_000_000_000;

const message = (seq: number, more: object = {}): Sent => ({
  ...{ seq, atMs: SERVER_MS, kind: 'message', id: `wamid.${seq}`, content: { type: 'text', text: `${seq}` } },
  ...more,
});
const read = (seq: number, messageId: string, isTyping = false, atMs = SERVER_MS): Sent => ({
  ...{ seq, atMs, kind: 'read', messageId, isTyping },
});
const report = (...sent: Sent[]): SentReport => ({ bootId: 'b', nowMs: SERVER_MS, sent });
const told = (state: Incoming, nowMs: number, ...sent: Sent[]) => taken(state, report(...sent), nowMs) ?? state;

describe('what handlers sent', () => {
  test('stands in the chat in its order, each once however often it is told', () => {
    const one = told(EMPTY, 0, message(1), message(2));
    const two = told(one, 0, message(1), message(2), message(3));
    expect(two.messages.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(two.messages.map((bubble) => excerptOf(bubble))).toEqual(['1', '2', '3']);
    expect([two.lastSeq, two.nextId]).toEqual([3, 4]);
    expect(taken(two, report(message(3)), 0)).toBeUndefined();
    expect(taken(two, undefined, 0)).toBeUndefined();
  });

  test(`of messages the last ${MAX_MESSAGES} stay, of receipts the last ${MAX_READS}`, () => {
    const sent = Array.from({ length: MAX_MESSAGES + 1 }, (_, n) => message(n + 1));
    const receipts = Array.from({ length: MAX_READS + 1 }, (_, n) => read(n + 1_000, `r${n}`));
    const state = told(EMPTY, 0, ...sent, ...receipts);
    expect(state.messages).toHaveLength(MAX_MESSAGES);
    expect(state.messages[0]?.id).toBe(2);
    expect(state.reads).toHaveLength(MAX_READS);
    expect(state.reads[0]).toBe('r1');
  });

  test('typing shows for 25 s', () => {
    const typing = told(EMPTY, 100, read(1, 'w', true));
    expect(typing.typingUntilMs).toBe(100 + TYPING_MS);
    expect(taken(typing, report(), 100 + TYPING_MS - 1)).toBeUndefined();
    expect(taken(typing, report(), 100 + TYPING_MS)?.typingUntilMs).toBeUndefined();
    expect(taken(typing, undefined, 100 + TYPING_MS), 'also while the server is away').toMatchObject({ lastSeq: 1 });
  });

  test('typing shows from when it was sent, and not at all when that is long ago', () => {
    const sentAt = (ageMs: number) => told(EMPTY, 50_000, read(1, 'w', true, SERVER_MS - ageMs)).typingUntilMs;
    expect(sentAt(10_000)).toBe(50_000 + TYPING_MS - 10_000);
    expect(sentAt(TYPING_MS)).toBeUndefined();
  });

  test('typing ends with the next message to this phone', () => {
    const typing = told(EMPTY, 0, read(1, 'w', true));
    expect(told(typing, 0, message(2)).typingUntilMs).toBeUndefined();
    expect(told(typing, 0, message(2, { to: '1555' })).typingUntilMs).toBe(TYPING_MS);
    expect(told(typing, 0, read(2, 'w')).typingUntilMs).toBe(TYPING_MS);
    expect(told(EMPTY, 0, message(1), read(2, 'w', true)).typingUntilMs).toBe(TYPING_MS);
  });

  test('comes to the same whatever parts it is told in', () => {
    const kinds = fc.constantFrom('message', 'other', 'read', 'typing');
    fc.assert(
      fc.property(fc.array(kinds, { maxLength: 30 }), fc.array(fc.nat(30), { maxLength: 5 }), (wanted, cuts) => {
        const sent = wanted.map((kind, n) => {
          if (kind === 'message' || kind === 'other') return message(n + 1, kind === 'other' ? { to: '1' } : {});
          return read(n + 1, `w${n}`, kind === 'typing');
        });
        const parts = [...cuts, sent.length].map((end) => sent.slice(0, end));
        const stepwise = parts.reduce((state, part) => told(state, 5, ...part), EMPTY);
        expect(stepwise).toEqual(told(EMPTY, 5, ...sent));
      }),
    );
  });
});

const own = (id: number, messageId: string): ChatMessage => {
  const wasSent = { status: 200, tookMs: 1, body: '', items: [], messageId };
  return { kind: 'text', id, text: `own ${id}`, delivery: { report: wasSent, error: undefined } };
};
const business = (id: number, wamid: string): ChatMessage => ({
  ...{ kind: 'business', id, isDisabled: false },
  sent: { seq: id, atMs: 0, kind: 'message', id: wamid, content: { type: 'text', text: 'x' } },
});

describe('messages that are meant by others', () => {
  const chat = [own(1, 'a'), business(2, 'b'), own(3, 'c'), own(4, 'd')];

  test('a receipt is for the message it names and those before it', () => {
    expect(lastReadId(chat, [])).toBe(0);
    expect(lastReadId(chat, ['c'])).toBe(3);
    expect(lastReadId(chat, ['c', 'a'])).toBe(3);
    expect(lastReadId(chat, ['unknown'])).toBe(0);
  });

  test('a receipt that comes before the page knows the id of the message is not lost', () => {
    const waiting: ChatMessage = { kind: 'text', id: 5, text: 'x', delivery: undefined };
    expect(lastReadId([...chat, waiting], ['e'])).toBe(0);
    expect(lastReadId([...chat, own(5, 'e')], ['e'])).toBe(5);
  });

  test('what the business sent is not read by the business', () => {
    expect(lastReadId(chat, ['b'])).toBe(0);
  });

  test('a quote may be of either side, or of nothing that is here', () => {
    expect(withWamid(chat, 'b')?.id).toBe(2);
    expect(withWamid(chat, 'd')?.id).toBe(4);
    expect(withWamid(chat, 'gone')).toBeUndefined();
  });

  test.each<[SentContent, string]>([
    [{ type: 'text', text: '🙂'.repeat(300) }, `${'🙂'.repeat(200)}…`],
    [{ type: 'text', text: 'x'.repeat(200) }, 'x'.repeat(200)],
    [{ type: 'document', filename: 'a.pdf', caption: 'Yours', mimeType: 'a/b', bytes: 1 }, 'a.pdf: Yours'],
    [{ type: 'flow', body: 'When?', button: { token: 't' } }, 'When?'],
    [{ type: 'flow', header: 'H', body: 'When?', button: { token: 't' } }, 'H: When?'],
    [{ type: 'template', name: 'hello', language: 'en', parts: [] }, 'Template hello'],
  ])('is told in a few words: %#', (content, words) => {
    expect(sentExcerpt(content)).toBe(words);
  });
});

describe('an invitation', () => {
  const sent = (content: SentContent) => ({ seq: 1, atMs: 0, kind: 'message', id: 'wamid.1', content }) as const;
  const button = { token: 'booking:t', flow: 'booking' };

  test('is in the message of a Flow and in a template', () => {
    const start = { screen: 'A', data: {} };
    const invited = { flow: 'booking', token: 'booking:t', messageId: 'wamid.1' };
    expect(invitationOf(sent({ type: 'flow', body: 'B', button: { ...button, start } }))).toEqual({
      ...{ ...invited, start },
      choice: { kind: 'custom', token: 'booking:t' },
    });
    const template = { type: 'template', name: 'n', language: 'en', parts: [] } as const;
    expect(invitationOf(sent({ ...template, button: { ...button, user: 'ada' } }))).toEqual({
      ...{ ...invited, start: undefined },
      choice: { kind: 'minted', user: 'ada' },
    });
  });

  test('is in nothing else', () => {
    expect(invitationOf(sent({ type: 'text', text: 'x' }))).toBeUndefined();
    expect(invitationOf(sent({ type: 'flow', body: 'B', button: { token: 't', called: 'gone' } }))).toBeUndefined();
    expect(invitationOf(sent({ type: 'template', name: 'n', language: 'en', parts: [] }))).toBeUndefined();
  });
});
