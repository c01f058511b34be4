/** Fails in every way that sessions, tokens, the cache, files and tenants can, each time with what it was told at hand. */
import { createApp } from '../../../dist/index.js';

const quoting = (what) => new Error(`cannot take ${JSON.stringify(what)}`, { cause: new Error(JSON.stringify(what)) });
const schema = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate(value) {
      if (value.mode === 'throw') throw quoting(value);
      return value.mode === 'refuse' ? { issues: [{ message: `not ${JSON.stringify(value)}` }] } : { value };
    },
  },
};
const json = {
  version: '7.3',
  data_api_version: '4.0',
  routing_model: { A: [] },
  screens: [
    {
      id: 'A',
      data: { count: { type: 'number', __example__: 1 }, list: { type: 'array', __example__: [], maxItems: 1 } },
    },
  ],
};
const businesses = {
  throwing: (name) => {
    throw quoting(name);
  },
  wrong: () => ({ appSecret: process.env.APP_SECRET, keys: process.env.VERIFY_TOKEN, passphrase: 'CANARY' }),
  acme: () => ({
    appSecret: 'CANARY secret of acme',
    verifyToken: 'CANARY token of acme',
    keys: process.env.PRIVATE_KEY,
    graphToken: 'CANARY-graph-token-of-acme',
  }),
  spaced: () => ({
    appSecret: 'CANARY secret of spaced',
    keys: process.env.PRIVATE_KEY,
    graphToken: 'CANARY graph token of spaced',
  }),
};

const app = createApp({ tenants: (name) => businesses[name]?.(name) });
const mint = (c, options = {}) => app.tokens.mint({ user: c.data.user, flow: 'minted', ...options });
app
  .flow('state')
  .session(schema)
  .on('SESSION', async (c) => {
    await c.session.set({ ...c.data, mode: 'keep' });
    await c.session.update((kept) => ({ ...kept, mode: c.data.mode }));
    return c.screen('A');
  })
  .on('SESSION_LARGE', async (c) => {
    await c.session.set({ text: JSON.stringify(c.data).repeat(2_000) });
    return c.screen('A');
  })
  .on('SESSION_LOST', async (c) => {
    await c.session.set({ at: new Date(), ...c.data });
    return c.screen('A');
  })
  .on('MINT', async (c) => c.screen('A', { token: await mint(c), once: await mint(c, { singleUse: true }) }))
  .on('MINT_WRONG', async (c) => c.screen('A', { token: await mint(c, { ttl: c.data.name }) }))
  .on('CACHE', async (c) => {
    await c.cache.getOrSet(c.data.name, { ttl: '1m' }, () => {
      throw quoting(c.data);
    });
    return c.screen('A');
  })
  .on('CACHE_KEY', async (c) => {
    await c.cache.getOrSet(c.data.name.repeat(100), { ttl: '1m' }, () => 1);
    return c.screen('A');
  })
  .on('CACHE_LARGE', async (c) => {
    await c.cache.getOrSet(`large ${c.token}`, { ttl: '1m' }, () => c.data.name.repeat(100_000));
    return c.screen('A');
  })
  .on('MEDIA', async (c) => {
    for (const photo of c.media('photos')) await photo.download();
    return c.screen('A');
  })
  .on(
    'ONCE',
    (c) => {
      throw quoting(c.data);
    },
    { once: '1m' },
  )
  .on('ONCE_LARGE', (c) => c.screen('A', { text: c.data.name.repeat(100_000) }), { once: '1m' });
const wrong = (c) => ({ count: c.data.name, list: [c.token, c.token], [c.data.name]: c.data, [c.token]: null });
app.flow('reported', { json }).on('A', (c) => c.screen('A', wrong(c)));
app
  .flow('refused', { json, guard: 'strict' })
  .on('A', (c) => c.screen('A', wrong(c)))
  .fallback((c) => c.screen('A', wrong(c)));
app
  .flow('minted', { tokens: 'required', tokenSignature: 'required' })
  .init((c) => {
    throw quoting([c.token, c.user]);
  })
  .on('DONE', (c) => c.complete({ user: c.user }));

const options = { retry: { attempts: 1 } };
app.on('message.image', (_, c) => Promise.all(c.media().map((file) => file.download())), options);
app.on(
  'message.text',
  (event, c) => c.reply.flow('minted', { body: event.text, cta: event.text.slice(0, 9), user: event.text }),
  options,
);
export default app;
