/** The phone: the chat, and over it the Flow that was opened from it. */

import { Chat } from '../chat/chat.tsx';
import type { Session } from '../session/session.ts';
import { useStore } from '../session/use-store.ts';
import { FlowView } from './flow-view.tsx';
import type { Uploads } from './uploads.ts';

interface PhoneProps {
  readonly session: Session;
  readonly uploads: Uploads;
  onShowInbox(): void;
}

export function Phone({ session, uploads, onShowInbox }: PhoneProps) {
  const state = useStore(session.store);
  return (
    <section class="phone" aria-label="Phone">
      <div class="phone-layer" inert={state.isFlowOpen}>
        <Chat session={session} state={state} onShowInbox={onShowInbox} />
      </div>
      {state.isFlowOpen && <FlowView session={session} phone={state.phone} uploads={uploads} />}
    </section>
  );
}
