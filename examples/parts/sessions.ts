import { createApp } from 'flowgate';
import { z } from 'zod';

const app = createApp();
app
  .flow('basket')
  .session(z.object({ items: z.array(z.string()) }), { ttl: '2h' })
  .init((c) => c.screen('SHOP', { count: 0 }))
  .on('SHOP', z.object({ item: z.string() }), async (c, { item }) => {
    const { items } = await c.session.update((basket) => ({ items: [...(basket?.items ?? []), item] }));
    return c.screen('SHOP', { count: items.length });
  })
  .on('CHECKOUT', (c) => c.complete())
  .completed(async (_, c) => {
    const basket = await c.session.get();
    await c.reply.text(`You ordered ${basket?.items.join(' and ')}.`);
  });
export default app;
