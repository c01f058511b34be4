/** The phone: the chat, and over it the Flow that was opened from it. */
import { Announcements } from '../chat/announcements.tsx';
import { Chat } from '../chat/chat.tsx';
import type { Session } from '../session/session.ts';
import { useStore } from '../session/use-store.ts';
import { FlowView } from './flow-view.tsx';
import type { Uploads } from './uploads.ts';

interface PhoneProps {
  readonly session: Session;
  readonly uploads: Uploads;
  readonly sendsToPhone: boolean;
  onShowInbox(): void;
}

export function Phone({ session, uploads, sendsToPhone, onShowInbox }: PhoneProps) {
  const state = useStore(session.store);
  return (
    <section class="phone" aria-label="Phone">
      <div class="phone-layer" inert={state.isFlowOpen}>
        <Chat session={session} state={state} sendsToPhone={sendsToPhone} onShowInbox={onShowInbox} />
      </div>
      <Announcements messages={state.messages} />
      {state.isFlowOpen && <FlowView session={session} phone={state.phone} uploads={uploads} />}
    </section>
  );
}
