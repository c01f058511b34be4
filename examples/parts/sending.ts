import { createApp } from 'flowgate';

const app = createApp();
app.flow('visit').init((c) => c.screen('TIMES', { user: c.user ?? '' }));

const invite = app.job<{ to: string }>('invite', { attempts: 5 }, async ({ to }, c) => {
  const token = await app.tokens.mint({ user: to, flow: 'visit' });
  await c.once('send', () => c.graph.sendTemplate({ to }, { name: 'your_visit', language: 'en', flow: { token } }));
});

app.on('message.text', async ({ from }, c) => {
  await c.reply.typing();
  if (from) await c.defer(invite, { to: from }); // a template may be sent a day later, a text may not
});
export default app;
