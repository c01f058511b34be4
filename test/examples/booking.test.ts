import { createPhone, type PhoneScreen } from 'flowgate/testing';
import { expect, test } from 'vitest';
import app from '../../examples/booking/app.ts';
import json from '../../examples/booking/booking.flow.json' with { type: 'json' };
import { FakeGraph, GRAPH_TOKEN, PHONE_NUMBER_ID } from '../support/fake-graph.ts';

const pick = { department: 'eyes', location: 'north', date: '2030-01-07' };
const person = { name: 'Ada Example', email: 'ada@example.org', phone: '+1 555 010 9988' };

/** A client that gets other keys than the screen declares refuses it, or shows components without their data. */
function expectDeclaredData({ screen, data }: PhoneScreen): void {
  const declared = json.screens.find(({ id }) => id === screen)?.data ?? {};
  expect(Object.keys(data).sort(), screen).toEqual(Object.keys(declared).sort());
}

test('books an appointment, and every screen gets exactly the data it declares', async () => {
  await using phone = createPhone(app);
  const steps = [
    () => phone.open('booking'),
    () => phone.submit({ step: 'pick', department: 'eyes' }),
    () => phone.submit({ step: 'pick', department: 'eyes', location: 'north' }),
    () => phone.submit({ step: 'pick', ...pick }),
    () => phone.submit({ step: 'submit', ...pick, time: '10:15' }), // taken
    () => phone.submit({ step: 'submit', ...pick, time: '09:30' }),
    () => phone.submit({ ...pick, time: '09:30', ...person, email: 'ada' }), // mistyped
    () => phone.back(),
    () => phone.submit({ step: 'submit', ...pick, time: '09:30' }),
    () => phone.submit({ ...pick, time: '09:30', ...person }),
  ];
  const shown: string[] = [];
  for (const step of steps) {
    const screen = await step();
    expectDeclaredData(screen);
    shown.push(screen.errorMessage ? `${screen.screen}: ${screen.errorMessage}` : screen.screen);
  }
  expect(shown).toEqual([
    'APPOINTMENT',
    'APPOINTMENT',
    'APPOINTMENT',
    'APPOINTMENT',
    'APPOINTMENT: That time is taken, please pick another one.',
    'DETAILS',
    'DETAILS: Email: Please enter an e-mail address',
    'APPOINTMENT',
    'DETAILS',
    'SUMMARY',
  ]);
  await phone.submit({ ...pick, time: '09:30' });
  expect(phone.completed).toMatchObject({ ...pick, time: '09:30', reference: '2030-01-07-09:30' });
});

test('each dropdown offers what fits the picks before it', async () => {
  await using phone = createPhone(app);
  await phone.open('booking');
  const ids = (key: string) => (phone.data[key] as { id: string }[]).map(({ id }) => id);
  await phone.submit({ step: 'pick', department: 'hearing' });
  expect(ids('locations')).toEqual(['north']);
  expect(ids('dates')).toEqual([]);
  await phone.submit({ step: 'pick', department: 'eyes', location: 'harbour', date: '2030-01-08' });
  expect(ids('locations')).toEqual(['north', 'harbour']);
  expect(phone.data['times']).toContainEqual({ id: '14:00', title: '14:00', enabled: false });
});

test('a payload that no screen of ours sends shows the screen again, with its data', async () => {
  await using phone = createPhone(app);
  await phone.open('booking');
  const screen = await phone.submit({ step: 7 });
  expect(screen.errorMessage).toBeDefined();
  expectDeclaredData(screen);
});

test('a completed booking is answered with its invoice, once', async () => {
  await using graph = await FakeGraph.start();
  const settings = { GRAPH_TOKEN, PHONE_NUMBER_ID, GRAPH_BASE_URL: graph.url };
  await using phone = createPhone(app, { settings });
  await phone.open('booking');
  await phone.submit({ step: 'submit', ...pick, time: '09:30' });
  await phone.submit({ ...pick, time: '09:30', ...person });
  await phone.submit({ ...pick, time: '09:30' });
  await phone.sendCompletion();
  await phone.redeliver();
  await phone.settled();
  expect(graph.uploads.map(({ filename, mimeType }) => [filename, mimeType])).toEqual([
    ['invoice-2030-01-07-0930.pdf', 'application/pdf'],
  ]);
  expect(graph.messages.map(({ body }) => body)).toMatchObject([{ to: phone.user.waId, type: 'document' }]);
});
