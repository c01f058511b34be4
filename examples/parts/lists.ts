import { createApp, pageOf, paginate } from 'flowgate';
import { z } from 'zod';
import { prizes } from './upstream.ts';

const app = createApp();
app
  .flow('prizes')
  .init((c) => c.screen('PICK', { prizes: paginate(prizes, { page: 1, size: 20 }) }))
  .on('PICK', z.object({ prize: z.string() }), (c, { prize }) => {
    const page = pageOf(prize); // "More" or "Back" was picked
    if (page) return c.screen('PICK', { prizes: paginate(prizes, { page, size: 20 }) });
    return c.complete({ prize });
  });
export default app;
