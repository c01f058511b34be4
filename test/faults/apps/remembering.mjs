/** Keeps notes in a session, sends tokens, and says so when it cannot remember. */
import { createApp } from '../../../dist/index.js';
import { note } from './journal.mjs';

const invitation = { body: 'Three questions?', cta: 'Begin' };
/** Asks for the session once more: a fallback has half a second for it. */
const sorry = async (c) => {
  const session = await c.session.get().catch(({ code }) => code);
  return c.screen('SORRY', { failure: c.failure, session });
};

const app = createApp();
app
  .flow('notes')
  .init(async (c) => c.screen('NOTES', { notes: (await c.session.get())?.notes ?? [] }))
  .on('NOTES', async (c) => {
    const add = (kept) => ({ notes: [...(kept?.notes ?? []), c.data.note] });
    return c.screen('NOTES', await c.session.update(add));
  })
  .on('DONE', (c) => c.complete())
  .completed(async (_, c) => {
    const { notes } = await c.session.get();
    note('handled', { messageId: notes.join() });
  })
  .fallback(sorry);
app
  .flow('survey', { tokens: 'required' })
  .init((c) => c.screen('QUESTION', { user: c.user }))
  .fallback(sorry);
app
  .flow('plain')
  .init((c) => c.screen('A'))
  .fallback(sorry);
app.on('message.text', (_, c) => c.reply.flow('survey', invitation));
export default app;
