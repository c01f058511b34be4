import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createGraphClient, type GraphClient, GraphError, type GraphOptions } from '../../src/graph/client.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeGraph, GRAPH_TOKEN, PHONE_NUMBER_ID } from '../support/fake-graph.ts';
import { Tally } from '../support/raw-http.ts';

const TO = { to: '15550109988' };
const USER = { recipient: 'US.13491208655302741918' };
const INVITATION = { flowId: '77', token: 'flow-token-canary', cta: 'Book', body: 'body canary' };
const INVOICE = {
  data: Buffer.from('%PDF-1.3 bytes canary \r\n--\u0000\u00ff'),
  filename: 'invoice canary.pdf',
  mimeType: 'application/pdf',
};

/** One try: what follows from a failure is in retry.test.ts. */
const clientOf = (graph: { url: string }, options: Partial<GraphOptions> = {}): GraphClient =>
  createGraphClient({ baseUrl: graph.url, token: GRAPH_TOKEN, phoneNumberId: PHONE_NUMBER_ID, tries: 1, ...options });

/** The one message that was accepted. */
function sent(graph: FakeGraph) {
  expect(graph.messages).toHaveLength(1);
  return graph.messages[0]?.body;
}

/** How the call failed: it must, and as a GraphError that shows nothing of what went out. */
async function failureOf(call: Promise<unknown>): Promise<GraphError> {
  const error = await call.then(
    () => expect.unreachable('the call must fail'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(GraphError);
  expectNoSecret(error);
  return error as GraphError;
}

function expectNoSecret(error: unknown): void {
  const shown = [inspect(error, { depth: null, showHidden: true }), JSON.stringify(error), String(error)].join('\n');
  for (const secret of [GRAPH_TOKEN, TO.to, USER.recipient, PHONE_NUMBER_ID, 'canary']) {
    expect(shown).not.toContain(secret);
  }
}

describe('sendText', () => {
  test('sends the documented body and resolves with the wamid', async () => {
    await using graph = await FakeGraph.start();
    expect(await clientOf(graph).sendText(TO, 'Grüße 👋')).toEqual({ messageId: graph.messages[0]?.id });
    expect(sent(graph)).toEqual({
      messaging_product: 'whatsapp',
      recipient_type: 'individual',
      to: TO.to,
      type: 'text',
      text: { preview_url: false, body: 'Grüße 👋' },
    });
  });

  test('reaches a user without a phone number, and quotes a message', async () => {
    await using graph = await FakeGraph.start();
    await clientOf(graph).sendText(USER, 'Hi', { replyTo: 'wamid.quoted' });
    expect(sent(graph)).toEqual({
      messaging_product: 'whatsapp',
      recipient_type: 'individual',
      recipient: USER.recipient,
      context: { message_id: 'wamid.quoted' },
      type: 'text',
      text: { preview_url: false, body: 'Hi' },
    });
  });

  test.each([
    ['letters', 'a'.repeat(4_096)],
    ['emoji, which are two UTF-16 units each', '👋'.repeat(4_096)],
  ])('sends 4,096 %s', async (_, text) => {
    await using graph = await FakeGraph.start();
    await clientOf(graph).sendText(TO, text);
    expect(sent(graph)).toMatchObject({ text: { body: text } });
  });

  test.each([
    ['a text of 4,097 characters', TO, 'a'.repeat(4_097), /4096/],
    ['an empty text', TO, '', /text/],
    ['nobody', { to: '' }, 'Hi', /\bto\b/],
    ['no user', { recipient: '' }, 'Hi', /recipient/],
    ['a recipient that the caller did not have', { to: undefined as never }, 'Hi', /\bto\b/],
  ])('refuses %s with a TypeError, and sends nothing', async (_, recipient, text, named) => {
    await using graph = await FakeGraph.start();
    await expect(clientOf(graph).sendText(recipient, text)).rejects.toThrow(TypeError);
    await expect(clientOf(graph).sendText(recipient, text)).rejects.toThrow(named);
    expect(graph.calls.count).toBe(0);
  });
});

describe('sendDocument', () => {
  test('uploads the bytes as multipart, then sends the media id', async () => {
    await using graph = await FakeGraph.start();
    const { messageId } = await clientOf(graph).sendDocument(TO, { ...INVOICE, caption: 'Your invoice' });
    const [upload] = graph.uploads;
    expect(upload).toMatchObject({ filename: INVOICE.filename, mimeType: INVOICE.mimeType, data: INVOICE.data });
    expect(messageId).toBe(graph.messages[0]?.id);
    expect(sent(graph)).toEqual({
      messaging_product: 'whatsapp',
      recipient_type: 'individual',
      to: TO.to,
      type: 'document',
      document: { id: upload?.id, filename: INVOICE.filename, caption: 'Your invoice' },
    });
  });

  test('sends a view into a larger buffer as that view, without a caption, as a reply', async () => {
    await using graph = await FakeGraph.start();
    const data = new Uint8Array(Buffer.from('before middle after').buffer).subarray(0, 6);
    await clientOf(graph).sendDocument(USER, { ...INVOICE, data, filename: 'a "b".pdf' }, { replyTo: 'wamid.quoted' });
    expect(graph.uploads[0]).toMatchObject({ data: Buffer.from(data), filename: 'a "b".pdf' });
    expect(sent(graph)).toMatchObject({ recipient: USER.recipient, context: { message_id: 'wamid.quoted' } });
    expect(sent(graph)?.['document']).toEqual({ id: graph.uploads[0]?.id, filename: 'a "b".pdf' });
  });

  test.each([
    ['no bytes', { data: new Uint8Array() }, /100 MB/],
    ['more than 100 MB', { data: { byteLength: 100 * 1024 * 1024 + 1 } as Uint8Array }, /100 MB/],
    ['no filename', { filename: '' }, /filename/],
    ['no MIME type', { mimeType: '' }, /mimeType/],
  ])('refuses %s with a TypeError, before the upload', async (_, change, named) => {
    await using graph = await FakeGraph.start();
    const refused = clientOf(graph).sendDocument(TO, { ...INVOICE, ...change });
    await expect(refused).rejects.toThrow(expect.toSatisfy((error) => error instanceof TypeError));
    await expect(refused).rejects.toThrow(named);
    await expect(clientOf(graph).sendDocument({ to: '' }, INVOICE)).rejects.toThrow(TypeError);
    expect(graph.calls.count).toBe(0);
  });

  test('sends no message when the upload fails, and then nothing is uncertain', async () => {
    await using graph = await FakeGraph.start();
    graph.failNext(1, { status: 500, code: 131000 });
    expect(await failureOf(clientOf(graph).sendDocument(TO, INVOICE))).toMatchObject({
      isTransient: true,
      isUncertain: false,
    });
    graph.answerNext({ body: '{}' });
    expect(await failureOf(clientOf(graph).sendDocument(TO, INVOICE))).toMatchObject({
      isTransient: true,
      isUncertain: false,
    });
    expect(graph.calls.count).toBe(2);
    expect(graph.messages).toEqual([]);
  });

  test('tells a failure of the message from one of the upload', async () => {
    await using graph = await FakeGraph.start();
    graph.passNext(1);
    graph.failNext(1, { status: 500, code: 131000 });
    const failure = await failureOf(clientOf(graph).sendDocument(TO, INVOICE));
    expect(failure.message).toContain('send the message');
    expect(failure.isUncertain).toBe(true);
    expect(graph.uploads).toHaveLength(1);
  });
});

describe('sendFlow', () => {
  const parametersOf = (graph: FakeGraph) => sent(graph)?.['interactive'];

  test('sends an invitation with everything that can be in it', async () => {
    await using graph = await FakeGraph.start();
    const data = { departments: [{ id: 'eyes', title: 'Eye test' }] };
    const all = { header: 'H', footer: 'F', screen: 'APPOINTMENT', data, mode: 'draft' } as const;
    const { messageId } = await clientOf(graph).sendFlow(TO, { ...INVITATION, ...all }, { replyTo: 'wamid.quoted' });
    expect(messageId).toBe(graph.messages[0]?.id);
    expect(sent(graph)).toEqual({
      messaging_product: 'whatsapp',
      recipient_type: 'individual',
      to: TO.to,
      context: { message_id: 'wamid.quoted' },
      type: 'interactive',
      interactive: {
        type: 'flow',
        header: { type: 'text', text: 'H' },
        body: { text: INVITATION.body },
        footer: { text: 'F' },
        action: {
          name: 'flow',
          parameters: {
            flow_message_version: '3',
            flow_token: INVITATION.token,
            flow_id: '77',
            flow_cta: 'Book',
            mode: 'draft',
            flow_action: 'navigate',
            flow_action_payload: { screen: 'APPOINTMENT', data },
          },
        },
      },
    });
  });

  test('lets the endpoint answer the first screen when none is named, and names a Flow by its name', async () => {
    await using graph = await FakeGraph.start();
    const { flowId: _, ...invitation } = INVITATION;
    await clientOf(graph).sendFlow(USER, { ...invitation, flowName: 'booking' });
    expect(parametersOf(graph)).toEqual({
      type: 'flow',
      body: { text: INVITATION.body },
      action: {
        name: 'flow',
        parameters: {
          flow_message_version: '3',
          flow_token: INVITATION.token,
          flow_name: 'booking',
          flow_cta: 'Book',
          mode: 'published',
          flow_action: 'data_exchange',
        },
      },
    });
  });

  test('leaves out data that is empty, as Meta demands', async () => {
    await using graph = await FakeGraph.start();
    await clientOf(graph).sendFlow(TO, { ...INVITATION, screen: 'TERMS', data: {} });
    expect(parametersOf(graph)).toMatchObject({ action: { parameters: { flow_action: 'navigate' } } });
    expect(JSON.stringify(parametersOf(graph))).toContain('"flow_action_payload":{"screen":"TERMS"}');
  });

  test.each([
    ['neither id nor name', { flowId: undefined }, /flowId/],
    ['both id and name', { flowName: 'booking' }, /flowName/],
    ['an empty name', { flowId: undefined, flowName: '' }, /flowName/],
    ['an empty token', { token: '' }, /token/],
    ['an empty button', { cta: '' }, /cta/],
    ['an empty body', { body: '' }, /body/],
    ['an empty screen', { screen: '' }, /screen/],
    ['data without a screen', { data: { a: 1 } }, /screen/],
    ['data that is no JSON', { screen: 'TERMS', data: { price: 1n } }, /BigInt/],
  ])('refuses %s with a TypeError, and sends nothing', async (_, change, named) => {
    await using graph = await FakeGraph.start();
    const refused = clientOf(graph).sendFlow(TO, { ...INVITATION, ...change });
    await expect(refused).rejects.toThrow(expect.toSatisfy((error) => error instanceof TypeError));
    await expect(refused).rejects.toThrow(named);
    expect(graph.calls.count).toBe(0);
  });
});

describe('a refusal', () => {
  test('carries the status, code, subcode and trace, and tells what a known code means', async () => {
    await using graph = await FakeGraph.start();
    graph.failNext(1, { status: 400, code: 131047, subcode: 2494010 });
    const failure = await failureOf(clientOf(graph).sendText(TO, 'text canary'));
    expect(failure).toMatchObject({
      code: 'GRAPH_FAILED',
      status: 400,
      graphCode: 131047,
      subcode: 2494010,
      fbtraceId: 'AZfakeTrace-_0',
      isTransient: false,
      isUncertain: false,
    });
    expect(failure.message).toMatchInlineSnapshot(
      `"the Graph API refused to send the message: HTTP 400, code 131047, OAuthException, over 24 hours since the user wrote: only a template may be sent, trace AZfakeTrace-_0"`,
    );
  });

  test('names a token that Meta does not take, without showing it', async () => {
    await using graph = await FakeGraph.start();
    const failure = await failureOf(clientOf(graph, { token: 'EAAcanary' }).sendText(TO, 'Hi'));
    expect(failure).toMatchObject({ status: 401, graphCode: 190, isTransient: false, isUncertain: false });
    expect(failure.message).toContain('the access token is not valid');
  });

  test.each([1, 2, 4, 17, 341, 80007, 130429, 131000, 131016, 131056, 131057, 132069, 133004])(
    'with code %i is transient, though it is a 400',
    async (code) => {
      await using graph = await FakeGraph.start();
      graph.failNext(1, { status: 400, code });
      expect(await failureOf(clientOf(graph).sendText(TO, 'text canary'))).toMatchObject({
        graphCode: code,
        isTransient: true,
        isUncertain: false,
      });
    },
  );

  test.each([
    { status: 429, code: 100, isTransient: true, isUncertain: false },
    { status: 500, code: 100, isTransient: true, isUncertain: true },
    { status: 503, code: 100, isTransient: true, isUncertain: true },
    { status: 400, code: 100, isTransient: false, isUncertain: false },
    { status: 400, code: 131026, isTransient: false, isUncertain: false },
    { status: 400, code: 132068, isTransient: false, isUncertain: false },
    { status: 403, code: 10, isTransient: false, isUncertain: false },
  ])('with $status and code $code has isTransient $isTransient', async ({ status, code, ...expected }) => {
    await using graph = await FakeGraph.start();
    graph.failNext(1, { status, code });
    expect(await failureOf(clientOf(graph).sendText(TO, 'text canary'))).toMatchObject({ status, ...expected });
  });

  test('is transient when Meta says so', async () => {
    await using graph = await FakeGraph.start();
    graph.failNext(1, { status: 400, code: 100, isTransient: true });
    expect((await failureOf(clientOf(graph).sendText(TO, 'text canary'))).isTransient).toBe(true);
  });

  test.each([
    ['HTML', 502, '<html>canary</html>', true],
    ['nothing', 502, '', true],
    ['an error that is no object', 400, '{"error":"canary"}', false],
    ['fields of the wrong type', 400, '{"error":{"code":"canary","type":"canary 1","fbtrace_id":["canary"]}}', false],
    ['a trace that is a text', 400, '{"error":{"fbtrace_id":"it was canary"}}', false],
    ['a body over 1 MiB', 400, JSON.stringify({ error: { code: 4, message: 'x'.repeat(1024 * 1024) } }), false],
  ])('that says %s fails by its status alone', async (_, status, body, isTransient) => {
    await using graph = await FakeGraph.start();
    graph.answerNext({ status, body });
    expect(await failureOf(clientOf(graph).sendText(TO, 'Hi'))).toMatchObject({
      status,
      graphCode: undefined,
      subcode: undefined,
      fbtraceId: undefined,
      isTransient,
    });
  });

  test('may come with status 200', async () => {
    await using graph = await FakeGraph.start();
    graph.answerNext({ body: '{"error":{"code":130429,"message":"canary"}}' });
    expect(await failureOf(clientOf(graph).sendText(TO, 'Hi'))).toMatchObject({
      status: 200,
      graphCode: 130429,
      isTransient: true,
      isUncertain: false,
    });
  });

  test('follows a redirect nowhere: the token would go along', async () => {
    await using graph = await FakeGraph.start();
    graph.answerNext({ status: 302, headers: { Location: `${graph.url}/canary` } });
    expect(await failureOf(clientOf(graph).sendText(TO, 'Hi'))).toMatchObject({ status: 302, isTransient: false });
    expect(graph.calls.count).toBe(1);
  });
});

describe('a reply that says nothing', () => {
  test.each([
    ['is not JSON', 'canary'],
    ['is empty', ''],
    ['is no object', '["canary"]'],
    ['has no messages', '{"messaging_product":"whatsapp"}'],
    ['has no message in them', '{"messages":[]}'],
    ['has a message without an id', '{"messages":[{"canary":1}]}'],
    ['has an id that is empty', '{"messages":[{"id":""}]}'],
    ['is over 1 MiB', JSON.stringify({ messages: [{ id: 'wamid.1' }], more: 'canary'.repeat(200_000) })],
  ])('because it %s fails, uncertain and not transient', async (_, body) => {
    await using graph = await FakeGraph.start();
    graph.answerNext({ body });
    expect(await failureOf(clientOf(graph).sendText(TO, 'Hi'))).toMatchObject({
      status: 200,
      graphCode: undefined,
      isTransient: false,
      isUncertain: true,
    });
  });

  test('of nearly 1 MiB is read', async () => {
    await using graph = await FakeGraph.start();
    graph.answerNext({ body: JSON.stringify({ messages: [{ id: 'wamid.1' }], more: 'x'.repeat(1_048_000) }) });
    expect(await clientOf(graph).sendText(TO, 'Hi')).toEqual({ messageId: 'wamid.1' });
  });
});

describe('no reply', () => {
  test('in 10 s fails, and not before', async () => {
    await using graph = await FakeGraph.start();
    const clock = new FakeClock();
    graph.hangNext();
    const failure = failureOf(clientOf(graph, { clock }).sendText(TO, 'text canary'));
    await graph.calls.reached(1);
    clock.advance(9_999);
    expect(clock.pending).toBe(1);
    clock.advance(1);
    expect(await failure).toMatchObject({ status: undefined, isTransient: true, isUncertain: true });
    expect((await failure).message).toContain('10 s');
  });

  test('that ends in 10 s, though it began, fails too', async () => {
    await using graph = await FakeGraph.start();
    const clock = new FakeClock();
    const heads = new Tally();
    graph.hangNext({ afterHead: true });
    const countHeads: typeof fetch = (input, init) => fetch(input, init).finally(heads.add);
    const failure = failureOf(clientOf(graph, { clock, fetch: countHeads }).sendText(TO, 'text canary'));
    await heads.reached(1);
    clock.advance(10_000);
    expect(await failure).toMatchObject({ status: undefined, isTransient: true, isUncertain: true });
  });

  test('leaves no timer behind, whatever came of the call', async () => {
    await using graph = await FakeGraph.start();
    const clock = new FakeClock();
    const client = clientOf(graph, { clock });
    await client.sendDocument(TO, INVOICE);
    graph.failNext(1, { status: 400 });
    await failureOf(client.sendText(TO, 'Hi'));
    expect(clock.pending).toBe(0);
  });

  test.each([
    ['before it', false],
    ['in it', true],
  ])('because the connection broke %s is transient and uncertain', async (_, afterHead) => {
    await using graph = await FakeGraph.start();
    graph.breakNext({ afterHead });
    const failure = await failureOf(clientOf(graph).sendText(TO, 'text canary'));
    expect(failure).toMatchObject({ status: undefined, isTransient: true, isUncertain: true });
    expect(failure.message).toMatch(/could not be reached to send the message: (UND_ERR_SOCKET|ECONNRESET)$/);
  });

  test('because nothing listens is transient, and certain', async () => {
    const { url } = await FakeGraph.start().then(async (graph) => {
      await graph[Symbol.asyncDispose]();
      return graph;
    });
    const failure = await failureOf(clientOf({ url }).sendText(TO, 'text canary'));
    expect(failure).toMatchObject({ isTransient: true, isUncertain: false });
    expect(failure.message).toContain('ECONNREFUSED');
  });

  test('keeps nothing of what fetch said, however it says it', async () => {
    const quote = `${GRAPH_TOKEN} ${TO.to} canary`;
    for (const reason of [new TypeError(quote, { cause: Object.assign(new Error(quote), { code: quote }) }), quote]) {
      const failure = await failureOf(
        createGraphClient({
          token: GRAPH_TOKEN,
          phoneNumberId: PHONE_NUMBER_ID,
          fetch: () => Promise.reject(reason),
        }).sendText(TO, 'Hi'),
      );
      expect(failure).toMatchObject({ isTransient: true, isUncertain: true });
      expect(failure.message).toBe('the Graph API could not be reached to send the message');
    }
  });
});

describe('a signal', () => {
  const REASON = new Error('the worker stops');

  test('aborted while the call runs rejects it with its reason', async () => {
    await using graph = await FakeGraph.start();
    const clock = new FakeClock();
    const controller = new AbortController();
    graph.hangNext();
    const call = clientOf(graph, { clock }).sendText(TO, 'Hi', { signal: controller.signal });
    const rejected = expect(call).rejects.toBe(REASON);
    await graph.calls.reached(1);
    controller.abort(REASON);
    await rejected;
    expect(clock.pending).toBe(0);
  });

  test('aborted before sends nothing', async () => {
    await using graph = await FakeGraph.start();
    const options = { signal: AbortSignal.abort(REASON) };
    await expect(clientOf(graph).sendText(TO, 'Hi', options)).rejects.toBe(REASON);
    await expect(clientOf(graph).sendFlow(TO, INVITATION, options)).rejects.toBe(REASON);
    await expect(clientOf(graph).sendDocument(TO, INVOICE, options)).rejects.toBe(REASON);
    expect(graph.calls.count).toBe(0);
  });

  test('aborted between the upload and the message keeps the message from going out', async () => {
    await using graph = await FakeGraph.start();
    const controller = new AbortController();
    const fetchThenAbort: typeof fetch = async (input, init) => {
      const response = await fetch(input, { ...init, signal: null });
      controller.abort(REASON);
      return response;
    };
    const call = clientOf(graph, { fetch: fetchThenAbort }).sendDocument(TO, INVOICE, { signal: controller.signal });
    await expect(call).rejects.toBe(REASON);
    expect(graph.uploads).toHaveLength(1);
    expect(graph.messages).toEqual([]);
  });

  test('that is not aborted changes nothing, and the time limit still holds', async () => {
    await using graph = await FakeGraph.start();
    const clock = new FakeClock();
    const { signal } = new AbortController();
    const client = clientOf(graph, { clock });
    await client.sendText(TO, 'Hi', { signal });
    graph.hangNext();
    const failure = failureOf(client.sendText(TO, 'Hi', { signal }));
    await graph.calls.reached(2);
    clock.advance(10_000);
    expect((await failure).message).toContain('10 s');
  });
});

describe('createGraphClient', () => {
  test('asks graph.facebook.com for v25.0, and whatever else it is told to', async () => {
    const asked: unknown[] = [];
    const answer: typeof fetch = async (input) => {
      asked.push(input);
      return Response.json({ messages: [{ id: 'wamid.1' }] });
    };
    const own = { token: GRAPH_TOKEN, phoneNumberId: '42', fetch: answer };
    await createGraphClient(own).sendText(TO, 'Hi');
    await createGraphClient({ ...own, baseUrl: 'http://127.0.0.1:1/meta/', version: 'v26.0' }).sendText(TO, 'Hi');
    expect(asked).toEqual([
      'https://graph.facebook.com/v25.0/42/messages',
      'http://127.0.0.1:1/meta/v26.0/42/messages',
    ]);
  });

  test.each([
    ['a token with a line end', { token: 'EAAcanary\n' }, /token/],
    ['an empty token', { token: '' }, /token/],
    ['a number id that is a path', { phoneNumberId: '1/canary' }, /phoneNumberId/],
    ['a version that is a path', { version: 'v1.0/canary' }, /version/],
    ['a base URL that is none', { baseUrl: 'canary' }, /baseUrl/],
    ['a base URL of another scheme', { baseUrl: 'file:///canary' }, /baseUrl/],
    ['a base URL with a password', { baseUrl: 'https://user:canary@graph.facebook.com' }, /baseUrl/],
    ['a base URL with a query', { baseUrl: 'https://graph.facebook.com?canary' }, /baseUrl/],
  ])('refuses %s with a TypeError that does not show it', (_, change, named) => {
    const create = () => clientOf({ url: 'https://graph.facebook.com' }, change);
    expect(create).toThrow(TypeError);
    expect(create).toThrow(named);
    try {
      create();
    } catch (error) {
      expectNoSecret(error);
    }
  });
});
