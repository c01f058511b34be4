/**
 * Book an appointment: the options of each dropdown depend on what was picked before, what was picked is kept in a session,
 * and an invoice follows by message.
 */
import { createApp, type FlowContext } from 'flowgate';
import { z } from 'zod';
import bookingJson from './booking.flow.json' with { type: 'json' };
import { datesFor, departments, describe, isFree, locationsFor, type Picks, timesFor } from './calendar.ts';
import { makeInvoice } from './invoice.ts';
import type { BookingMoves, BookingScreens } from './screens.ts'; // flowgate flow types booking.flow.json -o screens.ts

const picks = z.object({
  step: z.enum(['pick', 'submit']),
  department: z.string(),
  location: z.string().optional(),
  date: z.string().optional(),
  time: z.string().optional(),
});

const slot = z.object({ department: z.string(), location: z.string(), date: z.string(), time: z.string() });

const blank = { department: '', location: '', date: '', time: '' };

const details = z.object({
  name: z.string().trim().min(2, 'Please enter your name'),
  email: z.email('Please enter an e-mail address'),
  phone: z.string().regex(/^\+?[\d\s()-]{6,20}$/, 'Please enter a phone number'),
  notes: z.string().max(600).optional(),
});

/** What is kept from screen to screen, and until the invoice is written. */
const visit = z.object({ slot, name: z.string().optional() });

const TIMED_OUT = 'This booking has timed out. Write to us to begin again.';

/** What the SUMMARY screen completes the Flow with, and what its webhook brings back. */
const reservation = slot.extend({ reference: z.string() });

const invoiceOrder = z.object({
  recipient: z.union([z.object({ to: z.string() }), z.object({ recipient: z.string() })]),
  customer: z.string(),
  booking: reservation,
});

const priceCents: Record<string, number> = { eyes: 4_500, hearing: 3_900, glasses: 2_500 };

const app = createApp();

/** Off the request path, and again if the process or Meta fails on the way: but the document is sent once. */
const invoice = app.job(
  'invoice',
  { attempts: 8, schema: invoiceOrder },
  async ({ recipient, customer, booking }, c) => {
    const { reference, date, department } = booking;
    const lines = [{ description: describe(booking), amountCents: priceCents[department] ?? 0 }];
    const data = await makeInvoice({ number: reference, date, customer, lines, currency: 'EUR' });
    const filename = `invoice-${reference.replaceAll(':', '')}.pdf`;
    const document = { data, filename, mimeType: 'application/pdf', caption: 'Your invoice' };
    return c.once('send', () => c.graph.sendDocument(recipient, document, { signal: c.signal }));
  },
);

app
  .flow<BookingScreens, BookingMoves>('booking', { json: bookingJson })
  .session(visit, { ttl: '1d' })
  .data('APPOINTMENT', (c) => appointmentOptions(c))
  .data('DETAILS', async (c) => ({ ...blank, ...(await c.session.get())?.slot, error_messages: {} }))
  .init((c) => c.screen('APPOINTMENT'))
  .on('APPOINTMENT', picks, async (c, { step, ...picked }) => {
    if (step === 'pick') return c.screen('APPOINTMENT');
    const { data: wanted } = slot.safeParse(picked);
    if (!wanted || !isFree(wanted)) return c.error('That time is taken, please pick another one.');
    await c.session.set({ slot: wanted });
    return c.screen('DETAILS');
  })
  .back('DETAILS', (c) => c.screen('APPOINTMENT'))
  .on('DETAILS', details, async (c, { name, email, phone, notes }) => {
    const kept = await c.session.get();
    if (!kept) return c.expire(TIMED_OUT);
    await c.session.set({ ...kept, name });
    const lines = [name, email, phone, notes].filter(Boolean).join('\n');
    return c.screen('SUMMARY', { ...kept.slot, appointment: describe(kept.slot), details: lines });
  })
  .on(
    'SUMMARY',
    async (c) => {
      const kept = await c.session.get();
      if (!kept) return c.expire(TIMED_OUT);
      return c.complete({ ...kept.slot, reference: `${kept.slot.date}-${kept.slot.time}` });
    },
    { once: '10m' },
  )
  .completed(reservation, async ({ data, from, userId }, c) => {
    const kept = await c.session.get();
    const recipient = from ? { to: from } : { recipient: userId ?? '' };
    await c.defer(invoice, { recipient, customer: kept?.name ?? 'Guest', booking: data });
  })
  .fallback((c) => c.error('We are busy, please try again.'));

app.on('message.text', async (_event, c) => {
  const card = { body: 'Eyes, ears or glasses: when would you like to come?', cta: 'Book an appointment' };
  await c.reply.flow('booking', { ...card, singleUse: true });
});

/** What the user can pick now. Going back brings no payload: what was picked is in the session. */
async function appointmentOptions(c: FlowContext<BookingScreens, z.infer<typeof visit>>) {
  const picked: Picks = c.action === 'BACK' ? ((await c.session.get())?.slot ?? {}) : c.data;
  const locations = locationsFor(picked.department);
  const dates = datesFor(picked);
  const find = () => timesFor(picked);
  const key = `times ${picked.location} ${picked.date}`;
  const times = picked.date ? await c.cache.getOrSet(key, { ttl: '30s', grace: '10m' }, find) : [];
  return {
    departments,
    locations,
    dates,
    times,
    can_pick_location: locations.length > 0,
    can_pick_date: dates.length > 0,
    can_pick_time: times.length > 0,
  };
}

export default app;
