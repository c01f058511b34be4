import { createApp } from 'flowgate';
import { z } from 'zod';
import { findSlots } from './upstream.ts';

const app = createApp();
app.flow('slots').on('DAY', z.object({ day: z.string() }), async (c, { day }) => {
  const slots = await c.cache.getOrSet(`slots:${day}`, { ttl: '30s', grace: '10m' }, () => findSlots(day, c.signal));
  return c.screen('SLOTS', { slots });
});
export default app;
