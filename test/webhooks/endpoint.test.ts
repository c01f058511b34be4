import { createHmac } from 'node:crypto';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { APP, type App, createApp } from '../../src/app.ts';
import { FlowgateError } from '../../src/errors.ts';
import { answerFetch } from '../../src/http/fetch.ts';
import type { HttpHandler, HttpRequest } from '../../src/http/server.ts';
import { toAppSecrets } from '../../src/http/signature.ts';
import { createMetrics } from '../../src/metrics/registry.ts';
import {
  delivery,
  flowAlert,
  message,
  nfmReply,
  statusUpdate,
  textMessage,
  toWireText,
} from '../../src/testing/index.ts';
import { createWebhookEndpoint, MAX_DELIVERY_BYTES } from '../../src/webhooks/endpoint.ts';
import { deferred, flush } from '../support/attempts.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { recordingLog } from '../support/log.ts';
import { MemoryInbox } from '../support/memory-inbox.ts';

const SECRET = 'app secret';
const VERIFY_TOKEN = 'vérify token';
const URL_OF_WEBHOOK = 'http://localhost/webhook';

let app: App;
let clock: FakeClock;
let inbox: MemoryInbox;
let endpoint: HttpHandler;
let log: ReturnType<typeof recordingLog>;
const metrics = createMetrics();
const webhook = vi.spyOn(metrics, 'webhook');
const webhookEvent = vi.spyOn(metrics, 'webhookEvent');
const forwardingDelay = vi.spyOn(metrics, 'forwardingDelay');

beforeEach(() => {
  vi.clearAllMocks();
  app = createApp();
  clock = new FakeClock();
  log = recordingLog();
  serve(new MemoryInbox(clock));
});

function serve(store: MemoryInbox): void {
  inbox = store;
  endpoint = createWebhookEndpoint({
    appSecrets: toAppSecrets(['newer secret', SECRET]),
    verifyToken: VERIFY_TOKEN,
    inbox,
    handlers: app[APP].handlers,
    metrics,
    clock,
    log: log.log,
  });
}

const sign = (body: string | Buffer, secret = SECRET) =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
const ask = (request: Request) => answerFetch(endpoint, request, { clock, log: log.log });

/** The status that a body is answered with, signed rightly unless another signature is given. */
async function deliver(body: string | Buffer, signature: string | undefined = sign(body)): Promise<number> {
  const headers = { 'X-Hub-Signature-256': signature };
  const response = await ask(new Request(URL_OF_WEBHOOK, { method: 'POST', body, headers }));
  expect(await response.text()).toBe('');
  return response.status;
}

const hi = toWireText(delivery([textMessage('Hi')]));
const stored = async () => (await inbox.list('waiting', 1_000)).map(({ type }) => type);
const outcomes = () => webhook.mock.calls.map(([outcome]) => outcome);

describe('the handshake', () => {
  const handshake = (parameters: Record<string, string>) =>
    ask(new Request(`${URL_OF_WEBHOOK}?${new URLSearchParams(parameters)}`));
  const right = { 'hub.mode': 'subscribe', 'hub.challenge': '1158201444', 'hub.verify_token': VERIFY_TOKEN };

  test.each(['1158201444', 'a b+c&"ä"<b>', '0'.repeat(1_000), ''])(
    'answers the challenge as it is: %j',
    async (challenge) => {
      const response = await handshake({ ...right, 'hub.challenge': challenge });
      expect(response.status).toBe(200);
      expect(await response.text()).toBe(challenge);
      expect(response.headers.get('content-type')).toBe('text/plain');
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    },
  );

  test.each<[string, Record<string, string>]>([
    ['another token', { ...right, 'hub.verify_token': 'verify token' }],
    ['the token and more', { ...right, 'hub.verify_token': `${VERIFY_TOKEN}.` }],
    ['no token', { 'hub.mode': 'subscribe', 'hub.challenge': '1' }],
    ['another mode', { ...right, 'hub.mode': 'unsubscribe' }],
    ['no mode', { 'hub.challenge': '1', 'hub.verify_token': VERIFY_TOKEN }],
    ['a challenge of more than 1,000 characters', { ...right, 'hub.challenge': '0'.repeat(1_001) }],
    ['nothing', {}],
  ])('answers 403 to %s', async (_, parameters) => {
    const response = await handshake(parameters);
    expect([response.status, await response.text()]).toEqual([403, '']);
  });
});

describe('a delivery', () => {
  test('is answered 200 once it is stored, whole', async () => {
    const events = [textMessage('Hi'), textMessage('Ho'), flowAlert('ENDPOINT_LATENCY')];
    const append = vi.spyOn(inbox, 'append');
    expect(await deliver(toWireText(delivery(events)))).toBe(200);
    expect(append).toHaveBeenCalledTimes(1);
    expect((await stored()).sort()).toEqual(['flow.endpoint_latency', 'message.text', 'message.text']);
  });

  test('is answered 200 again when it comes again, and stored once', async () => {
    expect([await deliver(hi), await deliver(hi)]).toEqual([200, 200]);
    expect(await stored()).toEqual(['message.text']);
    expect(webhookEvent.mock.calls).toEqual([
      ['message.text', 'stored'],
      ['message.text', 'duplicate'],
    ]);
  });

  test.each(['', 'hello', '{"object":"page"}'])(
    'that is not understood is stored, and answered 200: %j',
    async (body) => {
      expect(await deliver(body)).toBe(200);
      expect(await stored()).toEqual(['unknown']);
    },
  );

  test('of 3 MiB is taken, and one byte more is 413 and stored nowhere', async () => {
    expect(await deliver(' '.repeat(MAX_DELIVERY_BYTES))).toBe(200);
    expect(await deliver(' '.repeat(MAX_DELIVERY_BYTES + 1))).toBe(413);
    expect(await stored()).toEqual(['unknown']);
  });

  test.each([MAX_DELIVERY_BYTES + 1, 10 ** 14])('that says it has %i bytes is 413', async (bytes) => {
    const headers = { 'Content-Length': String(bytes), 'X-Hub-Signature-256': sign(hi) };
    const response = await ask(new Request(URL_OF_WEBHOOK, { method: 'POST', body: hi, headers }));
    expect(response.status).toBe(413);
    expect(outcomes()).toEqual(['body_too_large']);
  });
});

describe('a signature', () => {
  test('of the older secret is good while both are held', async () => {
    expect(await deliver(hi, sign(hi, 'newer secret'))).toBe(200);
    expect(await deliver(hi, sign(hi))).toBe(200);
  });

  test('is one of the bytes as they came, escapes and all', async () => {
    const body = '{"a":"\\u00e4\\/x"}';
    expect(await deliver(body)).toBe(200);
    expect(await deliver(body, sign(JSON.stringify(JSON.parse(body))))).toBe(401);
  });

  test('of the escaped form is good for a body that came unescaped, and in lower case only', async () => {
    const body = '{"a":"äöå 😮/ \u0080"}';
    const escaped = '{"a":"\\u00e4\\u00f6\\u00e5 \\ud83d\\ude2e/ \\u0080"}';
    expect(await deliver(body, sign(escaped))).toBe(200);
    expect(await deliver(body, sign(escaped, 'newer secret'))).toBe(200);
    expect(await deliver(body, sign(escaped.replaceAll('e', 'E')))).toBe(401);
    expect(await deliver(`${body} `, sign(escaped))).toBe(401);
  });

  test.each([
    ['empty', ''],
    ['without its prefix', sign(hi).slice(7)],
    ['of another prefix', sign(hi).replace('sha256', 'sha1')],
    ['in upper case', sign(hi).toUpperCase()],
    ['one digit short', sign(hi).slice(0, -1)],
    ['one digit long', `${sign(hi)}0`],
    ['doubled', `${sign(hi)}, ${sign(hi)}`],
    ['made with another secret', sign(hi, 'guessed')],
    ['of another body', sign(`${hi} `)],
  ])('that is %s is answered 401, and nothing is stored', async (_, signature) => {
    expect(await deliver(hi, signature)).toBe(401);
    expect(await stored()).toEqual([]);
    expect(outcomes()).toEqual(['webhook_signature_invalid']);
    expect(log.lines).toMatchObject([{ code: 'WEBHOOK_SIGNATURE_INVALID', path: '/webhook', count: 1 }]);
  });

  test('that is missing is answered 401', async () => {
    const response = await ask(new Request(URL_OF_WEBHOOK, { method: 'POST', body: hi }));
    expect(response.status).toBe(401);
  });
});

describe('503 makes Meta deliver again', () => {
  test('what an inbox that is away did not store', async () => {
    inbox.failure = 'away';
    expect(await deliver(hi)).toBe(503);
    inbox.failure = undefined;
    expect(await deliver(hi)).toBe(200);
    expect(outcomes()).toEqual(['inbox_unavailable', 'ok']);
    expect(webhookEvent.mock.calls).toEqual([['message.text', 'stored']]);
  });

  test('what a full inbox did not store, and all of it', async () => {
    serve(new MemoryInbox(clock, { maxWaiting: 2 }));
    expect(await deliver(toWireText(delivery(['a', 'b', 'c'].map((text) => textMessage(text)))))).toBe(503);
    expect(await stored()).toEqual([]);
    expect(outcomes()).toEqual(['inbox_full']);
  });

  /** A POST whose head has come and whose body has not. */
  function arriving(contentLength: number | undefined): { request: HttpRequest; end: (body: Buffer | Error) => void } {
    const { promise, resolve, reject } = deferred<Buffer>();
    const headers: Record<string, string> = { 'x-hub-signature-256': sign('') };
    if (contentLength !== undefined) headers['content-length'] = `${contentLength}`;
    const request = {
      method: 'POST',
      path: '/webhook',
      query: '',
      receivedAtMs: clock.nowMs(),
      aborted: false,
      header: (name: string) => headers[name],
      body: () => promise,
      onAbort: () => {},
    };
    return { request, end: (body) => (body instanceof Error ? reject(body) : resolve(body)) };
  }

  test.each([
    ['of 3 MiB', MAX_DELIVERY_BYTES, 32],
    ['of 1 MiB', 1_048_576, 96],
    ['of a length that they do not tell', undefined, 32],
  ])('what comes while bodies %s take 96 MiB, until one of them is done', async (_, contentLength, fitting) => {
    const under = Array.from({ length: fitting }, () => arriving(contentLength));
    const answers = under.map(({ request }) => endpoint(request));
    const refused = { status: 503, headers: { 'Retry-After': '1' } };
    expect(await endpoint(arriving(contentLength).request)).toEqual(refused);
    expect(await endpoint(arriving(contentLength).request)).toEqual(refused);
    expect(outcomes()).toEqual(['too_much_in_flight', 'too_much_in_flight']);

    under[0]?.end(new FlowgateError('CLIENT_GONE', 'left'));
    await expect(answers[0]).rejects.toMatchObject({ code: 'CLIENT_GONE' });
    const next = arriving(contentLength);
    const answer = endpoint(next.request);
    await flush();
    expect(outcomes().slice(2)).toEqual(['client_gone']);
    for (const { end } of [...under.slice(1), next]) end(Buffer.alloc(0));
    expect(await answer).toEqual({ status: 200 });
    expect(await Promise.all(answers.slice(1))).toEqual(Array(fitting - 1).fill({ status: 200 }));
  });
});

describe('the metrics', () => {
  test('count each event by type, and how long the delivery took', async () => {
    const append = inbox.append.bind(inbox);
    inbox.append = (items) => {
      clock.advance(30);
      return append(items);
    };
    const events = [textMessage('Hi'), message('poll', {}), statusUpdate({ messageId: 'wamid.1', status: 'read' })];
    await deliver(toWireText(delivery(events)));
    expect(webhook.mock.calls).toEqual([['ok', 30]]);
    expect(webhookEvent.mock.calls).toEqual([
      ['message.text', 'stored'],
      ['unknown', 'stored'],
      ['status.read', 'stored'],
    ]);
  });

  test('tell how long messages and statuses were on their way, once, by the Flow they complete', async () => {
    app.flow('booking').completed(() => {});
    const at = new Date(clock.epochMs() - 4_000);
    const events = [
      textMessage('Hi', { at }),
      nfmReply({ token: 'booking:1' }, { at }),
      statusUpdate({ messageId: 'wamid.1', status: 'read', at }),
      flowAlert('ENDPOINT_LATENCY', {}, { at }),
      textMessage('when?', { fields: { timestamp: '' } }),
    ];
    const body = toWireText(delivery(events));
    expect([await deliver(body), await deliver(body)]).toEqual([200, 200]);
    expect(forwardingDelay.mock.calls).toEqual([
      ['message', 'none', 4_000],
      ['message', 'booking', 4_000],
      ['status', 'none', 4_000],
    ]);
  });

  test('are no reason to refuse what is stored: an app’s `matches` may throw', async () => {
    app.flow('booking').completed(() => {}, { matches: () => JSON.parse('{') });
    expect(await deliver(toWireText(delivery([nfmReply({ token: 't' }), textMessage('Hi')])))).toBe(200);
    expect(forwardingDelay.mock.calls.map(([, flow]) => flow)).toEqual(['none', 'none']);
  });
});
