import { createHmac, type KeyObject } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Settings } from '../../src/config/settings.ts';
import { createApp } from '../../src/index.ts';
import {
  createPhone,
  flowAlert,
  type MetaEvent,
  type PhoneOptions,
  statusUpdate,
  TEST_BUSINESS,
  textMessage,
  toWireText,
} from '../../src/testing/index.ts';

const APP_SECRET = 'test app secret';
const metadata = { display_phone_number: TEST_BUSINESS.displayPhoneNumber };

interface Received {
  readonly url: string;
  readonly type: string | null;
  readonly body: string;
  readonly isSigned: boolean;
}

/** What arrived at the webhook, and what it answers. */
let received: Received[] = [];
let answers: number[] = [];
const record = (delivered: Received): number => {
  received.push(delivered);
  return delivered.isSigned ? (answers.shift() ?? 200) : 401;
};
beforeEach(() => {
  received = [];
  answers = [];
});

const isSignedBy = (appSecret: string | KeyObject, body: Buffer, signature: unknown) =>
  signature === `sha256=${createHmac('sha256', appSecret).update(body).digest('hex')}`;

const recorder = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const { url = '', headers } = request;
  const isSigned = isSignedBy(APP_SECRET, body, headers['x-hub-signature-256']);
  const type = headers['content-type'] ?? null;
  response.writeHead(record({ url, type, body: body.toString('latin1'), isSigned })).end();
});
let url: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => recorder.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(recorder.address() as AddressInfo).port}`;
});
afterAll(() => recorder.close());

/** In place of the service: what an app in memory would be handed. */
vi.mock('../../src/host.ts', () => ({
  openHost: async (_: unknown, { settings }: { settings: Settings }) => ({
    close: async () => {},
    async fetch(request: Request) {
      const bytes = Buffer.from(await request.arrayBuffer());
      const [appSecret] = settings.secrets?.appSecrets ?? [];
      const signature = request.headers.get('x-hub-signature-256');
      const isSigned = appSecret !== undefined && isSignedBy(appSecret, bytes, signature);
      const { pathname } = new URL(request.url);
      const type = request.headers.get('content-type');
      return new Response(null, {
        status: record({ url: pathname, type, body: bytes.toString('latin1'), isSigned }),
      });
    },
  }),
}));

interface Body {
  readonly entry: { id: string; changes: { field: string; value: Record<string, unknown[]> }[] }[];
}
const bodies = () => received.map(({ body }) => JSON.parse(body) as Body);
const items = () =>
  bodies().flatMap(({ entry }) =>
    entry.flatMap(({ changes }) =>
      changes.flatMap(({ field, value }): unknown[] =>
        field === 'flows' ? [value] : [...(value['messages'] ?? []), ...(value['statuses'] ?? [])],
      ),
    ),
  );
const itemOf = (event: MetaEvent) => (event.kind === 'flows' ? event.value : event.item);

describe.each(['in memory', 'over HTTP'])('a phone %s', (where) => {
  const newPhone = (options: PhoneOptions = {}) =>
    where === 'in memory'
      ? createPhone(createApp(), options)
      : createPhone({ url: `${url}/`, publicKey: 'unused', appSecret: APP_SECRET }, options);

  test('sends what a person writes, signed, to /webhook', async () => {
    await using phone = newPhone();
    expect(await phone.sendText('Hi', { id: 'wamid.1' })).toBe(200);
    expect(received).toMatchObject([{ url: '/webhook', type: 'application/json', isSigned: true }]);
    expect(items()).toMatchObject([{ id: 'wamid.1', from: '16505551234', type: 'text', text: { body: 'Hi' } }]);
  });

  test('escapes the body as Meta does, before it is signed', async () => {
    await using phone = newPhone();
    await phone.sendText('Grüße / 😮');
    expect(received[0]?.body).toContain('"Gr\\u00fc\\u00dfe \\/ \\ud83d\\ude2e"');
    expect(items()).toMatchObject([{ text: { body: 'Grüße / 😮' } }]);
  });

  test('sends replies to buttons and lists, statuses and alerts', async () => {
    await using phone = newPhone();
    await phone.sendButtonReply({ id: 'yes', title: 'Yes' });
    await phone.sendListReply({ id: 'r1', title: 'T' }, { replyTo: 'wamid.0' });
    await phone.sendStatus({ messageId: 'wamid.0', status: 'delivered' });
    await phone.sendAlert('ENDPOINT_LATENCY', { p90_latency: 9_000 });
    expect(items()).toMatchObject([
      { interactive: { button_reply: { id: 'yes' } }, context: { id: expect.stringMatching(/^wamid\./) } },
      { interactive: { list_reply: { id: 'r1' } }, context: { id: 'wamid.0' } },
      { id: 'wamid.0', status: 'delivered' },
      { event: 'ENDPOINT_LATENCY', p90_latency: 9_000 },
    ]);
  });

  test('sends the reply of the Flow that was completed, or of one it is told about', async () => {
    await using phone = newPhone();
    await expect(phone.sendCompletion()).rejects.toThrow('complete a Flow first');
    phone.token = 'token-1';
    phone.completed = { id: 7, flow_token: 'token-1' };
    await phone.sendCompletion();
    await phone.sendCompletion({ id: 8 });
    const replies = items() as { interactive: { nfm_reply: { response_json: string } } }[];
    expect(replies.map(({ interactive }) => JSON.parse(interactive.nfm_reply.response_json))).toEqual([
      { id: 7, flow_token: 'token-1' },
      { id: 8, flow_token: 'token-1' },
    ]);
  });

  test('is held by whom it is told, and writes to whom it is told', async () => {
    const user = { userId: 'US.9', username: 'ada' };
    await using phone = newPhone({ user, business: { wabaId: '7', phoneNumberId: '8' } });
    await phone.sendText('Hi');
    await phone.sendStatus({ messageId: 'wamid.0', status: 'read' });
    expect(items()).toMatchObject([{ from_user_id: 'US.9' }, { recipient_user_id: 'US.9' }]);
    expect(bodies()[0]?.entry).toMatchObject([
      {
        id: '7',
        changes: [{ value: { metadata: { ...metadata, phone_number_id: '8' }, contacts: [{ user_id: 'US.9' }] } }],
      },
    ]);
  });

  test('throws unless it is answered 200, and tells the status', async () => {
    await using phone = newPhone();
    answers = [503, 204];
    const error = { name: 'PhoneError', status: 503, message: 'the webhook was answered 503' };
    await expect(phone.sendText('Hi')).rejects.toMatchObject(error);
    await expect(phone.sendText('Hi')).rejects.toMatchObject({ status: 204 });
  });

  test('deliverRaw resolves with every answer, whatever its status', async () => {
    await using phone = newPhone();
    answers = [503];
    expect(await phone.deliverRaw([textMessage('Hi')])).toMatchObject([{ status: 503, body: '' }]);
  });

  test('deliverRaw sends any signature, or none', async () => {
    await using phone = newPhone();
    for (const signature of [`sha256=${'0'.repeat(64)}`, null]) {
      expect(await phone.deliverRaw([textMessage('Hi')], { signature })).toMatchObject([{ status: 401 }]);
    }
  });

  test('delivers a mix of events in one body', async () => {
    await using phone = newPhone();
    const events = [
      textMessage('a'),
      statusUpdate({ messageId: 'wamid.0', status: 'sent' }),
      flowAlert('CLIENT_ERROR_RATE'),
    ];
    await phone.deliver(events);
    expect(received).toHaveLength(1);
    expect(items()).toEqual(events.map(itemOf));
  });

  test('delivers a body, and a text, as they are', async () => {
    await using phone = newPhone();
    const body = { object: 'whatsapp_business_account', entry: [{ id: 'é/' }] };
    await phone.deliver(body);
    await phone.deliver('not JSON at all');
    expect(received.map((one) => one.body)).toEqual([toWireText(body), 'not JSON at all']);
    expect(received.every(({ isSigned }) => isSigned)).toBe(true);
  });

  test('delivers the same bytes as often as it is told, and throws when one is refused', async () => {
    await using phone = newPhone();
    await phone.deliver([textMessage('Hi')], { times: 20 });
    expect(received).toHaveLength(20);
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
    answers = [200, 503, 200];
    await expect(phone.deliver([textMessage('Hi')], { times: 3 })).rejects.toMatchObject({ status: 503 });
    for (const times of [0, 1.5, 1_001]) await expect(phone.deliver([], { times })).rejects.toThrow(RangeError);
  });

  test('redelivers what several deliveries held, merged and in another order', async () => {
    await using phone = newPhone();
    const events = [textMessage('a'), textMessage('b'), statusUpdate({ messageId: 'wamid.0', status: 'read' })];
    const alert = flowAlert('ENDPOINT_AVAILABILITY');
    answers = [200, 503];
    await phone.deliver(events);
    await expect(phone.deliver([alert])).rejects.toThrow('503');
    received = [];
    await phone.redeliver();
    await phone.redeliver();
    expect(bodies()).toHaveLength(2);
    expect(items().slice(0, 4)).toEqual([alert, ...[...events].reverse()].map(itemOf));
    expect(items().slice(4)).toEqual(items().slice(0, 4));
  });

  test('redelivers the events it is given, and remembers no more than one delivery holds', async () => {
    await using phone = newPhone();
    const events = Array.from({ length: 1_500 }, (_, n) => textMessage(String(n)));
    await phone.deliver(events.slice(0, 1_000));
    await phone.deliver(events.slice(1_000));
    received = [];
    await phone.redeliver(events.slice(0, 2));
    expect(items()).toEqual([events[1], events[0]].map((event) => event && itemOf(event)));
    received = [];
    await phone.redeliver();
    expect(items()).toHaveLength(1_000);
    expect(new Set(items())).toContainEqual(expect.objectContaining({ text: { body: '1499' } }));
  });

  test('refuses more than Meta packs into one delivery', async () => {
    await using phone = newPhone();
    const events = Array.from({ length: 1_001 }, () => textMessage('Hi'));
    await expect(phone.deliver(events)).rejects.toThrow(RangeError);
    expect(received).toEqual([]);
  });
});
