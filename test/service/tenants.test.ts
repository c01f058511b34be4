/** Several businesses on one server, over HTTP: each is answered with its own secrets and keys, and reaches no other. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { APP, type App, createApp } from '../../src/app.ts';
import { systemClock } from '../../src/clock.ts';
import { DecryptPool } from '../../src/crypto/decrypt-pool.ts';
import type { KeyUnwrapper } from '../../src/crypto/open-envelope.ts';
import { createFlowEndpoint, type FlowDeps } from '../../src/flows/endpoint.ts';
import { ReplyMemory } from '../../src/flows/reply-memory.ts';
import { createHttpServer } from '../../src/http/create-server.ts';
import { createRouter, findRoute, type Route } from '../../src/http/router.ts';
import type { HttpServerName } from '../../src/http/server.ts';
import { toAppSecrets } from '../../src/http/signature.ts';
import { createMetrics } from '../../src/metrics/registry.ts';
import type { FlowCredentials, TenantCredentials } from '../../src/tenants/credentials.ts';
import type { TenantProvider } from '../../src/tenants/lookup.ts';
import { Tenancy } from '../../src/tenants/tenancy.ts';
import { createPhone, delivery, textMessage, toWireText } from '../../src/testing/index.ts';
import { sealRequest, sign } from '../../src/testing/wire.ts';
import { createWebhookEndpoint } from '../../src/webhooks/endpoint.ts';
import { deferred } from '../support/attempts.ts';
import { httpServers } from '../support/http-servers.ts';
import { keyPair, makeKeyPair, type TestKeyPair, toKeyRing } from '../support/keys.ts';
import { recordingLog } from '../support/log.ts';
import { MemoryInbox } from '../support/memory-inbox.ts';
import { startTestService } from '../support/service.ts';

/** A business, as Meta knows it. */
interface Business {
  readonly appSecret: string;
  readonly pair: TestKeyPair;
  readonly path: string;
}

const business = (path: string, pair = makeKeyPair()): Business => ({ appSecret: `SECRET of ${path}`, pair, path });
const own = business('/flows/booking', keyPair);
const acme = business('/flows/booking/acme');
const globex = business('/flows/booking/globex');
const initech = business('/flows/survey'); // a Flow of its own
const businesses = [own, acme, globex, initech];

const credentialsOf = ({ appSecret, pair }: Business): TenantCredentials => ({ appSecret, keys: pair.privateKey });
const directory: Record<string, TenantCredentials | undefined> = {
  acme: { ...credentialsOf(acme), verifyToken: 'SECRET token of acme' },
  globex: credentialsOf(globex),
};

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

async function serve(httpServer: HttpServerName = 'node', provide: TenantProvider = (name) => directory[name]) {
  const clock = systemClock;
  const { log, lines } = recordingLog();
  const metrics = createMetrics();
  const appSecrets = toAppSecrets([own.appSecret]);
  const pool = await DecryptPool.start({ keys: toKeyRing(own.pair), workers: 1, clock, log, metrics });
  const app = createApp();
  for (const name of ['booking', 'survey']) app.flow(name);
  const { flows, handlers } = app[APP];
  const provider = vi.fn(provide);
  const survey: FlowCredentials = { ...credentialsOf(initech), tenant: 'initech' };
  const withCredentials = [...flows.values()].map(({ name }) => ({
    name,
    credentials: name === 'survey' ? survey : {},
  }));
  const owned = new Map(withCredentials.map((flow) => [flow.name, flow]));
  const tenancy = new Tenancy({ flows: owned, provider, appSecrets, isSending: true, clock, log });
  const inbox = new MemoryInbox(clock);
  const shared = { clock, log, metrics, tracing: undefined };
  const door = { isFull: false };
  const unwrapper: KeyUnwrapper = {
    get isSaturated() {
      return door.isFull;
    },
    unwrap: (request) => pool.unwrap(request),
    problem: undefined,
    close: async () => {},
  };
  const deps = { ...shared, appSecrets, pool: unwrapper, replies: new ReplyMemory(clock), flowDeadlineMs: 8_000 };
  const routes = new Map<string, Route>();
  for (const flow of flows.values()) {
    const ofFlow = owned.get(flow.name) as { name: string; credentials: FlowCredentials };
    const handler = createFlowEndpoint(flow, deps as unknown as FlowDeps, tenancy.ownerOf(ofFlow));
    routes.set(`/flows/${flow.name}`, { methods: ['POST'], handler, forTenant: tenancy.under(handler, ofFlow) });
  }
  const webhook = createWebhookEndpoint({
    ...shared,
    appSecrets: tenancy.webhookSecrets(appSecrets),
    verifyToken: 'SECRET token of the settings',
    inbox,
    handlers,
  });
  routes.set('/webhook', { methods: ['GET', 'POST'], handler: webhook, forTenant: tenancy.under(webhook) });
  const handler = createRouter((path) => findRoute(routes, path));
  const server = createHttpServer(httpServer, { handler, clock, log, exchangeTimeoutMs: 9_000 });
  const url = `http://127.0.0.1:${await server.listen({ host: '127.0.0.1', port: 0 })}`;
  opened.push(async () => {
    await server.close(1_000);
    tenancy.close();
    await pool.close();
  });
  const send = async (path: string, body: string, signature: string) =>
    fetch(url + path, { method: 'POST', body, headers: { 'X-Hub-Signature-256': signature } });
  /** A ping of a phone or of Meta, and what it is answered with. */
  const ask = async (path: string, signer: Business, sealer: Business = signer) => {
    const { appSecret } = signer;
    const sealed = await sealRequest(PING, { publicKeyPem: sealer.pair.publicKey, appSecret });
    const response = await send(path, sealed.body, sealed.signature);
    const text = await response.text();
    return response.ok ? sealed.openReply(text) : response.status;
  };
  const series = async (name: string) =>
    (await metrics.render()).split('\n').filter((line) => line.startsWith(`${name}_count`));
  return { url, send, ask, provider, lines, inbox, series, door };
}

const PING = { version: '3.0', action: 'ping' };
const PONG = '{"data":{"status":"active"}}';
const REQUESTS = 'flowgate_flow_request_duration_seconds';

describe.each(httpServers)('on %s', (httpServer) => {
  test('each business is answered on its own path, and refused on every other', async () => {
    const { ask, provider } = await serve(httpServer);
    for (const { path } of businesses) {
      for (const signer of businesses) {
        for (const sealer of businesses) {
          const isOurs = signer.path === path;
          const expected = !isOurs ? 432 : sealer.path === path ? PONG : 421;
          expect([path, signer.path, sealer.path, await ask(path, signer, sealer)]).toEqual([
            path,
            signer.path,
            sealer.path,
            expected,
          ]);
        }
      }
    }
    expect(provider.mock.calls.map(([name]) => name)).toEqual(['acme', 'globex']);
  });

  test('a body that came in while the provider was asked is whole, however large', async () => {
    const found = deferred<TenantCredentials>();
    const { send, ask, provider } = await serve(httpServer, () => found.promise);
    const body = `{"large":"${'x'.repeat(900_000)}"}`;
    const answer = send(acme.path, body, await sign(body, acme.appSecret));
    await vi.waitFor(() => expect(provider).toHaveBeenCalled());
    for (let i = 0; i < 5; i++) expect(await ask(own.path, own)).toBe(PONG); // the bytes pass meanwhile
    found.resolve(credentialsOf(acme));
    expect((await answer).status).toBe(400); // signed well, and no envelope
    expect((await send(acme.path, body, await sign(body, globex.appSecret))).status).toBe(432);
  });

  test('a body over the cap is refused, whether its tenant is held or still looked up', async () => {
    const { send, ask } = await serve(httpServer);
    const body = 'x'.repeat(1024 * 1024 + 1);
    const signature = await sign(body, acme.appSecret);
    const status = () =>
      send(acme.path, body, signature).then(
        (response) => response.status,
        () => 413,
      ); // or cut off
    expect(await status()).toBe(413);
    expect(await ask(acme.path, acme)).toBe(PONG);
    expect(await status()).toBe(413);
  });

  test('a tenant that does not exist is 404, before and after its body is there', async () => {
    const found = deferred<undefined>();
    const { send } = await serve(httpServer, () => found.promise);
    const body = 'x'.repeat(900_000);
    const signature = await sign(body, acme.appSecret);
    const first = send('/flows/booking/nobody', body, signature);
    found.resolve(undefined);
    expect((await first).status).toBe(404);
    expect((await send('/flows/booking/nobody', body, signature)).status).toBe(404);
  });
});

test('a crowd that comes to a tenant nobody asked for is answered, and the provider is asked once', async () => {
  const { ask, provider } = await serve();
  const answers = await Promise.all(Array.from({ length: 100 }, () => ask(acme.path, acme)));
  expect(new Set(answers)).toEqual(new Set([PONG]));
  expect(provider).toHaveBeenCalledTimes(1);
});

test('names that no tenant can have, and Flows that serve none, are 404 and ask nobody', async () => {
  const { url, ask, provider } = await serve();
  for (const path of ['/flows/booking/Acme', '/flows/booking/acme/', '/flows/booking/a_b', '/flows/none/acme']) {
    expect([path, await ask(path, acme)]).toEqual([path, 404]);
  }
  expect(await ask('/flows/survey/acme', acme)).toBe(404); // it belongs to a business
  expect((await fetch(`${url}/flows/booking/acme`)).status).toBe(405);
  expect(provider).not.toHaveBeenCalled();
});

test('credentials that cannot be had are 503 for that tenant alone, and the log tells why without a secret', async () => {
  const { ask, lines } = await serve('node', (name) => {
    if (name === 'down') throw new Error('SECRET');
    return name === 'wrong' ? { appSecret: 'SECRET', keys: 'SECRET' } : directory[name];
  });
  expect(await ask('/flows/booking/down', acme)).toBe(503);
  expect(await ask('/flows/booking/wrong', acme)).toBe(503);
  expect(await ask(acme.path, acme)).toBe(PONG);
  const told = lines.filter(({ level }) => level === 50).map(({ code, tenant, msg }) => [code, tenant, msg]);
  const cannot = 'the credentials of a tenant cannot be had';
  expect(told).toEqual([
    ['TENANT_UNAVAILABLE', 'down', `${cannot}: the provider of tenants threw`],
    ['TENANT_UNAVAILABLE', 'wrong', `${cannot}: tenant wrong: ${holdsNoKey}`],
  ]);
  expect(JSON.stringify(lines)).not.toContain('SECRET');
});
const holdsNoKey = 'keys: key 1 holds no PEM key: expected a "-----BEGIN PRIVATE KEY-----" block';

test('metrics and log lines name the tenant; what does not exist leaves no trace in them', async () => {
  const { ask, series, lines } = await serve();
  await ask(own.path, own);
  await ask(acme.path, acme);
  await ask(acme.path, globex);
  await ask(acme.path, acme, globex);
  await ask(globex.path, acme);
  await ask(initech.path, initech);
  await ask('/flows/booking/nobody', acme);
  const labels = (await series(REQUESTS)).map((line) => /\{(.*)\}/.exec(line)?.[1]);
  expect(labels.sort()).toEqual([
    'flow="booking",action="none",outcome="decryption_failed",tenant="acme"',
    'flow="booking",action="none",outcome="signature_invalid",tenant="acme"',
    'flow="booking",action="none",outcome="signature_invalid",tenant="globex"',
    'flow="booking",action="ping",outcome="ok"',
    'flow="booking",action="ping",outcome="ok",tenant="acme"',
    'flow="survey",action="ping",outcome="ok",tenant="initech"',
  ]);
  const told = new Set(lines.map(({ code, tenant, path }) => `${code} ${tenant ?? path}`)); // fetch tries a 421 twice
  expect([...told]).toEqual([
    'SIGNATURE_INVALID /flows/booking/acme',
    'DECRYPTION_FAILED acme',
    'SIGNATURE_INVALID /flows/booking/globex',
    'TENANT_UNKNOWN /flows/booking',
  ]);
});

test('what is refused before it was read carries its tenant where that is known without asking', async () => {
  const { ask, send, series, provider, door, lines } = await serve();
  await ask(acme.path, acme);
  door.isFull = true;
  for (const each of [own, acme, globex, initech]) expect(await ask(each.path, each)).toBe(503);
  door.isFull = false;
  const large = 'x'.repeat(1024 * 1024 + 1);
  for (const { path } of [acme, initech]) await send(path, large, 'none').catch(() => {}); // or cut off
  const labels = (await series(REQUESTS)).map((line) => /\{(.*)\}/.exec(line)?.[1]);
  expect(labels.sort()).toEqual([
    'flow="booking",action="none",outcome="body_too_large",tenant="acme"',
    'flow="booking",action="none",outcome="pool_saturated"', // the settings', and globex that nobody asked for yet
    'flow="booking",action="none",outcome="pool_saturated",tenant="acme"',
    'flow="booking",action="ping",outcome="ok",tenant="acme"',
    'flow="survey",action="none",outcome="body_too_large",tenant="initech"',
    'flow="survey",action="none",outcome="pool_saturated",tenant="initech"',
  ]);
  expect(provider).toHaveBeenCalledTimes(1);
  expect(lines.map(({ code, path }) => `${code} ${path}`)).toEqual([
    'POOL_SATURATED /flows/booking', // one line a minute for a path, however many tenants it has
    'POOL_SATURATED /flows/survey',
    'BODY_TOO_LARGE /flows/booking/acme',
    'BODY_TOO_LARGE /flows/survey/initech',
  ]);
});

test('an app is told whose request it handles, and so are the metrics', async () => {
  const app = createApp({ tenants: (name) => directory[name] });
  app.flow('booking').init((c) => c.screen('WELCOME', { business: c.tenant ?? 'the settings’' }));
  const { appSecret, pair } = initech;
  app
    .flow('survey', { appSecret, keys: pair.privateKey, tenant: 'initech' })
    .init((c) => c.screen('WELCOME', { business: c.tenant ?? 'the settings’' }));
  await using service = await startTestService(app, { APP_SECRET: own.appSecret, PRIVATE_KEY: own.pair.privateKey });
  const open = async ({ path, appSecret, pair }: Business) => {
    const phone = createPhone({ url: service.url, appSecret, publicKey: pair.publicKey });
    return phone.open(path.slice('/flows/'.length));
  };
  const shown = await Promise.all(businesses.map(open));
  expect(shown.map(({ data }) => data?.['business'])).toEqual(['the settings’', 'acme', 'globex', 'initech']);
  const metrics = await (await fetch(`${service.adminUrl}/metrics`)).text();
  expect(metrics).toContain(`${REQUESTS}_count{flow="booking",action="INIT",outcome="ok",tenant="globex"} 1`);
  expect(metrics).toContain(`${REQUESTS}_count{flow="booking",action="INIT",outcome="ok"} 1`);
});

describe.each(httpServers)('one app for several businesses on %s', (HTTP_SERVER) => {
  const tenantOf = (name: string, { appSecret, pair }: Business) => ({ name, appSecret, publicKey: pair.publicKey });
  const tenants = [undefined, tenantOf('acme', acme), tenantOf('globex', globex)];

  /** @returns a phone of each business: the settings' own, acme, globex. */
  async function start(app: App) {
    const secrets = { APP_SECRET: own.appSecret, PRIVATE_KEY: own.pair.privateKey };
    const { url, close } = await startTestService(app, { ...secrets, HTTP_SERVER });
    opened.push(close);
    const server = { url, appSecret: own.appSecret, publicKey: own.pair.publicKey };
    return tenants.map((tenant) => createPhone(server, tenant ? { tenant } : {}));
  }

  test('keeps their sessions, kept answers and completions apart, though their tokens are the same', async () => {
    const app = createApp({ tenants: (name) => directory[name] });
    const completed: unknown[] = [];
    let runs = 0;
    app
      .flow('booking')
      .init(async (c) => c.screen('WELCOME', { kept: ((await c.session.get()) ?? {}) as object }))
      .on('WELCOME', async (c) => {
        await c.session.update((kept) => ({ ...kept, [c.tenant ?? 'own']: c.data['guests'] ?? null }));
        return c.screen('PAY');
      })
      .on('PAY', (c) => c.complete({ run: ++runs }), { once: '10m' })
      .completed(async ({ tenant, data }, c) => completed.push([tenant, data, await c.session.get()]));
    const phones = await start(app);
    for (const phone of phones) {
      expect((await phone.open('booking', { token: 'token-1' })).data).toEqual({ kept: {} });
      await phone.submit({ guests: 2 });
      await phone.submit({});
      await phone.sendCompletion();
    }
    await vi.waitFor(() => expect(completed).toHaveLength(3), { timeout: 10_000 });
    expect(completed.toSorted()).toEqual(
      [
        [undefined, { run: 1 }, { own: 2 }],
        ['acme', { run: 2 }, { acme: 2 }],
        ['globex', { run: 3 }, { globex: 2 }],
      ].toSorted(),
    );
  });

  test('lets a token in where it was minted for, and nowhere else', async () => {
    const app = createApp({ tenants: (name) => directory[name] });
    app.flow('booking', { tokens: 'required' }).init((c) => c.screen('WELCOME', { user: `${c.user} of ${c.tenant}` }));
    const phones = await start(app);
    for (const tenant of tenants) {
      const of = tenant && { tenant: tenant.name };
      const token = await app.tokens.mint({ flow: 'booking', user: 'ada', ...of });
      const shown = phones.map((phone) =>
        phone.open('booking', { token }).then(
          ({ data }) => data['user'],
          ({ status }) => status,
        ),
      );
      const expected = tenants.map((at) => (at === tenant ? `ada of ${tenant?.name}` : 427));
      expect(await Promise.all(shown)).toEqual(expected);
    }
  });
});

describe('webhooks', () => {
  const deliver = async (
    { send }: Awaited<ReturnType<typeof serve>>,
    path: string,
    { appSecret }: Business,
    body = toWireText(delivery([textMessage('Hi')])),
  ) => (await send(path, body, await sign(body, appSecret))).status;

  test('come in signed with the secret of their tenant, and of no other', async () => {
    const service = await serve();
    expect(await deliver(service, '/webhook/acme', acme)).toBe(200);
    expect(await deliver(service, '/webhook/globex', globex)).toBe(200);
    for (const signer of [own, globex, initech]) expect(await deliver(service, '/webhook/acme', signer)).toBe(401);
    expect(await deliver(service, '/webhook/nobody', acme)).toBe(404);
    const stored = await service.inbox.list('waiting', 10);
    expect(stored).toHaveLength(2);
    expect(await service.series('flowgate_webhook_duration_seconds')).toEqual([
      'flowgate_webhook_duration_seconds_count{outcome="ok"} 2',
      'flowgate_webhook_duration_seconds_count{outcome="webhook_signature_invalid"} 3',
    ]);
  });

  test('of a Flow’s own business come in at /webhook, beside those of the settings; those of tenants do not', async () => {
    const service = await serve();
    expect(await deliver(service, '/webhook', own)).toBe(200);
    expect(await deliver(service, '/webhook', initech)).toBe(200);
    expect(await deliver(service, '/webhook', acme)).toBe(401);
    expect(await deliver(service, '/webhook/initech', initech)).toBe(404);
  });

  test('of one business cannot pass for those of another: the same message is two events, each once', async () => {
    const service = await serve();
    const body = toWireText(delivery([textMessage('Hi')]));
    for (let round = 0; round < 2; round++) {
      expect(await deliver(service, '/webhook', own, body)).toBe(200);
      expect(await deliver(service, '/webhook/acme', acme, body)).toBe(200);
      expect(await deliver(service, '/webhook/globex', globex, body)).toBe(200);
    }
    const stored = await service.inbox.list('waiting', 10);
    expect(new Set(stored.map(({ id }) => id)).size).toBe(3);
    expect(stored.every(({ id }) => /^evt_[0-9a-f]{32}$/.test(id))).toBe(true);
    const claimed = await service.inbox.claim(10, new AbortController().signal);
    const tenants = claimed.map(({ payload }) => (payload as { tenant?: string }).tenant);
    expect(tenants.sort()).toEqual(['acme', 'globex', undefined]);
  });

  test('are subscribed with the verify token of their tenant; one without a token has no handshake', async () => {
    const { url, lines } = await serve();
    const handshake = async (path: string, token: string) => {
      const parameters = { 'hub.mode': 'subscribe', 'hub.challenge': '42', 'hub.verify_token': token };
      const response = await fetch(`${url}${path}?${new URLSearchParams(parameters)}`);
      return response.ok ? response.text() : response.status;
    };
    expect(await handshake('/webhook/acme', 'SECRET token of acme')).toBe('42');
    expect(await handshake('/webhook', 'SECRET token of the settings')).toBe('42');
    expect(await handshake('/webhook/acme', 'SECRET token of the settings')).toBe(403);
    expect(await handshake('/webhook', 'SECRET token of acme')).toBe(403);
    expect(await handshake('/webhook/globex', '')).toBe(403);
    expect(await handshake('/webhook/globex', 'undefined')).toBe(403);
    expect(await handshake('/webhook/nobody', '')).toBe(404);
    expect(JSON.stringify(lines)).not.toContain('SECRET');
  });
});
