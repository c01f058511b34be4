/** Book an appointment: the options of each dropdown depend on what was picked before; an invoice follows by message. */
import { createApp } from 'flowgate';
import { z } from 'zod';
import bookingJson from './booking.flow.json' with { type: 'json' };
import {
  datesFor,
  departments,
  describe,
  locationsFor,
  type Option,
  type Picks,
  type TimeOption,
  timesFor,
} from './calendar.ts';
import { makeInvoice } from './invoice.ts';

type Slot = { department: string; location: string; date: string; time: string };

/** The screens of booking.flow.json and the data each declares: a wrong name or a missing key does not compile. */
type BookingScreens = {
  APPOINTMENT: {
    departments: Option[];
    locations: Option[];
    dates: Option[];
    times: TimeOption[];
    can_pick_location: boolean;
    can_pick_date: boolean;
    can_pick_time: boolean;
  };
  DETAILS: Slot & { error_messages: Record<string, string> };
  SUMMARY: Slot & { appointment: string; details: string };
  TERMS: Record<never, never>;
};

const picks = z.object({
  step: z.enum(['pick', 'submit']),
  department: z.string(),
  location: z.string().optional(),
  date: z.string().optional(),
  time: z.string().optional(),
});

const slot = z.object({ department: z.string(), location: z.string(), date: z.string(), time: z.string() });

/** The same, blank where it is missing: an error must still find the screen's data. */
const blank = z.string().catch('');
const slotSoFar = z.object({ department: blank, location: blank, date: blank, time: blank });

const details = slot.extend({
  name: z.string().trim().min(2, 'Please enter your name'),
  email: z.email('Please enter an e-mail address'),
  phone: z.string().regex(/^\+?[\d\s()-]{6,20}$/, 'Please enter a phone number'),
  notes: z.string().max(600).optional(),
});

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
  .flow<BookingScreens>('booking', { json: bookingJson })
  .data('APPOINTMENT', (c) => appointmentOptions(c.data))
  .data('DETAILS', (c) => ({ ...slotSoFar.parse(c.data), error_messages: {} }))
  .init((c) => c.screen('APPOINTMENT'))
  .on('APPOINTMENT', picks, (c, { step, department, location, date, time }) => {
    if (step === 'pick') return c.screen('APPOINTMENT');
    const free = timesFor({ department, location, date }).find((option) => option.id === time)?.enabled;
    if (!location || !date || !time || !free) return c.error('That time is taken, please pick another one.');
    return c.screen('DETAILS');
  })
  .back('DETAILS', (c) => c.screen('APPOINTMENT'))
  .on('DETAILS', details, (c, { name, email, phone, notes, ...booking }) => {
    const lines = [name, email, phone, notes].filter(Boolean).join('\n');
    return c.screen('SUMMARY', { ...booking, appointment: describe(booking), details: lines });
  })
  .on('SUMMARY', slot, (c, booking) => c.complete({ ...booking, reference: `${booking.date}-${booking.time}` }))
  .completed(reservation, ({ data, from, userId, profileName }, c) => {
    const recipient = from ? { to: from } : { recipient: userId ?? '' };
    return c.defer(invoice, { recipient, customer: profileName ?? 'Guest', booking: data });
  })
  .fallback((c) => c.error('We are busy, please try again.'));

function appointmentOptions(picked: Picks) {
  const locations = locationsFor(picked.department);
  const dates = datesFor(picked);
  const times = timesFor(picked);
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
