import { expect, test } from 'vitest';
import bookingJson from '../../../examples/booking/booking.flow.json' with { type: 'json' };
import { entryScreenOf, type FlowJson } from '../../../src/flows/flow-json.ts';
import { allowedMoves } from '../../../src/flows/guard/routing.ts';
import { everyComponent } from './a-flow.ts';

function moves(json: FlowJson): Record<string, string[]> {
  return Object.fromEntries([...allowedMoves(json)].map(([from, to]) => [from, [...to].sort()]));
}

function flow(routes: FlowJson['routing_model'], ids: readonly string[]): FlowJson {
  return { version: '7.3', ...(routes && { routing_model: routes }), screens: ids.map((id) => ({ id })) };
}

test('an answer may go along a route, against one, stay, or go to the first screen', () => {
  expect(moves(bookingJson)).toEqual({
    INIT: ['APPOINTMENT'],
    APPOINTMENT: ['APPOINTMENT', 'DETAILS'],
    DETAILS: ['APPOINTMENT', 'DETAILS', 'SUMMARY'],
    SUMMARY: ['APPOINTMENT', 'DETAILS', 'SUMMARY', 'TERMS'],
    TERMS: ['APPOINTMENT', 'SUMMARY', 'TERMS'],
  });
});

test('INIT may open any screen without an inbound route', () => {
  expect(moves(flow({ A: ['C'], B: ['C'], C: [] }, ['A', 'B', 'C']))).toEqual({
    INIT: ['A', 'B'],
    A: ['A', 'C'],
    B: ['A', 'B', 'C'],
    C: ['A', 'B', 'C'],
  });
});

test('without a routing model INIT opens the first screen and every move is let through', () => {
  expect(moves(flow(undefined, ['A', 'B']))).toEqual({ INIT: ['A'], A: ['A', 'B'], B: ['A', 'B'] });
});

test('the first screen is the one that opens the Flow, and the first of the list where that is another', () => {
  const json = flow({ B: ['A', 'D'], A: ['C'], C: [], D: [] }, ['A', 'B', 'C', 'D']);
  expect(entryScreenOf(json)).toBe('B');
  expect(moves(json)).toEqual({
    INIT: ['B'],
    A: ['A', 'B', 'C'],
    B: ['A', 'B', 'D'],
    C: ['A', 'B', 'C'],
    D: ['A', 'B', 'D'],
  });
});

test('a route from a screen to itself does not make it less of an entry', () => {
  expect(moves(flow({ A: ['A', 'B'], B: [] }, ['A', 'B']))['INIT']).toEqual(['A']);
});

test('a circle has no entry, so that INIT may open any screen', () => {
  expect(moves(flow({ A: ['B'], B: ['A'] }, ['A', 'B']))).toEqual({ INIT: ['A', 'B'], A: ['A', 'B'], B: ['A', 'B'] });
});

test('screens that the model names and the Flow does not have are nowhere', () => {
  expect(moves(flow({ A: ['X', 'B'], X: ['B'], B: [] }, ['A', 'B']))).toEqual({
    INIT: ['A'],
    A: ['A', 'B'],
    B: ['A', 'B'],
  });
});

test('a screen that is called INIT keeps its moves beside those of the opening', () => {
  expect(moves(flow({ A: ['INIT'], INIT: ['B'], B: [] }, ['A', 'INIT', 'B']))['INIT']).toEqual(['A', 'B', 'INIT']);
});

test.each([bookingJson as FlowJson, everyComponent])('the entry screen is among those that INIT may open', (json) => {
  expect(moves(json)['INIT']).toContain(entryScreenOf(json));
});

test.each([null, 7, 'A', [], { A: 'B' }, { A: [null, 7, 'B'] }])(
  'a broken routing model does not throw: %j',
  (routes) => {
    expect(
      moves({ version: '7.3', routing_model: routes as never, screens: [{ id: 'A' }, { id: 'B' }] })['A'],
    ).toContain('A');
  },
);
