/** What must compile of events, jobs and completions, and what must not. Compiled, never run. */
import { createApp } from 'flowgate';
import { z } from 'zod';

const app = createApp();

// Events: the name decides what the handler is given.
app.on('message.text', ({ text }) => text.toUpperCase());
app.on('message.image', ({ media }) => media.caption?.length);
app.on('message.list_reply', ({ choice }) => choice.title);
app.on('message.interactive.nfm_reply', ({ response }) => response?.['key']);
app.on('status.failed', ({ errorCodes, status }) => [...errorCodes, status]);
app.on('flow.endpoint_latency', ({ value, threshold }) => (value ?? 0) > (threshold ?? 0));
app.on('message.*', ({ from, type }) => [from, type]);
app.on(
  'message.text',
  ({ text }) => text === 'stop',
  ({ from }) => from,
  { retry: { attempts: 3 }, deadlineMs: 5_000 },
);

// @ts-expect-error there is no such event
app.on('message.txt', () => {});
// @ts-expect-error nor such a group
app.on('messages.*', () => {});
// @ts-expect-error a text has no media
app.on('message.text', ({ media }) => media);
// @ts-expect-error a status has no text
app.on('status.read', ({ text }) => text);
const thrice = { retry: { attempts: '3' } };
// @ts-expect-error attempts is a number
app.on('message.text', () => {}, thrice);

// Jobs: the handle carries the type of the payload.
const invoice = app.job<{ cents: number }>('invoice', { attempts: 8 }, ({ cents }, c) => cents + c.attempt);
const mail = app.job('mail', { schema: z.object({ at: z.coerce.date() }) }, ({ at }) => at.getTime());

app.on('message.text', async (_, c) => {
  await c.defer(invoice, { cents: 100 }, { key: 'invoice-1', delayMs: 1_000 });
  await c.defer(mail, { at: '2030-01-01' });
  await c.defer('invoice', { anything: true });
  // @ts-expect-error cents is missing
  await c.defer(invoice, {});
  // @ts-expect-error cents is a number
  await c.defer(invoice, { cents: '100' });
  // @ts-expect-error there is no such option
  await c.defer(invoice, { cents: 1 }, { delay: 1 });
  const { id } = await c.once('charge', async () => ({ id: 'charge-1' }));
  await c.reply.text(id);
});

// A job has nobody to reply to.
// @ts-expect-error
app.job('silent', {}, (_, c) => c.reply.text('hello'));

// Completions: validated by a schema, or as they came.
const flow = app.flow('booking');
flow.completed(z.object({ seats: z.number() }), ({ data, from, flowToken }) => [data.seats.toFixed(), from, flowToken]);
flow.completed(({ data }) => data['seats'], { matches: ({ flowToken }) => flowToken === 'x', retry: { attempts: 2 } });
// @ts-expect-error the schema has no such field
flow.completed(z.object({ seats: z.number() }), ({ data }) => data.chairs);
// A Flow's handler can leave work for later, too.
flow.init(async (c) => {
  await c.defer(invoice, { cents: 1 });
  return c.screen('A');
});
