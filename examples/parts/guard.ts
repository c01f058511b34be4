import { createApp } from 'flowgate';

const app = createApp();
app
  .flow('rating', {
    guard: 'strict',
    json: {
      version: '7.3',
      data_api_version: '4.0',
      routing_model: { STARS: [] },
      screens: [{ id: 'STARS', terminal: true, data: { stars: { type: 'number', __example__: 4 } } }],
    },
  })
  .init((c) => c.screen('STARS', { stars: JSON.parse('"four"') })) // not a number, and the compiler cannot know
  .on('STARS', (c) => c.complete())
  .fallback((c) => c.screen('STARS', { stars: 0 }));
export default app;
