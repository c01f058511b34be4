/**
 * What a call to send brings, as strictly as Meta documents it, of the kinds that our own client sends.
 *
 * Source: Meta, "Messages" of the Cloud API: a text has up to 4,096 characters, the body of an interactive message and a
 * caption 1,024, a header and a footer 60.
 */
import type { JsonObject, JsonValue } from '../../json.ts';
import { TEST_USER } from '../../testing/webhook-events.ts';
import type { SentContent, SentDocument, SentFlow, SentMessage, SentReceipt } from '../sent.ts';
import { type KnownFlows, readFlowButton } from './flow-button.ts';
import { GraphRefusal, invalid, missing } from './graph-refusal.ts';
import { object, oneOf, optionalText, text } from './read-fields.ts';
import { readTemplate } from './read-template.ts';
import type { Upload } from './uploads.ts';

export const MAX_TEXT_CHARS = 4_096;
export const MAX_BODY_CHARS = 1_024;
export const MAX_HEADER_CHARS = 60;
/** Longer ones are none of Meta's. */
const MAX_ID_CHARS = 256;

export interface MessageDeps {
  readonly flows: KnownFlows;
  readonly findUpload: (id: string) => Upload | undefined;
}

export type ReadMessage = Pick<SentMessage, 'to' | 'quotes' | 'content'> & {
  /** As the call named it. */
  readonly recipient: string;
};
export type ReadReceipt = Pick<SentReceipt, 'messageId' | 'isTyping'>;

/** @throws GraphRefusal. */
export function readMessage(body: JsonObject, deps: MessageDeps): ReadMessage {
  const { recipient_type, to, recipient, context } = body;
  oneOf('recipient_type', recipient_type ?? 'individual', ['individual']);
  const user = text('to', to ?? recipient, MAX_ID_CHARS);
  const quotes =
    context === undefined ? undefined : text('context.message_id', object('context', context)['message_id']);
  return {
    recipient: user,
    ...(!isPerson(user) && { to: user }),
    ...(quotes !== undefined && { quotes }),
    content: readContent(body, deps),
  };
}

/** @throws GraphRefusal. */
export function readReceipt({ message_id, typing_indicator: typing }: JsonObject): ReadReceipt {
  const messageId = text('message_id', message_id, MAX_ID_CHARS);
  if (typing !== undefined) oneOf('typing_indicator.type', object('typing_indicator', typing)['type'], ['text']);
  return { messageId, isTyping: typing !== undefined };
}

/** The one that the playground's webhooks come from, by number, however it is written, or by id. */
function isPerson(user: string): boolean {
  return user === TEST_USER.userId || user.replace(/\D/g, '') === TEST_USER.waId;
}

function readContent(body: JsonObject, { flows, findUpload }: MessageDeps): SentContent {
  const { type } = body;
  switch (type) {
    case undefined:
      throw missing('type');
    case 'text':
      return { type, text: text('text.body', object('text', body[type])['body'], MAX_TEXT_CHARS) };
    case 'document':
      return readDocument(object('document', body[type]), findUpload);
    case 'interactive':
      return readFlowMessage(object('interactive', body[type]), flows);
    case 'template':
      return readTemplate(object('template', body[type]), flows);
    default:
      throw new GraphRefusal(400, 131051, 'the playground takes texts, documents, templates and Flows');
  }
}

function readDocument({ id, filename, caption }: JsonObject, findUpload: MessageDeps['findUpload']): SentDocument {
  const upload = findUpload(text('document.id', id));
  if (!upload) throw invalid('document.id', 'the id of a document that was uploaded');
  const said = optionalText('document.caption', caption, MAX_BODY_CHARS);
  return {
    type: 'document',
    filename: optionalText('document.filename', filename) ?? upload.filename,
    ...(said !== undefined && { caption: said }),
    mimeType: upload.mimeType,
    bytes: upload.bytes,
  };
}

function readFlowMessage({ type, header, body, footer, action }: JsonObject, flows: KnownFlows): SentFlow {
  oneOf('interactive.type', type, ['flow']);
  const { name, parameters } = object('interactive.action', action);
  oneOf('interactive.action.name', name, ['flow']);
  const [head, foot] = [headerOf(header), textOf('footer', footer, MAX_HEADER_CHARS)];
  return {
    type: 'flow',
    ...(head !== undefined && { header: head }),
    body: text('body.text', object('body', body)['text'], MAX_BODY_CHARS),
    ...(foot !== undefined && { footer: foot }),
    button: readFlowButton(object('parameters', parameters), flows),
  };
}

function headerOf(header: JsonValue | undefined): string | undefined {
  if (header !== undefined) oneOf('header.type', object('header', header)['type'], ['text']);
  return textOf('header', header, MAX_HEADER_CHARS);
}

function textOf(name: string, value: JsonValue | undefined, maxChars: number): string | undefined {
  return value === undefined ? undefined : text(`${name}.text`, object(name, value)['text'], maxChars);
}
