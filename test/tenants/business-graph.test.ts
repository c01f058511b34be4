import { describe, expect, test, vi } from 'vitest';
import { FlowgateError } from '../../src/errors.ts';
import type { GraphClient } from '../../src/graph/client.ts';
import type { GraphFor } from '../../src/graph/graph.ts';
import { businessGraph } from '../../src/tenants/business-graph.ts';
import { type Business, businessOf, Sender, type SenderOptions } from '../../src/tenants/sender.ts';

const TO = { to: '15550109988' };

function setUp(sender: SenderOptions, business: Partial<Business> = {}) {
  const sendText = vi.fn(async () => ({ messageId: 'wamid.1' }));
  const graphFor = vi.fn<GraphFor>(() => ({ sendText }) as Partial<GraphClient> as GraphClient);
  const findSender = vi.fn(async () => new Sender(sender));
  const caller = new AbortController();
  const graph = businessGraph({ kind: 'tenant', name: 'acme', ...business }, { graphFor, findSender }, caller);
  return { caller, graph, graphFor, findSender, sendText };
}

describe('the Graph API as another business', () => {
  test('is asked with its token, from the number that was written to', async () => {
    const { graph, graphFor, findSender, sendText } = setUp(
      { graphToken: 'EAA', phoneNumberId: '1' },
      { phoneNumberId: '2' },
    );
    expect(findSender).not.toHaveBeenCalled();
    expect(await graph.sendText(TO, 'Hi')).toEqual({ messageId: 'wamid.1' });
    expect(graphFor.mock.calls).toEqual([['2', { owner: 'tenant acme', token: 'EAA' }]]);
    expect(sendText.mock.calls).toEqual([[TO, 'Hi']]);
  });

  test('is asked from its own number where no event names one', async () => {
    const { graph, graphFor } = setUp({ graphToken: 'EAA', phoneNumberId: '1' }, { kind: 'flow', name: 'survey' });
    await graph.sendText(TO, 'Hi');
    expect(graphFor.mock.calls).toEqual([['1', { owner: 'flow survey', token: 'EAA' }]]);
  });

  test('is asked with the settings’ token where it has none of its own, and never from the settings’ number', async () => {
    const { graph, graphFor } = setUp({}, { phoneNumberId: '2' });
    await graph.sendText(TO, 'Hi');
    expect(graphFor.mock.calls).toEqual([['2', undefined]]);
    const without = setUp({ graphToken: 'EAA' });
    await expect(without.graph.sendText(TO, 'Hi')).rejects.toThrow(
      new TypeError(
        'there is no number to send from: no event names one here, and tenant acme has no phoneNumberId of its own',
      ),
    );
    expect(without.graphFor).not.toHaveBeenCalled();
  });

  test('has the token of now at each call', async () => {
    const { graph, graphFor, findSender } = setUp({ graphToken: 'old' }, { phoneNumberId: '2' });
    await graph.sendText(TO, 'Hi');
    findSender.mockResolvedValue(new Sender({ graphToken: 'new' }));
    await graph.sendText(TO, 'Hi');
    expect(graphFor.mock.calls.map(([, account]) => account?.token)).toEqual(['old', 'new']);
  });

  test('sends nothing for a caller who gave up while its sender was looked up', async () => {
    const { graph, graphFor, caller } = setUp({}, { phoneNumberId: '2' });
    const sent = graph.sendText(TO, 'Hi');
    caller.abort();
    await expect(sent).rejects.toMatchObject({ code: 'GRAPH_FAILED', kind: 'unsent', isUncertain: false });
    expect(graphFor).not.toHaveBeenCalled();
  });

  test('rejects with why its sender cannot be had, whether that is thrown or rejected with', async () => {
    const { graph, findSender, graphFor } = setUp({}, { phoneNumberId: '2' });
    const unavailable = new FlowgateError('TENANT_UNAVAILABLE', 'down');
    findSender.mockRejectedValueOnce(unavailable).mockImplementationOnce(() => {
      throw unavailable;
    });
    for (let i = 0; i < 2; i++) await expect(graph.sendText(TO, 'Hi')).rejects.toBe(unavailable);
    expect(graphFor).not.toHaveBeenCalled();
  });
});

test('what came to a tenant is the tenant’s, whatever Flow it names; then a Flow’s own business comes, then the settings’', () => {
  const [own, others] = [false, true].map((isOfAnother) => ({ name: 'survey', isOfAnother }));
  expect(businessOf('acme', others, '1')).toEqual({ kind: 'tenant', name: 'acme', phoneNumberId: '1' });
  expect(businessOf('acme', undefined)).toEqual({ kind: 'tenant', name: 'acme' });
  expect(businessOf(undefined, others, '1')).toEqual({ kind: 'flow', name: 'survey', phoneNumberId: '1' });
  expect(businessOf(undefined, own, '1')).toBeUndefined();
  expect(businessOf(undefined, undefined, '1')).toBeUndefined();
});
