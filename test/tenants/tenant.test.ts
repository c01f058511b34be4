import { expect, test, vi } from 'vitest';
import { FlowgateError } from '../../src/errors.ts';
import { createRouter, findRoute, type Route } from '../../src/http/router.ts';
import type { HttpRequest } from '../../src/http/server.ts';
import { toAppSecrets } from '../../src/http/signature.ts';
import { refusalsByTenant } from '../../src/tenants/refusals.ts';
import { forTenants, receive, TENANT_NAME, type Tenant } from '../../src/tenants/tenant.ts';
import { deferred } from '../support/attempts.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { recordingLog } from '../support/log.ts';

const tenant = (name: string | undefined): Tenant => ({
  name,
  appSecrets: toAppSecrets(['secret']),
  keys: undefined,
  verifyToken: undefined,
});
const acme = tenant('acme');
const gone = new FlowgateError('CLIENT_GONE', 'left');

/** A request whose body is asked for, and arrives when the test says so. */
function arriving(path = '/flows/booking/acme', method = 'POST') {
  const body = deferred<Buffer>();
  const request = { method, path, header: () => undefined, body: vi.fn(() => body.promise) };
  return { request: request as unknown as HttpRequest & typeof request, body };
}

test('a tenant that is held is received with the body', async () => {
  const { request, body } = arriving();
  const received = receive(request, 7, { find: () => acme });
  body.resolve(Buffer.from('bytes'));
  expect(await received).toEqual({ tenant: acme, bytes: Buffer.from('bytes') });
  expect(request.body).toHaveBeenCalledWith(7);
});

test('a body is asked for before the tenant is waited for: afterwards its bytes may have passed', async () => {
  const { request, body } = arriving();
  const found = deferred<Tenant>();
  const received = receive(request, 7, { find: () => found.promise });
  expect(request.body).toHaveBeenCalledWith(7);
  body.resolve(Buffer.from('bytes'));
  found.resolve(acme);
  expect(await received).toEqual({ tenant: acme, bytes: Buffer.from('bytes') });
});

test('a tenant that is known not to exist costs no body, and one that turns out so does not wait for it', async () => {
  const unknown = new FlowgateError('TENANT_UNKNOWN', 'no tenant of this name');
  const first = arriving();
  await expect(
    receive(first.request, 7, {
      find: () => {
        throw unknown;
      },
    }),
  ).rejects.toBe(unknown);
  expect(first.request.body).not.toHaveBeenCalled();
  const second = arriving();
  await expect(receive(second.request, 7, { find: () => Promise.reject(unknown) })).rejects.toBe(unknown);
  second.body.reject(gone); // as a server does once it has answered: nobody's rejection
  await new Promise((resolve) => setImmediate(resolve));
});

test('a body that fails does not wait for the tenant', async () => {
  const { request, body } = arriving();
  const found = deferred<Tenant>();
  const received = receive(request, 7, { find: () => found.promise });
  body.reject(gone);
  await expect(received).rejects.toBe(gone);
  found.reject(new FlowgateError('TENANT_UNAVAILABLE', 'late'));
  await new Promise((resolve) => setImmediate(resolve));
});

test('a handler serves the tenants of a directory by the name in the path', async () => {
  const find = vi.fn(() => acme);
  const held = vi.fn(() => undefined);
  const handler = forTenants(
    async (_, source) => ({ status: 200, body: `${(await source?.find())?.name} ${source?.held()}` }),
    { find, held },
  );
  expect(await handler('acme')(arriving().request)).toEqual({ status: 200, body: 'acme undefined' });
  expect(find).toHaveBeenCalledExactlyOnceWith('acme');
  expect(held).toHaveBeenCalledExactlyOnceWith('acme');
});

test('routes of tenants stand under those that serve them, for names that a tenant can have, and nowhere else', async () => {
  const forTenant = vi.fn((name: string) => () => ({ status: 200, body: name }));
  const handler = () => ({ status: 200, body: 'own' });
  const routes = new Map<string, Route>([
    ['/flows/booking', { methods: ['POST'], handler, forTenant }],
    ['/healthz', { methods: ['GET'], handler }],
  ]);
  const router = createRouter((path) => findRoute(routes, path));
  const ask = async (path: string, method = 'POST') => {
    try {
      return await router(arriving(path, method).request);
    } catch (error) {
      return (error as FlowgateError).code;
    }
  };
  expect(await ask('/flows/booking')).toEqual({ status: 200, body: 'own' });
  expect(await ask('/flows/booking/acme')).toEqual({ status: 200, body: 'acme' });
  expect(await ask(`/flows/booking/${'a'.repeat(64)}`)).toEqual({ status: 200, body: 'a'.repeat(64) });
  expect(await ask('/flows/booking/acme', 'GET')).toEqual({ status: 405, headers: { Allow: 'POST' } });
  forTenant.mockClear();
  const wrong = [
    '',
    'a'.repeat(65),
    'Acme',
    'acme_1',
    'acme.',
    'acm%65',
    'acme/',
    'acme/x',
    '..',
    'ä',
    'acme\n',
    '__proto__',
  ];
  for (const name of wrong) expect([name, await ask(`/flows/booking/${name}`)]).toEqual([name, 'PATH_UNKNOWN']);
  for (const path of ['/flows/other/acme', '/healthz/acme', '/flows/acme', '/acme', 'acme', '', '//acme']) {
    expect([path, await ask(path)]).toEqual([path, 'PATH_UNKNOWN']);
  }
  expect(forTenant).not.toHaveBeenCalled();
  expect(TENANT_NAME.test('acme\n')).toBe(false);
});

test('a tenant whose requests are refused does not silence another', () => {
  const { log, lines } = recordingLog();
  const refusals = refusalsByTenant('/webhook', { log, clock: new FakeClock() });
  const request = { header: () => 'id' };
  for (const who of [acme, tenant('globex'), acme, undefined, tenant(undefined)]) {
    refusals(who).note('SIGNATURE_INVALID', 'why', request);
  }
  expect(lines.map(({ path }) => path)).toEqual(['/webhook/acme', '/webhook/globex', '/webhook']);
});
