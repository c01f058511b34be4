import { createApp, type TenantCredentials } from 'flowgate';

/** In your app a database, or a vault. */
export const businesses = new Map<string, TenantCredentials>();

const app = createApp({ tenants: (name) => businesses.get(name) }); // POST /flows/hours/acme, /webhook/acme
app
  .flow('hours')
  .init((c) => c.screen('HOURS', { shop: c.tenant ?? 'our own' }))
  .on('HOURS', (c) => c.complete());
export default app;
