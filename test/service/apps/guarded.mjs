/** Answers that do not fit the Flow JSON, in Flows that differ in what is to become of them. */
import { createApp } from '../../../dist/index.js';

const json = {
  version: '7.3',
  data_api_version: '4.0',
  routing_model: { STARS: ['WHY'], WHY: ['THANKS'], THANKS: [] },
  screens: [
    { id: 'STARS', data: { stars: { type: 'number', __example__: 4 } } },
    { id: 'WHY' },
    { id: 'THANKS', terminal: true },
  ],
};

const app = createApp();
const flows = { silent: 'off', reported: undefined, refused: 'strict' };
for (const [name, guard] of Object.entries(flows)) {
  app
    .flow(name, { json, ...(guard && { guard }) })
    .init((c) => c.screen('STARS', { stars: 'four' }))
    .on('STARS', (c) => c.screen('THANKS')) // the way there is over WHY
    .fallback((c) => c.screen('STARS', { stars: 0 }));
}
export default app;
