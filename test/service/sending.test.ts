/** Several businesses on one server: each is answered with its own token and from its own number, wherever that is done. */
import { afterEach, describe, expect, test } from 'vitest';
import { type App, createApp } from '../../src/app.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import type { SettingOverrides } from '../../src/config/settings.ts';
import { openInbox } from '../../src/stores/open-inbox.ts';
import { openState } from '../../src/stores/open-state.ts';
import type { TenantCredentials } from '../../src/tenants/credentials.ts';
import { REFRESH_MS, UNAVAILABLE_MS } from '../../src/tenants/directory.ts';
import type { TenantProvider } from '../../src/tenants/lookup.ts';
import { createPhone, flowAlert, nfmReply } from '../../src/testing/index.ts';
import { eventually } from '../support/eventually.ts';
import { FakeGraph, GRAPH_TOKEN, PHONE_NUMBER_ID } from '../support/fake-graph.ts';
import { keyPair } from '../support/keys.ts';
import { recordingLog } from '../support/log.ts';
import { TestRedis } from '../support/redis.ts';
import { hasRedisServer } from '../support/redis-available.ts';
import { APP_SECRET, startTestService } from '../support/service.ts';

const NUMBERS = { acme: '111', globex: '222', partner: '333', initech: '444' };
const tokenOf = (name: string) => `EAASECRETof${name}`;
const credentials = (name: keyof typeof NUMBERS, more: Partial<TenantCredentials> = {}): TenantCredentials => ({
  appSecret: `secret of ${name}`,
  keys: keyPair.privateKey,
  graphToken: tokenOf(name),
  ...more,
});
const { graphToken: _, ...ofPartner } = credentials('partner');

/** What a provider tells: acme has a number of its own beside its token, partner leaves the token to the settings. */
const directory: Record<string, TenantCredentials> = {
  acme: credentials('acme', { phoneNumberId: NUMBERS.acme }),
  globex: credentials('globex'),
  partner: ofPartner,
};
const told: TenantProvider = (name) => directory[name];

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

async function startGraph(): Promise<FakeGraph> {
  const graph = await FakeGraph.start();
  opened.push(() => graph[Symbol.asyncDispose]());
  for (const name of ['acme', 'globex', 'initech'] as const) graph.accounts.set(tokenOf(name), NUMBERS[name]);
  return graph;
}

/** Answers whatever comes, by a reply, or by a job where the text says so. */
function answeringApp(tenants: TenantProvider): App {
  const app = createApp({ tenants });
  const again = { retry: { minDelayMs: 20, maxDelayMs: 20, attempts: 100 } };
  const later = app.job<{ to: string }>('later', { ...again.retry }, ({ to }, c) => c.graph.sendText({ to }, 'later'));
  app.on(
    'message.text',
    ({ text, from = '' }, c) => (text === 'later' ? c.defer(later, { to: from }) : c.reply.text(`you said ${text}`)),
    again,
  );
  app.on('flow.*', (_, c) => c.graph.sendText({ to: '1' }, 'an alert'), { retry: { attempts: 1 } });
  app
    .flow('survey', { appSecret: 'secret of initech', graphToken: tokenOf('initech') })
    .completed((_, c) => c.reply.text('thank you'), again);
  app.flow('visit').init(async (c) => {
    await c.defer(later, { to: '1' });
    return c.screen('A');
  });
  return app;
}

async function start(app: App, graph: FakeGraph, more: SettingOverrides = {}, clock: Clock = systemClock) {
  const { log, lines } = recordingLog();
  const settings = { GRAPH_BASE_URL: graph.url, GRAPH_TOKEN, PHONE_NUMBER_ID, ...more };
  const stores = more.REDIS_URL === undefined ? {} : { openInbox, openState };
  const service = await startTestService(app, settings, log, { clock, ...stores });
  opened.push(() => service.close());
  const phone = (name?: keyof typeof NUMBERS) => {
    const server = { url: service.url, appSecret: APP_SECRET, publicKey: keyPair.publicKey };
    if (!name) return createPhone(server, { business: { phoneNumberId: PHONE_NUMBER_ID } });
    const business = { phoneNumberId: NUMBERS[name] };
    if (name === 'initech') return createPhone({ ...server, appSecret: 'secret of initech' }, { business });
    const tenant = { name, appSecret: `secret of ${name}`, publicKey: keyPair.publicKey };
    return createPhone(server, { tenant, business });
  };
  const admin = async (path: string) => (await fetch(service.adminUrl + path)).text();
  const dead = async () => JSON.parse(await admin('/inbox/items?state=dead')) as { readonly error: string }[];
  return { service, lines, phone, admin, dead };
}

/** The tokens that messages went out with, and what they said. */
const sentBy = (graph: FakeGraph) =>
  graph.messages.map(({ body }, i) => [graph.usedTokens[i], (body['text'] as { body: string }).body]);

/** A clock that a test can set forward while nothing is under way. */
function movableClock() {
  let aheadMs = 0;
  const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs };
  const advance = (ms: number) => {
    aheadMs += ms;
  };
  return { clock, advance };
}

test('each event is answered with the token of its business, from the number that was written to', async () => {
  const graph = await startGraph();
  const asked: string[] = [];
  const app = answeringApp((name, c) => {
    asked.push(name);
    return told(name, c);
  });
  const { phone, lines, admin } = await start(app, graph);
  const expected: unknown[] = [];
  for (const [name, token] of [
    [undefined, GRAPH_TOKEN],
    ['acme', tokenOf('acme')],
    ['globex', tokenOf('globex')],
  ] as const) {
    await phone(name).sendText('hello');
    expected.push([token, 'you said hello']);
    await eventually(() => expect(sentBy(graph)).toEqual(expected));
  }
  await phone('initech').deliver([nfmReply({ token: 'survey:1', params: {} })]);
  expected.push([tokenOf('initech'), 'thank you']);
  await eventually(() => expect(sentBy(graph)).toEqual(expected));
  expect(asked).toEqual(['acme', 'globex']); // once each, to take the event in and to answer it
  const said = JSON.stringify(lines) + (await admin('/metrics'));
  expect(said).not.toContain('SECRET');
});

test('a tenant without a token is answered with the settings’, from its own number', async () => {
  const graph = await startGraph();
  graph.accounts.set(GRAPH_TOKEN, NUMBERS.partner); // a system user of a solution partner may use the numbers of all
  const { phone } = await start(answeringApp(told), graph);
  await phone('partner').sendText('hello');
  await eventually(() => expect(sentBy(graph)).toEqual([[GRAPH_TOKEN, 'you said hello']]));
});

test('what a tenant’s events and requests leave for later is sent as that tenant, and never as the settings', async () => {
  const graph = await startGraph();
  const { phone, dead } = await start(answeringApp(told), graph);
  await phone('globex').sendText('later');
  await eventually(() => expect(sentBy(graph)).toEqual([[tokenOf('globex'), 'later']]));
  await phone('acme').open('visit');
  await eventually(() => expect(sentBy(graph)).toContainEqual([tokenOf('acme'), 'later']));
  await phone('acme').deliver([flowAlert('ENDPOINT_LATENCY')]);
  await eventually(() => expect(sentBy(graph)).toContainEqual([tokenOf('acme'), 'an alert']));
  await phone('globex').deliver([flowAlert('ENDPOINT_LATENCY')]);
  await eventually(async () => expect(await dead()).toHaveLength(1));
  expect((await dead())[0]?.error).toContain('tenant globex has no phoneNumberId of its own');
  expect(graph.usedTokens).toEqual([tokenOf('globex'), tokenOf('acme'), tokenOf('acme')]);
});

test('a token that has changed is sent with once its tenant was asked for again; what failed meanwhile is sent then', async () => {
  const graph = await startGraph();
  const { clock, advance } = movableClock();
  let given = directory['acme'];
  const { phone, lines } = await start(
    answeringApp(() => given),
    graph,
    {},
    clock,
  );
  await phone('acme').sendText('before');
  await eventually(() => expect(graph.usedTokens).toEqual([tokenOf('acme')]));
  graph.accounts.delete(tokenOf('acme')); // revoked
  graph.accounts.set('EAASECRETnew', NUMBERS.acme);
  given = credentials('acme', { graphToken: 'EAASECRETnew' });
  await phone('acme').sendText('after');
  await eventually(() => expect(lines).toContainEqual(expect.objectContaining({ code: 'GRAPH_FAILED' })));
  advance(REFRESH_MS);
  await eventually(() => expect(sentBy(graph).at(-1)).toEqual(['EAASECRETnew', 'you said after']));
  expect(JSON.stringify(lines)).not.toContain('SECRET');
});

describe.runIf(hasRedisServer)('on a worker', () => {
  async function startBoth(provide: TenantProvider) {
    const redis = await TestRedis.start();
    opened.push(() => redis[Symbol.asyncDispose]());
    const graph = await startGraph();
    const { clock, advance } = movableClock();
    const ofWorker = { REDIS_URL: redis.url, ROLE: 'worker', APP_SECRET: '', PRIVATE_KEY: '', VERIFY_TOKEN: '' };
    const web = await start(answeringApp(told), graph, { REDIS_URL: redis.url, ROLE: 'web', GRAPH_TOKEN: '' });
    const worker = await start(answeringApp(provide), graph, ofWorker, clock);
    await eventually(async () => expect(await web.phone('acme').deliver('no JSON')).toBe(200)); // Redis is reached
    return { graph, web, worker, advance };
  }

  test('each event is answered as its business; while the provider is down it waits, and is answered then', async () => {
    let isDown = true;
    const asked: string[] = [];
    const { graph, web, worker, advance } = await startBoth((name) => {
      asked.push(name);
      if (isDown) throw new Error('SECRET');
      return directory[name];
    });
    await web.phone('acme').sendText('one');
    await web.phone().sendText('two');
    await web.phone('initech').deliver([nfmReply({ token: 'survey:1', params: {} })]);
    await eventually(() => expect(graph.usedTokens.toSorted()).toEqual([GRAPH_TOKEN, tokenOf('initech')].toSorted()));
    await eventually(() =>
      expect(worker.lines).toContainEqual(expect.objectContaining({ code: 'TENANT_UNAVAILABLE' })),
    );
    expect(asked).toEqual(['acme']);
    isDown = false;
    advance(UNAVAILABLE_MS);
    await eventually(() => expect(sentBy(graph)).toContainEqual([tokenOf('acme'), 'you said one']));
    await web.phone('globex').sendText('later');
    await eventually(() => expect(sentBy(graph)).toContainEqual([tokenOf('globex'), 'later']));
    expect(asked).toEqual(['acme', 'acme', 'globex']);
    for (const { lines, admin } of [web, worker]) {
      expect(JSON.stringify(lines) + (await admin('/metrics'))).not.toContain('SECRET');
    }
  });

  test('a tenant that is gone by then is TENANT_UNKNOWN: nothing is sent, and nobody else’s token is taken', async () => {
    const { graph, web, worker } = await startBoth(() => undefined);
    await web.phone('acme').sendText('hello');
    const failed = expect.objectContaining({ code: 'TENANT_UNKNOWN', type: 'message.text' });
    await eventually(() => expect(worker.lines).toContainEqual(failed));
    expect(graph.calls.count).toBe(0);
  });
});
