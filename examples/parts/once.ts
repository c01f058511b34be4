import { createApp } from 'flowgate';
import { draw } from './upstream.ts';

const app = createApp();
app
  .flow('lottery')
  .init((c) => c.screen('TICKET'))
  .on('TICKET', async (c) => c.complete({ prize: await draw(c.user) }), { once: '10m' });
export default app;
