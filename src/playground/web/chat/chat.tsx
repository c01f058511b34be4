/** The chat around a Flow: its message, what the person writes, and what a finished Flow sends. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ChatMessage } from '../session/chat-messages.ts';
import { excerptOf, lastReadId, withWamid } from '../session/excerpts.ts';
import { invitationOf } from '../session/invitation.ts';
import type { Session } from '../session/session.ts';
import type { SessionState } from '../session/session-state.ts';
import { CompletionBubble, FlowBubble, TextBubble } from './bubbles.tsx';
import { BusinessBubble } from './business-bubble.tsx';

interface ChatProps {
  readonly session: Session;
  readonly state: SessionState;
  readonly sendsToPhone: boolean;
  onShowInbox(): void;
}

export function Chat({ session, state, sendsToPhone, onShowInbox }: ChatProps) {
  const { messages, reads, chosen, typingUntilMs } = state;
  const readUpTo = lastReadId(messages, reads);
  const isTyping = typingUntilMs !== undefined;
  const list = useRef<HTMLOListElement>(null);
  const count = (messages.at(-1)?.id ?? 0) + (isTyping ? 1 : 0); // more of them push the oldest out
  useEffect(() => {
    if (list.current) list.current.scrollTop = count === 0 ? 0 : list.current.scrollHeight;
  }, [count]);
  return (
    <div class="chat">
      <header class="chat-bar">
        <span class="avatar" aria-hidden="true">
          {chosen.slice(0, 1).toUpperCase()}
        </span>
        <h2>Your business</h2>
      </header>
      {!sendsToPhone && (
        <p class="chat-note">GRAPH_TOKEN is set: what handlers send goes to the Graph API, and shows there.</p>
      )}
      <ol class="messages" aria-label="Chat" ref={list}>
        {messages.map((message) => (
          <li key={message.id} class={isIncoming(message) ? 'incoming' : 'outgoing'}>
            <Bubble
              session={session}
              messages={messages}
              message={message}
              isRead={message.id <= readUpTo}
              onShowInbox={onShowInbox}
            />
          </li>
        ))}
        {isTyping && (
          <li class="incoming">
            <p class="bubble typing">Your business is typing…</p>
          </li>
        )}
      </ol>
      <Composer onSend={(text) => void session.sendText(text)} />
    </div>
  );
}

function isIncoming({ kind }: ChatMessage): boolean {
  return kind === 'flow' || kind === 'business';
}

interface BubbleProps {
  readonly session: Session;
  readonly messages: readonly ChatMessage[];
  readonly message: ChatMessage;
  readonly isRead: boolean;
  onShowInbox(): void;
}

function Bubble({ session, messages, message, isRead, onShowInbox }: BubbleProps) {
  switch (message.kind) {
    case 'flow':
      return (
        <FlowBubble
          message={message}
          onOpen={() => void session.openFlow(message)}
          onSendAgain={() =>
            void session.sendFlowMessage(message.choice.kind === 'minted' ? message.choice : { kind: 'random' })
          }
        />
      );
    case 'text':
      return <TextBubble message={message} isRead={isRead} />;
    case 'business':
      return <Received session={session} messages={messages} message={message} />;
    case 'completion':
      return (
        <CompletionBubble
          message={message}
          isRead={isRead}
          onShowInbox={onShowInbox}
          onDeliverAgain={() => void session.deliverAgain(message)}
        />
      );
  }
}

interface ReceivedProps {
  readonly session: Session;
  readonly messages: readonly ChatMessage[];
  readonly message: Extract<ChatMessage, { kind: 'business' }>;
}

function Received({ session, messages, message: { sent, isDisabled } }: ReceivedProps) {
  const quoted = sent.quotes === undefined ? undefined : withWamid(messages, sent.quotes);
  const invitation = invitationOf(sent);
  return (
    <BusinessBubble
      sent={sent}
      isDisabled={isDisabled}
      quoted={quoted && excerptOf(quoted)}
      onOpen={() => invitation && void session.openFlow(invitation)}
    />
  );
}

function Composer({ onSend }: { onSend(text: string): void }) {
  const [text, setText] = useState('');
  const send = (event: Event) => {
    event.preventDefault();
    if (text.trim() === '') return;
    onSend(text.trim());
    setText('');
  };
  return (
    <form class="composer" onSubmit={send}>
      <input
        type="text"
        aria-label="Message"
        placeholder="Message"
        autocomplete="off"
        maxLength={4096}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit" class="send" aria-label="Send">
        ➤
      </button>
    </form>
  );
}
