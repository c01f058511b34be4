import { expect, test } from 'vitest';
import { completedFlow, completedScope } from '../../src/flows/completion.ts';
import { FlowDefinition } from '../../src/flows/flow-definition.ts';
import type { CompletionMessage } from '../../src/webhooks/events.ts';

function flowNamed(name: string, options = {}): FlowDefinition {
  return new FlowDefinition(name, options).completed(() => {});
}

const flows = [flowNamed('booking'), flowNamed('survey')];

function completion(message: Partial<CompletionMessage>): CompletionMessage {
  return { response: {}, flowToken: undefined, tenant: undefined, ...message } as CompletionMessage;
}

test.each([
  ['its mark', { response: { flowgate_flow: 'survey' }, flowToken: 'booking:1' }, 'survey'],
  ['the name before the colon of its token', { flowToken: 'booking:8f:3a' }, 'booking'],
  ['the name before a tenant', { flowToken: 'survey@acme:8f3a' }, 'survey'],
  ['nothing: a token that only begins like a name', { flowToken: 'bookings:1' }, undefined],
  ['nothing: a token without a colon', { flowToken: 'booking' }, undefined],
  ['nothing: a name and a letter', { flowToken: 'bookingX' }, undefined],
  ['nothing: a mark of another app', { response: { flowgate_flow: 'other' }, flowToken: 'booking:1' }, undefined],
  ['nothing: no token', {}, undefined],
])('a completion is known by %s', (_, message, name) => {
  expect(completedFlow(flows, completion(message))?.name).toBe(name);
});

test("a tenant's webhook finds the tenant's sessions, whatever its token says", () => {
  const flow = flowNamed('booking');
  const scope = (message: Partial<CompletionMessage>) => completedScope(flow, completion(message)).scope;
  expect(scope({ flowToken: 'booking@acme:1' })).toBe('booking');
  expect(scope({ flowToken: 'booking@acme:1', tenant: 'acme' })).toBe('booking@acme');
  expect(scope({ flowToken: 'booking@initech:1', tenant: 'acme' })).toBe('booking@acme');
});

test('a Flow of another business has its sessions there, though its webhook comes in with the rest', () => {
  const flow = flowNamed('booking', { tenant: 'acme' });
  expect(completedScope(flow, completion({ flowToken: 'booking@acme:1' })).scope).toBe('booking@acme');
});
