/** The app that the traffic goes to: some of it is broken, and stays so. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type App, createApp } from '../../../src/index.ts';
import type { TenantProvider } from '../../../src/tenants/lookup.ts';
import { keyPair } from '../../support/keys.ts';
import { APP_SECRET } from '../../support/service.ts';

export const DEAD_TOKEN = 'a token of yesterday';
/** Of the form of those that the server mints, and none of them. */
export const STRANGE_TOKEN = `shop:${'x'.repeat(32)}`;
/** A tenant that is served, and one whose credentials cannot be looked up. */
export const TENANT = 'acme';
export const LOST_TENANT = 'globex';
const SLOW_MS = 600;

const text = (example: string) => ({ type: 'string', __example__: example });
const footer = { type: 'Footer', label: 'Go on', 'on-click-action': { name: 'data_exchange', payload: {} } };
const layout = { type: 'SingleColumnLayout', children: [footer] };
const shopJson = {
  version: '7.3',
  data_api_version: '4.0',
  routing_model: { CART: ['PHOTOS'], PHOTOS: [] },
  screens: [
    { id: 'CART', title: 'Cart', data: { total: text('12') }, layout },
    { id: 'PHOTOS', title: 'Photos', terminal: true, data: {}, layout },
  ],
};

export function makeApp(): App {
  const app = createApp({ tenants });
  addBooking(app);
  addShop(app);
  addEvents(app);
  return app;
}

const tenants: TenantProvider = (name) => {
  if (name === LOST_TENANT) throw new Error('told so');
  return name === TENANT ? { appSecret: APP_SECRET, keys: keyPair.privateKey } : undefined;
};

function addBooking(app: App): void {
  app
    .flow('booking', { checkToken: (token) => token !== DEAD_TOKEN })
    .init(async (c) => {
      await c.cache.getOrSet('departments', { ttl: '1s' }, () => ['eyes']);
      return c.screen('DEPARTMENT');
    })
    .on('DEPARTMENT', (c) => c.screen('SLOT'))
    .on('SLOT', async (c) => {
      await sleep(SLOW_MS);
      return c.complete({ booked: true });
    })
    .on('BROKEN', () => {
      throw new Error('told so');
    })
    .completed(async (_, c) => {
      await Promise.all([c.reply.text('Booked.'), c.reply.text('See you.')]); // of which one has to wait
    });
}

/** Its cart is wrong by its Flow JSON: a number where a text belongs. */
function addShop(app: App): void {
  app
    .flow('shop', { json: shopJson })
    .init(async (c) => {
      await c.session.set({ opened: true });
      return c.screen('CART', { total: '12' });
    })
    .on('CART', (c) => c.screen('CART', { total: 12 }), { once: '10m' })
    .on('PHOTOS', async (c) => {
      for (const file of c.media('photos')) await file.download();
      return c.complete();
    });
}

function addEvents(app: App): void {
  const failedOnce = new Set<string>();
  app.on(
    'message.text',
    () => {
      throw new Error('told so');
    },
    { retry: { attempts: 1 } },
  );
  app.on(
    'message.image',
    ({ id }) => {
      if (failedOnce.has(id)) return;
      failedOnce.add(id);
      throw new Error('told so');
    },
    { retry: { minDelayMs: 0 } },
  );
}
