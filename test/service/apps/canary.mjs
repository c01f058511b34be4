/** Fails in every way an app can, each time with what it was told in the message. */
import { createApp } from '../../../dist/index.js';

const quoting = (what) => new Error(`cannot take ${JSON.stringify(what)}`, { cause: new Error(JSON.stringify(what)) });
const schema = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => ({ issues: [{ message: `not ${JSON.stringify(value)}`, path: ['name'] }] }),
  },
};
const retry = { attempts: 2, minDelayMs: 1 };

const app = createApp();
app
  .flow('canary')
  .init((c) => c.screen('A', { token: c.token }))
  .on('THROW', (c) => {
    throw quoting([c.token, c.data]);
  })
  .on('THROW_TEXT', (c) => {
    throw JSON.stringify([c.token, c.data]);
  })
  .on('LEFT_ALONE', (c) => {
    void Promise.reject(quoting([c.token, c.data]));
    return c.screen('A');
  })
  .on('NOTHING', (c) => ({ [c.token]: c.data }))
  .on('UNSENDABLE', (c) => c.screen('A', { big: 1n, data: c.data }))
  .on('SCHEMA', schema, (c) => c.screen('A'))
  .on('SLOW', async (c) => {
    await new Promise((resolve) => setTimeout(resolve, 510));
    return c.screen('A', c.data);
  })
  .on('LATE', async (c) => {
    await new Promise((resolve) => setTimeout(resolve, 900));
    throw quoting([c.token, c.data]);
  })
  .on('EXPIRE', (c) => c.expire(`gone: ${JSON.stringify(c.data)}`))
  .completed(schema, () => {}, { retry });
app
  .flow('falling')
  .on('THROW', (c) => {
    throw quoting(c.data);
  })
  .fallback((c) => {
    throw quoting(c.token);
  });
app.flow('dead', { checkToken: (token) => `dead: ${token}` }).init((c) => c.screen('A'));

const job = app.job('job', { attempts: 2, minDelayMs: 1, schema }, () => {});
const options = { retry };
app.on(
  'message.text',
  (event) => event.text.startsWith('reply'),
  (event, c) => c.reply.text(event.text),
  options,
);
app.on(
  'message.text',
  (event) => event.text.startsWith('defer'),
  (event, c) => c.defer(job, { name: event.text }),
  options,
);
app.on(
  'message.text',
  (event) => event.text.startsWith('once'),
  (event, c) =>
    c.once(event.text, () => {
      throw quoting(event.raw);
    }),
  options,
);
app.on(
  'message.text',
  (event) => event.text.startsWith('late'),
  () => new Promise(() => {}),
  { retry, deadlineMs: 100 },
);
app.on(
  'message.*',
  (event) => {
    throw quoting(event);
  },
  options,
);
for (const pattern of ['status.*', 'flow.*', 'system', 'error', 'unknown']) {
  app.on(
    pattern,
    (event) => {
      throw quoting(event);
    },
    options,
  );
}
export default app;
