import { expect, test } from 'vitest';
import bookingJson from '../../examples/booking/booking.flow.json' with { type: 'json' };
import { APP } from '../../src/app.ts';
import { flowChecks } from '../../src/doctor/flow-checks.ts';
import type { FlowJson } from '../../src/flows/flow-json.ts';
import { createApp } from '../../src/index.ts';
import { findingsOf } from '../support/doctor.ts';

const on = (action: string, name: string) => ({
  layout: { children: [{ type: 'Form', children: [{ [action]: { name } }] }] },
});
const json = {
  version: '7.3',
  screens: [
    { id: 'SUBMIT', ...on('on-click-action', 'data_exchange') },
    { id: 'PICK', ...on('on-select-action', 'data_exchange'), refresh_on_back: true },
    { id: 'LOCAL', ...on('on-click-action', 'navigate'), refresh_on_back: false },
  ],
} as FlowJson;
const look = (app: ReturnType<typeof createApp>) => findingsOf(flowChecks, { flows: app[APP].flows });

test('a Flow whose screens all have what they ask is in order', async () => {
  const app = createApp();
  const all = app.flow('all', { json }).init((c) => c.complete());
  all
    .on('SUBMIT', (c) => c.complete())
    .on('PICK', (c) => c.complete())
    .back('PICK', (c) => c.complete());
  app.flow('one', { json: { version: '7.3', screens: [{ id: 'ONLY' }] } });
  app.flow('unknown');
  expect(await look(app)).toEqual({
    app: 'ok: Flows: all, one, unknown',
    'Flow all': 'ok: 3 screens, and a handler for whatever asks one',
    'Flow one':
      'ok: 1 screen, and a handler for whatever asks one; without .init, so open it with flow_action navigate',
    'Flow unknown': "skipped: give app.flow('unknown', { json }) its Flow JSON",
  });
});

test('each screen that asks in vain is named with the call that is missing', async () => {
  const app = createApp();
  app.flow('empty', { json });
  expect((await look(app))['Flow empty']).toBe(
    "failed: users would see an error, since SUBMIT has a data_exchange action: add .on('SUBMIT', handler); PICK has a data_exchange action: add .on('PICK', handler); PICK has refresh_on_back: add .back('PICK', handler)",
  );
});

test('the booking example asks on three screens, and goes back from one', async () => {
  const app = createApp();
  app.flow('booking', { json: bookingJson as FlowJson });
  const { 'Flow booking': text = '' } = await look(app);
  for (const call of [".on('APPOINTMENT'", ".on('DETAILS'", ".on('SUMMARY'", ".back('DETAILS'"]) {
    expect(text).toContain(call);
  }
  expect(text).not.toContain('TERMS');
});

test('there is no app, none that can be loaded, or none with a Flow', async () => {
  expect(await findingsOf(flowChecks)).toEqual({ app: 'skipped: give the app: flowgate doctor app.js' });
  expect(await findingsOf(flowChecks, { flows: 'x cannot be loaded' })).toEqual({ app: 'failed: x cannot be loaded' });
  expect(await look(createApp())).toEqual({ app: 'failed: the app has no Flow: add one with app.flow(name)' });
});
