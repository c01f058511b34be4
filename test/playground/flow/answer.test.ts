// biome-ignore-all lint/suspicious/noTemplateCurlyInString: so bindings of Flow JSON are written
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../../src/json.ts';
import { Driver, opened, screenOf, string, text } from '../support/phone-driver.ts';

describe('an answer', () => {
  const routes = { A: ['B'], B: ['C'], C: [] };
  const screens = [
    screenOf('A', [text('a')]),
    screenOf('B', [{ type: 'TextHeading', text: '${data.title}' }], { data: { title: string } }),
    screenOf('C', [text('c')]),
  ];
  const start = () => {
    const phone = opened({ routing_model: routes, screens });
    return phone.do({ type: 'press', action: { name: 'data_exchange', payload: {} } });
  };

  test.each<[string, JsonValue, string | undefined]>([
    ['to the next screen', { screen: 'B', data: { title: 'Hi' } }, undefined],
    ['to the same screen', { screen: 'A', data: {} }, undefined],
    ['without data', { screen: 'A' }, undefined],
    ['with a key too many', { screen: 'B', data: { title: 'Hi', more: 1 } }, undefined],
    ['that skips a screen', { screen: 'C', data: {} }, 'invalid-screen-transition'],
    ['to no screen of the Flow', { screen: 'X', data: {} }, 'invalid-screen-transition'],
    ['with data for a screen that declares none', { screen: 'A', data: { title: 'Hi' } }, 'payload-schema-error'],
    ['with the wrong type', { screen: 'B', data: { title: 7 } }, 'payload-schema-error'],
    ['with null', { screen: 'B', data: { title: null } }, 'payload-schema-error'],
    ['with too long a text', { screen: 'B', data: { title: 'x'.repeat(81) } }, 'components-validation-error'],
    ['with a blank text', { screen: 'B', data: { title: '  ' } }, 'components-validation-error'],
    ['without a screen', { data: {} }, 'payload-schema-error'],
    ['that is no object', ['A'], 'payload-schema-error'],
    ['that is null', null, 'payload-schema-error'],
  ])('%s is taken, or refused with a notice', (_, payload, error) => {
    const phone = start().answer(payload);
    expect(phone.notice?.data?.['error']).toBe(error);
    expect(phone.state.failure !== undefined).toBe(error !== undefined);
    expect(phone.state.pending).toBeUndefined();
    if (error !== undefined) {
      expect(phone.notice).toMatchObject({ version: '4.0', action: 'data_exchange', screen: 'A', flow_token: 'token' });
    }
  });

  test('to INIT opens an entry screen alone', () => {
    const phone = new Driver({ version: '7.3', data_api_version: '4.0', routing_model: routes, screens }).do({
      type: 'open',
    });
    phone.answer({ screen: 'B', data: { title: 'Hi' } });
    expect(phone.notice).toMatchObject({ action: 'INIT', data: { error: 'invalid-screen-transition' } });
  });

  test('that cannot be opened is told as response-decryption-error, and can be retried', () => {
    const phone = start().end({ kind: 'unreadable', reason: 'the answer is not bare base64' });
    expect(phone.notice?.data).toEqual({
      error: 'response-decryption-error',
      error_message: 'the answer is not bare base64',
    });
    const sent = phone.sent.at(-1);
    expect(phone.do({ type: 'retry' }).sent.at(-1)).toEqual(sent);
    expect(phone.answer({ screen: 'B', data: { title: 'Hi' } }).screen).toBe('B');
  });

  test('of 427 ends the Flow for good', () => {
    const phone = start().end({ kind: 'expired', text: 'Already booked' });
    expect(phone.state).toMatchObject({ stage: 'expired', expiredText: 'Already booked', frames: [] });
    expect(phone.do({ type: 'close' }).state.stage).toBe('expired');
  });

  test('that comes too late has no effect', () => {
    const phone = start();
    const late = phone.state.pending?.id ?? 0;
    phone.end({ kind: 'failed', reason: 'No answer within 10 s.' });
    expect(phone.notice).toBeUndefined();
    const { state } = phone;
    expect(
      phone.do({ type: 'answered', id: late, outcome: { kind: 'answer', payload: { screen: 'B', data: {} } } }).state,
    ).toBe(state);
  });

  test('without params closes the Flow without a message', () => {
    const phone = start().answer({ screen: 'SUCCESS', data: {} });
    expect(phone.state.completion).toEqual({ params: undefined, by: 'endpoint', isSuccess: true });
  });

  test('may lead back over screens, which are then gone', () => {
    const phone = start().answer({ screen: 'B', data: { title: 'Hi' } });
    phone.do({ type: 'press', action: { name: 'navigate', next: { type: 'screen', name: 'C' }, payload: {} } });
    phone
      .do({ type: 'press', action: { name: 'data_exchange', payload: {} } })
      .answer({ screen: 'B', data: { title: 'Again' } });
    expect(phone.state.frames.map(({ screen, data }) => [screen, data])).toEqual([
      ['A', {}],
      ['B', { title: 'Again' }],
    ]);
  });

  test('on its way keeps the phone from anything but to close', () => {
    const phone = start();
    const { state } = phone;
    const event = { type: 'press', action: { name: 'data_exchange', payload: {} } } as const;
    expect(phone.do(event).state).toBe(state);
    expect(phone.do({ type: 'back' }).state).toBe(state);
    expect(phone.do({ type: 'close' }).state.stage).toBe('closed');
  });
});
