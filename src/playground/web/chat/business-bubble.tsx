/** What a handler sent, as its reader sees it. */
import type { FlowButton, SentDocument, SentFlow, SentMessage, SentTemplate } from '../../sent.ts';
import { buttonOf } from '../session/invitation.ts';
import { formatBytes } from '../session/records.ts';

interface BusinessBubbleProps {
  readonly sent: SentMessage;
  /** A 427 came. */
  readonly isDisabled: boolean;
  /** In a few words, what it quotes; undefined for what is not in the chat. */
  readonly quoted: string | undefined;
  onOpen(): void;
}

export function BusinessBubble({ sent, isDisabled, quoted, onOpen }: BusinessBubbleProps) {
  const { content, to, quotes } = sent;
  const button = buttonOf(content);
  return (
    <div class="bubble" data-sent={content.type}>
      {to !== undefined && <p class="bubble-note">To {to}: another phone than this one.</p>}
      {quotes !== undefined && <blockquote class="quote">{quoted ?? 'A message that is not in this chat'}</blockquote>}
      {content.type === 'text' && <p class="bubble-text">{content.text}</p>}
      {content.type === 'document' && <Document document={content} />}
      {content.type === 'flow' && <FlowCard card={content} />}
      {content.type === 'template' && <Template template={content} />}
      {button && <OpenButton button={button} whyOff={whyOff(button, to, isDisabled)} onOpen={onOpen} />}
    </div>
  );
}

function Document({ document }: { readonly document: SentDocument }) {
  const { filename, mimeType, bytes, caption } = document;
  return (
    <>
      <p class="bubble-title">{filename}</p>
      <p class="bubble-note">
        Document, {mimeType}, {formatBytes(bytes)}
      </p>
      {caption !== undefined && <p class="bubble-text">{caption}</p>}
    </>
  );
}

function FlowCard({ card }: { readonly card: SentFlow }) {
  const { header, body, footer } = card;
  return (
    <>
      {header !== undefined && <p class="bubble-title">{header}</p>}
      <p class="bubble-text">{body}</p>
      {footer !== undefined && <p class="bubble-note">{footer}</p>}
    </>
  );
}

/** Its words stand at Meta: here is what fills them. */
function Template({ template }: { readonly template: SentTemplate }) {
  const { name, language, parts } = template;
  return (
    <>
      <p class="bubble-title">Template {name}</p>
      <p class="bubble-note">Language {language}. Its own words stand at Meta.</p>
      {parts.length > 0 && (
        <dl class="summary">
          {parts.map(({ part, values }, index) => (
            <div key={index}>
              <dt>{part}</dt>
              <dd>{values.join(', ')}</dd>
            </div>
          ))}
        </dl>
      )}
    </>
  );
}

interface OpenButtonProps {
  readonly button: FlowButton;
  readonly whyOff: string | undefined;
  onOpen(): void;
}

function OpenButton({ button, whyOff: reason, onOpen }: OpenButtonProps) {
  return (
    <>
      <button type="button" class="bubble-button" disabled={reason !== undefined} onClick={onOpen}>
        {button.label ?? 'Open the Flow'}
      </button>
      {reason !== undefined && <p class="bubble-note">{reason}</p>}
    </>
  );
}

function whyOff({ flow, called }: FlowButton, to: string | undefined, isDisabled: boolean): string | undefined {
  if (to !== undefined) return 'The button is off: it is on another phone.';
  if (isDisabled) return 'The token is dead (427), so the button is off.';
  if (flow !== undefined) return undefined;
  if (called === undefined) return 'The button is off: its token names no Flow of this app.';
  return `The button is off: this app has no Flow that Meta calls ${called}.`;
}
