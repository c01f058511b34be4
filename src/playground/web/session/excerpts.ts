/** Messages in a few words, and which of them another one means. */
import type { SentContent } from '../../sent.ts';
import type { ChatMessage } from './chat-messages.ts';

const MAX_CHARS = 200;

export function excerptOf(message: ChatMessage): string {
  switch (message.kind) {
    case 'business':
      return sentExcerpt(message.sent.content);
    case 'text':
      return shortened(message.text);
    case 'flow':
    case 'completion':
      return message.flow;
  }
}

export function sentExcerpt(content: SentContent): string {
  switch (content.type) {
    case 'text':
      return shortened(content.text);
    case 'document':
      return shortened([content.filename, content.caption].filter(Boolean).join(': '));
    case 'flow':
      return shortened([content.header, content.body].filter(Boolean).join(': '));
    case 'template':
      return shortened(`Template ${content.name}`);
  }
}

/** The message that a quote shows. */
export function withWamid(messages: readonly ChatMessage[], wamid: string): ChatMessage | undefined {
  return messages.find((message) => wamidOf(message) === wamid);
}

/** The person's last message that was marked read: those before it are read, too. @returns its id, or 0. */
export function lastReadId(messages: readonly ChatMessage[], reads: readonly string[]): number {
  const isRead = (message: ChatMessage) => message.kind !== 'business' && reads.includes(wamidOf(message) ?? '');
  return messages.findLast(isRead)?.id ?? 0;
}

function wamidOf(message: ChatMessage): string | undefined {
  if (message.kind === 'business') return message.sent.id;
  return 'delivery' in message ? message.delivery?.report?.messageId : undefined;
}

function shortened(text: string): string {
  const chars = [...text.slice(0, 2 * MAX_CHARS + 2)]; // one more than is shown, each of up to two units
  return chars.length > MAX_CHARS ? `${chars.slice(0, MAX_CHARS).join('')}…` : text;
}
