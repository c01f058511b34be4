import { expect, test } from 'vitest';
import type { Flow } from '../../src/flows/flow.ts';
import { FlowDefinition } from '../../src/flows/flow-definition.ts';
import { tellOfFlows } from '../../src/flows/start-checks.ts';
import { recordingLog } from '../support/log.ts';

const screen = (id: string, children: object[]) => ({ id, layout: { type: 'SingleColumnLayout', children } });
const asks = { type: 'Footer', label: 'Go', 'on-click-action': { name: 'data_exchange', payload: {} } };
const json = {
  version: '7.3',
  routing_model: { A: ['B'], B: [] },
  screens: [screen('A', [asks]), { ...screen('B', [asks, { type: 'Hologram' }]), refresh_on_back: true }],
};

test('the start tells of each screen that nothing answers, and of what the guard does not check', () => {
  const { log, lines } = recordingLog();
  const flow = new FlowDefinition('demo', { json });
  const authored: Flow = flow;
  authored.on('A', (c) => c.screen('B'));
  tellOfFlows([flow, new FlowDefinition('unknown', {})], log);
  expect(lines).toMatchObject([
    { code: 'HANDLER_MISSING', flow: 'demo', screen: 'B', msg: expect.stringContaining(".on('B', handler)") },
    { code: 'HANDLER_MISSING', flow: 'demo', screen: 'B', msg: expect.stringContaining(".back('B', handler)") },
    { code: 'GUARD_INCOMPLETE', flow: 'demo', msg: expect.stringContaining('Hologram') },
  ]);
});
