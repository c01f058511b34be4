// biome-ignore-all lint/suspicious/noTemplateCurlyInString: so bindings of Flow JSON are written
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import bookingJson from '../../../examples/booking/booking.flow.json' with { type: 'json' };
import type { JsonValue } from '../../../src/json.ts';
import type { FlowStart } from '../../../src/playground/sent.ts';
import type { PhoneEvent } from '../../../src/playground/web/flow/phone-state.ts';
import { summaryOf } from '../../../src/playground/web/flow/summary.ts';
import { viewOf } from '../../../src/playground/web/flow/view.ts';
import { Driver, footer, opened, playBooking, screenOf, string, text } from '../support/phone-driver.ts';

describe('the booking Flow', () => {
  test('is played to its end', () => {
    const phone = playBooking();
    expect(phone.sent.map(({ action, screen, data }) => [action, screen, data?.['step']])).toEqual([
      ['INIT', undefined, undefined],
      ['data_exchange', 'APPOINTMENT', 'pick'],
      ['data_exchange', 'APPOINTMENT', 'pick'],
      ['data_exchange', 'APPOINTMENT', 'pick'],
      ['data_exchange', 'APPOINTMENT', 'submit'],
    ]);
    expect(phone.screen).toBe('DETAILS');
    phone.change('name', 'Ada').change('email', 'ada@example.org').change('phone', '+15550100').pressFooter().booking();
    expect(phone.sent.at(-1)?.data).toEqual({
      department: 'eyes',
      location: 'north',
      date: '2030-01-07',
      time: '09:30',
      name: 'Ada',
      email: 'ada@example.org',
      phone: '+15550100',
      notes: '',
    });
    phone.change('terms', true).pressFooter().booking();
    expect(phone.state.stage).toBe('done');
    expect(phone.state.completion?.params).toMatchObject({ reference: 'R1', flow_token: 'token' });
    expect(summaryOf(phone.state)).toEqual([
      { label: 'What for?', value: 'Eye test' },
      { label: 'Where?', value: 'North Street 12' },
      { label: 'Which day?', value: 'Mon 7 Jan' },
      { label: 'What time?', value: '09:30' },
      { label: 'Name', value: '••••' },
      { label: 'E-mail', value: '••••' },
      { label: 'Phone', value: '••••' },
      { label: 'I agree to the terms', value: 'Yes' },
    ]);
  });

  test('asks the endpoint on the way back from a screen with refresh_on_back', () => {
    const phone = playBooking().do({ type: 'back' });
    expect(phone.sent.at(-1)).toEqual({
      version: '4.0',
      action: 'BACK',
      screen: 'DETAILS',
      data: {},
      flow_token: 'token',
    });
    phone.booking();
    expect(phone.state.frames.map(({ screen }) => screen)).toEqual(['APPOINTMENT']);
  });

  test('goes back by itself from a screen without it', () => {
    const phone = playBooking();
    phone.change('name', 'Ada').change('email', 'ada@example.org').change('phone', '+15550100').pressFooter().booking();
    phone.do({ type: 'press', action: { name: 'navigate', next: { type: 'screen', name: 'TERMS' }, payload: {} } });
    expect(phone.screen).toBe('TERMS');
    phone.do({ type: 'back' });
    expect(phone.screen).toBe('SUMMARY');
    expect(phone.effects).toMatchObject([{ type: 'moved', screen: 'SUMMARY' }]);
    expect(phone.sent.at(-1)?.action).toBe('data_exchange');
  });

  test('sends nothing while a field is not filled in', () => {
    const phone = playBooking();
    const sent = phone.sent.length;
    phone.change('email', 'nonsense').pressFooter();
    expect(phone.sent).toHaveLength(sent);
    expect(viewOf(phone.state)?.errors).toEqual({
      name: 'Fill this in',
      email: 'Enter an e-mail address',
      phone: 'Fill this in',
    });
    expect(viewOf(phone.state)?.frame.isTried).toBe(true);
  });

  test('shows what the server says of a field until the field is changed', () => {
    const phone = playBooking();
    phone.change('name', 'Nobody').change('email', 'a@b.cd').change('phone', '12345').pressFooter().booking();
    const nameNode = () => viewOf(phone.state)?.nodes.find(({ props }) => props['name'] === 'name');
    expect(nameNode()?.props['error-message']).toBe('We do not know you');
    expect(phone.form['name']).toBe('Nobody');
    phone.change('name', 'Ada');
    expect(viewOf(phone.state)?.frame.edited.has('name')).toBe(true);
  });

  test('keeps a choice that is still offered, and lets go one that is not', () => {
    const phone = playBooking().do({ type: 'back' }).booking();
    expect(phone.form).toMatchObject({ department: 'eyes' });
    expect(phone.form['location']).toBeUndefined();
  });

  test('shows an error with the data of the screen', () => {
    const phone = playBooking('14:00');
    expect(phone.screen).toBe('APPOINTMENT');
    expect(phone.state.snackbar).toBe('That time is taken, please pick another one.');
    expect(phone.state.frames.at(-1)?.data).not.toHaveProperty('error_message');
    expect(phone.change('time', '16:45').state.snackbar).toBeUndefined();
  });
});

describe('a Flow', () => {
  test('without an endpoint opens with the example data of its entry screen and asks nobody', () => {
    const screens = [screenOf('A', [text('${data.t}')], { data: { t: string } })];
    const phone = new Driver({ version: '7.3', screens }).do({ type: 'open' });
    expect(phone.sent).toEqual([]);
    expect(viewOf(phone.state)?.nodes[0]?.props['text']).toBe('x');
  });

  test('opens where its message says, with the data of the message, and asks nobody', () => {
    const screens = [screenOf('A', [text('a')], { data: { hint: string } }), screenOf('B', [])];
    const json = { version: '7.3', data_api_version: '4.0', routing_model: { A: ['B'], B: [] }, screens };
    const openWith = (start: FlowStart) => new Driver(json).do({ type: 'open', start });
    const phone = openWith({ screen: 'A', data: { hint: 'hi' } });
    expect(phone.sent).toEqual([]);
    expect(phone.state.frames).toMatchObject([{ screen: 'A', data: { hint: 'hi' } }]);
    expect(openWith({ data: {} }).state.frames, 'no example in place of data').toMatchObject([
      { screen: 'A', data: {} },
    ]);
    const wrong = openWith({ screen: 'B', data: {} });
    expect(wrong.state.failure).toMatchObject({
      request: undefined,
      reason: expect.stringContaining('B is no screen'),
    });
    expect(wrong.notice).toMatchObject({ action: 'navigate', data: { error: 'invalid-screen-transition' } });
    expect(phone.do({ type: 'back' }).state.stage).toBe('closed');
  });

  test('without Flow JSON shows any screen and submits what is written', () => {
    const phone = new Driver(undefined).do({ type: 'open' }).answer({ screen: 'ANY', data: { a: null } });
    expect(phone.screen).toBe('ANY');
    expect(phone.do({ type: 'submit', data: { b: 1 } }).sent.at(-1)).toMatchObject({ screen: 'ANY', data: { b: 1 } });
  });

  test.each([null, 7, {}, { screens: 'x' }, { screens: [null, {}, { id: 5 }] }, { version: '7.3', screens: [] }])(
    'that is %j opens without a crash',
    (json) => {
      const phone = new Driver(json).do({ type: 'open' });
      expect(['open', 'closed']).toContain(phone.state.stage);
    },
  );

  test('reads the values of screens before, as they were left', () => {
    const input = { type: 'TextInput', name: 'who', label: 'Who' };
    const go = footer({ name: 'navigate', next: { type: 'screen', name: 'B' }, payload: {} });
    const screens = [screenOf('A', [input, go]), screenOf('B', [text("`'Hi ' ${screen.A.form.who}`")])];
    const phone = opened({ routing_model: { A: ['B'], B: [] }, screens })
      .change('who', 'Ada')
      .pressFooter();
    expect(viewOf(phone.state)?.nodes[0]?.props['text']).toBe('Hi Ada');
  });

  test('never breaks, whatever happens in whatever order', () => {
    const event = fc.oneof(
      fc.constant<PhoneEvent>({ type: 'open' }),
      fc.record({
        type: fc.constant('open' as const),
        start: fc.record({ screen: fc.constantFrom('APPOINTMENT', 'x'), data: fc.constant({}) }),
      }),
      fc.constant<PhoneEvent>({ type: 'back' }),
      fc.constant<PhoneEvent>({ type: 'close' }),
      fc.constant<PhoneEvent>({ type: 'retry' }),
      fc.constant<PhoneEvent>({ type: 'dismiss' }),
      fc.record({
        type: fc.constant('change' as const),
        name: fc.constantFrom('department', 'name', 'x'),
        value: fc.jsonValue() as fc.Arbitrary<JsonValue>,
      }),
      fc.record({
        type: fc.constant('press' as const),
        action: fc.jsonValue() as fc.Arbitrary<JsonValue>,
        isFooter: fc.boolean(),
      }),
      fc.record({
        type: fc.constant('answered' as const),
        id: fc.integer({ min: 1, max: 6 }),
        outcome: fc.oneof(
          fc.record({ kind: fc.constant('answer' as const), payload: fc.jsonValue() as fc.Arbitrary<JsonValue> }),
          fc
            .constantFrom('APPOINTMENT', 'DETAILS', 'SUMMARY', 'SUCCESS')
            .map((screen) => ({ kind: 'answer' as const, payload: { screen, data: {} } })),
          fc.constant({ kind: 'expired' as const, text: 'over' }),
          fc.constant({ kind: 'failed' as const, reason: 'late' }),
        ),
      }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        const phone = new Driver(bookingJson);
        for (const happening of events) {
          phone.do(happening);
          const { stage, frames, pending } = phone.state;
          expect(new Set(frames.map(({ id }) => id)).size).toBe(frames.length);
          if (stage !== 'open') expect({ frames, pending }).toEqual({ frames: [], pending: undefined });
          viewOf(phone.state);
        }
      }),
    );
  });
});
