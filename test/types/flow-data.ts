/** Which data a screen takes by a Flow JSON literal, in depth: what must compile, and what must not. Never run. */
import { createApp } from 'flowgate';

const flow = createApp().flow('data', {
  json: {
    version: '7.3',
    screens: [
      {
        id: 'A',
        data: {
          rows: {
            type: 'array',
            items: {
              type: 'object',
              properties: { id: { type: 'string' }, title: { type: 'string' }, enabled: { type: 'boolean' } },
            },
          },
          texts: { type: 'object', properties: { name: { type: 'string' }, email: { type: 'string' } } },
          person: {
            type: 'object',
            properties: { name: { type: 'string' }, age: { type: 'number' } },
            required: ['name'],
          },
          grid: { type: 'array', items: { type: 'array', items: { type: 'number' } } },
          anything: { type: 'object' },
          error_message: { type: 'string' },
        },
      },
    ],
  },
});
const rest = { grid: [[1]], anything: { deep: [true] } };

flow.init((c) =>
  c.screen('A', { rows: [{ id: '1', title: 'One' }], texts: { name: 'No' }, person: { name: 'Ada' }, ...rest }),
);
flow.on('A', (c) =>
  c.screen('A', { rows: [], texts: {}, person: { name: 'Ada', age: 36 }, ...rest, error_message: 'No' }),
);
// @ts-expect-error an item of a list needs its title
flow.back('A', (c) => c.screen('A', { rows: [{ id: '1' }], texts: {}, person: { name: 'Ada' }, ...rest }));
// @ts-expect-error what the model requires
flow.back('A', (c) => c.screen('A', { rows: [], texts: {}, person: { age: 36 }, ...rest }));
// @ts-expect-error an optional key of a wrong type
flow.back('A', (c) => c.screen('A', { rows: [], texts: { name: 7 }, person: { name: 'Ada' }, ...rest }));
// @ts-expect-error an inner key that the model does not have
flow.back('A', (c) => c.screen('A', { rows: [], texts: { nmae: '' }, person: { name: 'Ada' }, ...rest }));
// @ts-expect-error a list of lists of numbers
flow.back('A', (c) => c.screen('A', { ...rest, rows: [], texts: {}, person: { name: 'Ada' }, grid: [['1']] }));
// @ts-expect-error every key of the screen itself
flow.back('A', (c) => c.screen('A', { rows: [], texts: {}, ...rest }));
