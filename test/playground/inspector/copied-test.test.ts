import { createPhone } from 'flowgate/testing';
import { expect, test } from 'vitest';
import bookingApp from '../../../examples/booking/app.ts';
import { type TestStep, toTest } from '../../../src/playground/web/inspector/copy-as-test.ts';

const screen = (name: string, errorMessage?: string) => ({ kind: 'screen', screen: name, errorMessage }) as const;
const SLOT = { department: 'eyes', location: 'north', date: '2030-01-07', time: '09:30' };
const PERSON = { name: 'Ada Example', email: 'ada@example.org', phone: '+15550100', notes: "It's me" };

/** Runs the text of a Vitest file in here: what it imports is given to it, and `await using` is for newer Nodes. */
async function run(source: string): Promise<void> {
  const script = source.replaceAll(/^import .*$/gm, '').replace('await using phone', 'const phone');
  const tests: (() => Promise<void>)[] = [];
  await using phone = createPhone(bookingApp);
  const given = {
    test: (_name: string, body: () => Promise<void>) => tests.push(body),
    expect,
    createPhone: () => phone,
    app: bookingApp,
  };
  Function(...Object.keys(given), script)(...Object.values(given));
  expect(tests).toHaveLength(1);
  await tests[0]?.();
}

const steps = (end: string): TestStep[] => [
  { kind: 'open', flow: 'booking', token: { kind: 'random' }, end: screen('APPOINTMENT') },
  { kind: 'submit', data: { step: 'pick', department: 'eyes' }, end: screen('APPOINTMENT') },
  { kind: 'submit', data: { step: 'submit', ...SLOT }, end: screen('DETAILS') },
  { kind: 'back', end: screen('APPOINTMENT') },
  { kind: 'submit', data: { step: 'submit', ...SLOT }, end: screen('DETAILS') },
  { kind: 'submit', data: { ...SLOT, ...PERSON }, end: screen(end) },
  { kind: 'navigate', screen: 'TERMS', data: {} },
  { kind: 'navigate', screen: 'SUMMARY', data: {} },
  {
    kind: 'submit',
    data: SLOT,
    end: { kind: 'completed', params: { ...SLOT, reference: '2030-01-07-09:30', flow_token: 'x' } },
  },
];

test('a copied test passes with the app it was copied from', async () => {
  await run(toTest({ flow: 'booking', apiVersion: '4.0', steps: steps('SUMMARY') }));
});

test('a copied test fails with an app that does something else', async () => {
  await expect(run(toTest({ flow: 'booking', apiVersion: '4.0', steps: steps('TERMS') }))).rejects.toThrow('SUMMARY');
});
