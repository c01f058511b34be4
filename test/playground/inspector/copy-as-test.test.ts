import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { literal, type TestStep, toTest } from '../../../src/playground/web/inspector/copy-as-test.ts';

const screen = (name: string, errorMessage?: string) => ({ kind: 'screen', screen: name, errorMessage }) as const;

describe('a session copied as a test', () => {
  test('repeats its steps and expects its screens', () => {
    const steps: TestStep[] = [
      { kind: 'open', flow: 'booking', token: { kind: 'random' }, end: screen('APPOINTMENT') },
      { kind: 'submit', data: { step: 'pick', department: 'eyes' }, end: screen('APPOINTMENT', "That's taken.") },
      { kind: 'submit', data: { step: 'submit' }, end: screen('DETAILS') },
      { kind: 'back', end: screen('APPOINTMENT') },
      { kind: 'navigate', screen: 'TERMS', data: {} },
      {
        kind: 'submit',
        data: {},
        end: { kind: 'completed', params: { reference: 'R1', flow_token: 't', flowgate_flow: 'booking' } },
      },
    ];
    expect(toTest({ flow: 'booking', apiVersion: '4.0', steps })).toBe(`import { createPhone } from 'flowgate/testing';
import { expect, test } from 'vitest';
import app from './app.ts';

test('booking goes APPOINTMENT, DETAILS, APPOINTMENT, TERMS, SUCCESS', async () => {
  await using phone = createPhone(app);

  await phone.open('booking');
  expect(phone.screen).toBe('APPOINTMENT');

  await phone.submit({ step: 'pick', department: 'eyes' });
  expect(phone.screen).toBe('APPOINTMENT');
  expect(phone.errorMessage).toBe('That\\'s taken.');

  await phone.submit({ step: 'submit' });
  expect(phone.screen).toBe('DETAILS');

  await phone.back();
  expect(phone.screen).toBe('APPOINTMENT');

  phone.navigate('TERMS', {});

  await phone.submit({});
  expect(phone.screen).toBe('SUCCESS');
  expect(phone.completed).toMatchObject({ reference: 'R1' });
});
`);
  });

  test('mints the token anew, keeps one of its own, and says the older data API', () => {
    const open = (token: Extract<TestStep, { kind: 'open' }>['token']) =>
      toTest({
        flow: 'f',
        apiVersion: '3.0',
        steps: [{ kind: 'open', flow: 'f', token, end: { kind: 'rejected', status: 427 } }],
      });
    expect(open({ kind: 'minted', user: 'ada' })).toContain("token: await app.tokens.mint({ flow: 'f', user: 'ada' })");
    expect(open({ kind: 'custom', token: 'mine' })).toContain("phone.open('f', { token: 'mine' })");
    expect(open({ kind: 'random' })).toContain("await expect(phone.open('f')).rejects.toMatchObject({ status: 427 });");
    expect(open({ kind: 'random' })).toContain("createPhone(app, { version: '3.0' })");
  });

  test('leaves out what a switch of the page made fail', () => {
    const steps: TestStep[] = [
      { kind: 'submit', data: { lost: true } },
      { kind: 'submit', data: { kept: true }, end: screen('B') },
    ];
    const code = toTest({ flow: 'f', apiVersion: '4.0', steps });
    expect(code).not.toContain('lost');
    expect(code).toContain('kept');
  });

  test('writes every value as an expression that is that value', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' })), (value) => {
        const read: unknown = Function(`return (${literal(value)})`)();
        expect(JSON.stringify(read)).toBe(JSON.stringify(value));
      }),
    );
    expect(Object.keys(Function(`return (${literal(JSON.parse('{"__proto__":1}'))})`)() as object)).toEqual([
      '__proto__',
    ]);
  });

  test('breaks what is long into lines', () => {
    const long = literal({ notes: 'x'.repeat(100), list: ['y'.repeat(100)] });
    expect(long.split('\n').length).toBeGreaterThan(4);
  });
});
