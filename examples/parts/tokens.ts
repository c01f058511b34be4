import { createApp } from 'flowgate';

const app = createApp();
app
  .flow('survey', { tokens: 'required' })
  .init((c) => c.screen('QUESTION', { greeting: `Hello ${c.user}` })) // the user the token was minted for
  .on('QUESTION', (c) => c.complete({ answer: String(c.data['answer']) }));

app.on('message.text', async (_event, c) => {
  await c.reply.flow('survey', { body: 'Three questions?', cta: 'Begin', ttl: '2d', singleUse: true });
});
export default app;
