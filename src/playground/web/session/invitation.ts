/** What opens a Flow: the page's own message, or one that a handler sent. */
import type { FlowButton, FlowStart, SentContent, SentMessage } from '../../sent.ts';
import type { TokenChoice } from '../inspector/copy-as-test.ts';

export interface Invitation {
  readonly flow: string;
  readonly token: string;
  readonly choice: TokenChoice;
  /** Where it opens without asking the endpoint. */
  readonly start?: FlowStart | undefined;
  /** The wamid of the message; the page's own has none. */
  readonly messageId?: string | undefined;
}

/** @returns undefined for a message without a button, and for one whose Flow the app does not have. */
export function invitationOf({ id, content }: SentMessage): Invitation | undefined {
  const { flow, token, user, start } = buttonOf(content) ?? {};
  if (flow === undefined || token === undefined) return undefined;
  const choice: TokenChoice = user === undefined ? { kind: 'custom', token } : { kind: 'minted', user };
  return { flow, token, choice, start, messageId: id };
}

export function buttonOf(content: SentContent): FlowButton | undefined {
  return 'button' in content ? content.button : undefined;
}
