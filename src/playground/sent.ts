/** What handlers sent while no real Graph API was there to take it, as the page is told of it. Types alone. */
import type { JsonObject } from '../json.ts';

/** GET `sent?after=<seq>`: what was accepted after that one, of what is still kept. */
export interface SentReport {
  /** As in the report of the app: after a restart the numbers begin anew. */
  readonly bootId: string;
  /** Epoch ms, by the clock of each `atMs`. */
  readonly nowMs: number;
  /** In the order they were accepted. */
  readonly sent: readonly Sent[];
}

export type Sent = SentMessage | SentReceipt;

interface Accepted {
  /** 1 for the first. */
  readonly seq: number;
  /** Epoch ms. */
  readonly atMs: number;
}

export interface SentMessage extends Accepted {
  readonly kind: 'message';
  /** The wamid. */
  readonly id: string;
  /** Whom it is for, where that is not the person at the phone. */
  readonly to?: string;
  /** The wamid of the message that it quotes. */
  readonly quotes?: string;
  readonly content: SentContent;
}

/** A message of the person was marked read, and those before it. */
export interface SentReceipt extends Accepted {
  readonly kind: 'read';
  readonly messageId: string;
  /** An answer is being written. */
  readonly isTyping: boolean;
}

export type SentContent = SentText | SentDocument | SentFlow | SentTemplate;

export interface SentText {
  readonly type: 'text';
  readonly text: string;
}

export interface SentDocument {
  readonly type: 'document';
  readonly filename: string;
  readonly caption?: string;
  readonly mimeType: string;
  readonly bytes: number;
}

export interface SentFlow {
  readonly type: 'flow';
  readonly header?: string;
  readonly body: string;
  readonly footer?: string;
  readonly button: FlowButton;
}

export interface SentTemplate {
  readonly type: 'template';
  readonly name: string;
  readonly language: string;
  readonly parts: readonly TemplatePart[];
  readonly button?: FlowButton;
}

/** What fills one part of a template: its header, its body, a button. */
export interface TemplatePart {
  readonly part: string;
  readonly values: readonly string[];
}

/** Opens a Flow. */
export interface FlowButton {
  /** Its words; those of a template stand in the template. */
  readonly label?: string;
  readonly token: string;
  /** Of a token that the app minted: the person at the phone, unless a handler said otherwise. */
  readonly user?: string;
  /** The app's Flow; absent where the app has none that this could be. */
  readonly flow?: string;
  /** What the message calls the Flow: its name or its id at Meta. */
  readonly called?: string;
  /** Where it opens without asking the endpoint. */
  readonly start?: FlowStart;
}

export interface FlowStart {
  /** The Flow's first one where there is none. */
  readonly screen?: string;
  readonly data: JsonObject;
}
