import { generateKeyPairSync } from 'node:crypto';
import { createPhone } from 'flowgate/testing';
import { beforeEach, expect, test } from 'vitest';
import cache from '../../examples/parts/cache.ts';
import guard from '../../examples/parts/guard.ts';
import lists from '../../examples/parts/lists.ts';
import media from '../../examples/parts/media.ts';
import once from '../../examples/parts/once.ts';
import sending from '../../examples/parts/sending.ts';
import sessions from '../../examples/parts/sessions.ts';
import tenants, { businesses } from '../../examples/parts/tenants.ts';
import tokens from '../../examples/parts/tokens.ts';
import { calls, drawn } from '../../examples/parts/upstream.ts';
import { FakeCdn } from '../support/fake-cdn.ts';
import { FakeGraph, GRAPH_TOKEN, PHONE_NUMBER_ID } from '../support/fake-graph.ts';

beforeEach(() => {
  calls.length = 0;
  drawn.length = 0;
});

test('sessions: a basket is filled screen by screen, and still there when the Flow is completed', async () => {
  await using graph = await FakeGraph.start();
  const settings = { GRAPH_TOKEN, PHONE_NUMBER_ID, GRAPH_BASE_URL: graph.url };
  await using phone = createPhone(sessions, { settings });
  await phone.open('basket');
  await phone.submit({ item: 'bread' });
  expect(await phone.submit({ item: 'milk' })).toMatchObject({ screen: 'SHOP', data: { count: 2 } });
  phone.navigate('CHECKOUT');
  await phone.submit();
  await phone.sendCompletion();
  await phone.settled();
  expect(graph.messages.map(({ body }) => body)).toMatchObject([{ text: { body: 'You ordered bread and milk.' } }]);
});

test('cache: what two people ask for is fetched once', async () => {
  await using phone = createPhone(cache);
  for (const _ of ['Ada', 'Grace']) {
    await phone.open('slots').catch(() => {}); // it has no init: its message opens the screen
    phone.navigate('DAY');
    expect(await phone.submit({ day: 'Monday' })).toMatchObject({ data: { slots: [{ title: '09:30' }, {}] } });
  }
  expect(calls).toEqual(['Monday']);
});

test('tokens: the Flow knows its user, is done once, and opens for nobody else', async () => {
  await using graph = await FakeGraph.start();
  const settings = { GRAPH_TOKEN, PHONE_NUMBER_ID, GRAPH_BASE_URL: graph.url };
  await using phone = createPhone(tokens, { settings });
  await phone.sendText('Hi');
  await phone.settled();
  const [sent] = graph.messages.map(({ body }) => body as never as Invitation);
  const token = sent?.interactive.action.parameters.flow_token ?? 'none was sent';
  expect(await phone.open('survey', { token })).toMatchObject({ data: { greeting: `Hello ${phone.user.userId}` } });
  await phone.submit({ answer: 'yes' });
  await expect(phone.open('survey', { token })).rejects.toMatchObject({ status: 427 });
  await expect(phone.open('survey')).rejects.toMatchObject({ status: 427 });
});

interface Invitation {
  readonly interactive: { readonly action: { readonly parameters: { readonly flow_token: string } } };
}

test('guard: an answer that does not fit the Flow JSON is an error in a test, and the fallback in production', async () => {
  await using phone = createPhone(guard);
  await expect(phone.open('rating')).rejects.toThrow('STARS, stars: must be a number');
  await using user = createPhone(guard, { settings: { REPLY_GUARD: 'report' } });
  expect(await user.open('rating')).toMatchObject({ screen: 'STARS', data: { stars: 0 } });
});

test('lists: fifty prizes are picked from on screens of twenty', async () => {
  await using phone = createPhone(lists);
  await phone.open('prizes');
  const ids = () => (phone.data['prizes'] as { id: string }[]).map(({ id }) => id);
  const seen = new Set(ids());
  expect(ids()).toHaveLength(20);
  for (const more of [2, 3]) {
    await phone.submit({ prize: ids().at(-1) });
    for (const id of ids()) seen.add(id);
    expect(phone.screen, `page ${more}`).toBe('PICK');
  }
  expect([...seen].filter((id) => id.startsWith('prize-'))).toHaveLength(50);
  await phone.submit({ prize: 'prize-50' });
  expect(phone.completed).toMatchObject({ prize: 'prize-50' });
});

test('once: the same submit again draws nothing, and is answered alike', async () => {
  await using phone = createPhone(once);
  await phone.open('lottery');
  await phone.submit();
  const won = phone.completed;
  phone.navigate('TICKET'); // the answer was lost: the user presses Retry
  await phone.submit();
  expect(phone.completed).toEqual(won);
  expect(drawn).toHaveLength(1);
});

test('media: a photo that was picked is downloaded, opened and looked at', async () => {
  await using cdn = await FakeCdn.start();
  await using phone = createPhone(media, { settings: { MEDIA_HOSTS: cdn.origin } });
  await phone.open('damage');
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  );
  await phone.submit({ photos: [cdn.pick('just text')] });
  expect(phone.errorMessage).toBe('Only photos, please.');
  await phone.submit({ photos: [cdn.pick(png)] });
  expect(phone.completed).toBeDefined();
});

test('tenants: each business is answered by its own keys and secret, and by no other', async () => {
  const acme = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  businesses.set('acme', { appSecret: 'of acme', keys: acme.privateKey });
  const tenant = { name: 'acme', appSecret: 'of acme', publicKey: acme.publicKey };
  await using phone = createPhone(tenants, { tenant });
  expect(await phone.open('hours')).toMatchObject({ data: { shop: 'acme' } });
  await using ours = createPhone(tenants);
  expect(await ours.open('hours')).toMatchObject({ data: { shop: 'our own' } });
  await using stranger = createPhone(tenants, { tenant: { ...tenant, appSecret: 'of another' } });
  await expect(stranger.open('hours')).rejects.toMatchObject({ status: 432 });
});

test('sending: a text is answered with a receipt, and later with a template that opens a Flow for its sender', async () => {
  await using graph = await FakeGraph.start();
  const settings = { GRAPH_TOKEN, PHONE_NUMBER_ID, GRAPH_BASE_URL: graph.url };
  await using phone = createPhone(sending, { settings });
  await phone.sendText('When can I come?');
  await phone.settled();
  expect(graph.reads).toMatchObject([{ status: 'read', typing_indicator: { type: 'text' } }]);
  const [template] = graph.messages.map(({ body }) => body as never as Template);
  expect(template).toMatchObject({ to: phone.user.waId, template: { name: 'your_visit' } });
  const token = template?.template.components[0]?.parameters[0]?.action.flow_token ?? 'none was sent';
  expect(await phone.open('visit', { token })).toMatchObject({ data: { user: phone.user.waId } });
});

interface Template {
  readonly template: {
    readonly components: readonly { readonly parameters: readonly { readonly action: { flow_token: string } }[] }[];
  };
}
