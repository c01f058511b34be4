/** The chat around a Flow: its message, what the person writes, and what a finished Flow sends. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ChatMessage } from '../session/chat-messages.ts';
import type { Session } from '../session/session.ts';
import type { SessionState } from '../session/session-state.ts';
import { CompletionBubble, FlowBubble, TextBubble } from './bubbles.tsx';

interface ChatProps {
  readonly session: Session;
  readonly state: SessionState;
  onShowInbox(): void;
}

export function Chat({ session, state, onShowInbox }: ChatProps) {
  const { messages, phone } = state;
  const list = useRef<HTMLOListElement>(null);
  const count = messages.length;
  useEffect(() => {
    if (list.current) list.current.scrollTop = count * 10_000;
  }, [count]);
  return (
    <div class="chat">
      <header class="chat-bar">
        <span class="avatar" aria-hidden="true">
          {phone.flow.name.slice(0, 1).toUpperCase()}
        </span>
        <h2>Your business</h2>
      </header>
      <ol class="messages" aria-label="Chat" ref={list}>
        {messages.map((message) => (
          <li key={message.id} class={message.kind === 'flow' ? 'incoming' : 'outgoing'}>
            <Bubble session={session} message={message} onShowInbox={onShowInbox} />
          </li>
        ))}
      </ol>
      <Composer onSend={(text) => void session.sendText(text)} />
    </div>
  );
}

function Bubble({ session, message, onShowInbox }: { session: Session; message: ChatMessage; onShowInbox(): void }) {
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
      return <TextBubble message={message} />;
    case 'completion':
      return (
        <CompletionBubble
          message={message}
          onShowInbox={onShowInbox}
          onDeliverAgain={() => void session.deliverAgain(message)}
        />
      );
  }
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
