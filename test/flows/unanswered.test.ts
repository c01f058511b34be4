import { expect, test } from 'vitest';
import bookingJson from '../../examples/booking/booking.flow.json' with { type: 'json' };
import { FlowDefinition } from '../../src/flows/flow-definition.ts';
import type { FlowJson } from '../../src/flows/flow-json.ts';
import { unansweredBy } from '../../src/flows/unanswered.ts';
import { bound, branch, everyComponent, flowOf } from './guard/a-flow.ts';

const handler = () => {
  throw new Error('not called');
};
const ask = { name: 'data_exchange', payload: {} };

function calls(json: FlowJson): string[] {
  return unansweredBy(new FlowDefinition('demo', { json })).map(({ call }) => call);
}

test('every screen that can ask the endpoint is told, and no other', () => {
  expect(calls(bookingJson)).toEqual([
    ".on('APPOINTMENT', handler)",
    ".on('DETAILS', handler)",
    ".back('DETAILS', handler)",
    ".on('SUMMARY', handler)",
  ]);
  expect(calls(everyComponent)).toEqual([
    ...[".on('WELCOME', handler)", ".on('HOUSES', handler)", ".back('HOUSES', handler)"],
    ...[".on('STAY', handler)", ".back('STAY', handler)", ".on('GUEST', handler)", ".on('PHOTO', handler)"],
    ...[".on('PAPERS', handler)", ".on('TERMS', handler)", ".on('SUMMARY', handler)"],
  ]);
});

test('a screen with its handlers is not', () => {
  const flow = new FlowDefinition('demo', { json: bookingJson });
  flow.on('APPOINTMENT', handler).on('DETAILS', handler).on('SUMMARY', handler).back('DETAILS', handler);
  expect(unansweredBy(flow)).toEqual([]);
});

test.each<[string, object]>([
  ['a Footer', { type: 'Footer', label: 'L', 'on-click-action': ask }],
  ['an option', { type: 'Dropdown', 'data-source': [{ id: 'a', title: 'A', 'on-unselect-action': ask }] }],
  ['an item of a list', { type: 'NavigationList', 'list-items': [{ id: 'a', 'on-click-action': ask }] }],
  ['a branch', branch(bound('on'), [], [branch(bound('on'), [{ type: 'OptIn', 'on-click-action': ask }])])],
  [
    'a case',
    { type: 'Switch', cases: { a: [{ type: 'Form', children: [{ type: 'DatePicker', 'on-select-action': ask }] }] } },
  ],
])('%s asks the endpoint', (_, component) => {
  expect(calls(flowOf([component]))).toEqual([".on('A', handler)"]);
});

test('a list whose items come from data asks where its example does', () => {
  const items = { type: 'array', __example__: [{ id: 'a', 'on-click-action': ask }] };
  expect(calls(flowOf([{ type: 'NavigationList', 'list-items': bound('items') }], { items }))).toEqual([
    ".on('A', handler)",
  ]);
});

test('other actions do not', () => {
  const navigate = { name: 'navigate', next: { type: 'screen', name: 'A' }, payload: { name: 'data_exchange' } };
  expect(calls(flowOf([{ type: 'EmbeddedLink', 'on-click-action': navigate }]))).toEqual([]);
});
