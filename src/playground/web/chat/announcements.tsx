/** Says new messages of the business to a screen reader, also while a Flow covers the chat. */
import type { ChatMessage } from '../session/chat-messages.ts';
import { sentExcerpt } from '../session/excerpts.ts';

/** An addition is said; what it pushes out is not. */
const MAX_SAID = 5;

export function Announcements({ messages }: { readonly messages: readonly ChatMessage[] }) {
  const said = messages.filter((message) => message.kind === 'business').slice(-MAX_SAID);
  return (
    <div class="visually-hidden" role="log" aria-label="New from the business">
      {said.map(({ id, sent }) => (
        <p key={id}>Your business: {sentExcerpt(sent.content)}</p>
      ))}
    </div>
  );
}
