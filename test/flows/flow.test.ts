import { expect, test } from 'vitest';
import { z } from 'zod';
import { createApp } from '../../src/index.ts';

const json = { version: '7.3', screens: [{ id: 'A' as string }] };
const handler = () => {
  throw new Error('not called');
};

test.each(['', 'Booking', 'a b', '-a', '../x', 'a'.repeat(65)])('refuses the flow name %j', (name) => {
  expect(() => createApp().flow(name)).toThrow('a flow name takes lower-case letters');
});

test('refuses a flow, a handler, a fallback or an init that is given twice', () => {
  const app = createApp();
  const flow = app.flow('demo').on('A', handler).back('A', handler).init(handler).fallback(handler);
  flow.session(z.object({}));
  expect(() => app.flow('demo')).toThrow('flow demo was given twice');
  expect(() => flow.on('A', handler)).toThrow("flow demo: on('A') was given twice");
  expect(() => flow.back('A', handler)).toThrow("flow demo: back('A') was given twice");
  expect(() => flow.init(handler)).toThrow('flow demo: init was given twice');
  expect(() => flow.fallback(handler)).toThrow('flow demo: fallback was given twice');
  expect(() => flow.session(z.object({}))).toThrow('flow demo: session was given twice');
});

test('refuses a screen that the Flow JSON does not have', () => {
  const flow = createApp().flow('demo', { json });
  expect(() => flow.on('B', handler)).toThrow("flow demo: on('B') names a screen that its Flow JSON does not have");
});

test('refuses what is no handler, and what is no Standard Schema', () => {
  const flow = createApp().flow('demo');
  expect(() => flow.on('A', undefined as never)).toThrow('a handler must be a function');
  expect(() => flow.on('B', { parse() {} } as never, handler)).toThrow('the schema of B is no Standard Schema');
  expect(() => flow.session({} as never)).toThrow('the schema of the session is no Standard Schema');
  expect(() => flow.on('C', z.object({}), handler)).not.toThrow();
});
