/** The booking Flow as an app of this source tree, which answers by the script of `booking.ts`, and writes afterwards. */
import bookingJson from '../../../examples/booking/booking.flow.json' with { type: 'json' };
import { type App, createApp } from '../../../src/app.ts';
import type { FlowContext } from '../../../src/flows/context.ts';
import type { FlowJson } from '../../../src/flows/flow-json.ts';
import type { JsonObject } from '../../../src/json.ts';
import { answerBooking } from './booking.ts';

/** Answers a text with the message of the Flow, and the completion with a text. */
export function bookingApp(): App {
  const app = createApp();
  const answer = (screen: string) => (c: FlowContext) => answerAs(c, { action: c.action, screen, data: c.data });
  app
    .flow('booking', { json: bookingJson as object as FlowJson, tokens: 'required' })
    .init(answer(''))
    .on('APPOINTMENT', answer('APPOINTMENT'))
    .back('DETAILS', (c) => answerAs(c, { action: 'BACK' }))
    .on('DETAILS', answer('DETAILS'))
    .on('SUMMARY', answer('SUMMARY'))
    .completed(async ({ data, messageId = '' }, c) => {
      await c.reply.typing();
      await c.graph.sendText({ to: '+1 650 555 1234' }, `Booked: ${data['reference']}`, { replyTo: messageId });
    });
  app.on('message.text', async ({ text }, c) => {
    await c.reply.read();
    await c.reply.flow('booking', {
      header: 'Booking',
      body: `You wrote: ${text}`,
      cta: 'Book a visit',
      singleUse: true,
    });
  });
  return app;
}

function answerAs(c: FlowContext, request: JsonObject) {
  const { screen, data } = answerBooking(request).payload as { screen: string; data: JsonObject };
  if (screen !== 'SUCCESS') return c.screen(screen, data as object);
  const { params } = data['extension_message_response'] as { params: JsonObject };
  return c.complete({ reference: String(params['reference']) });
}
