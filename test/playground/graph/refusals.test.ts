import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MAX_BODY_CHARS, MAX_HEADER_CHARS, MAX_TEXT_CHARS } from '../../../src/playground/graph/read-message.ts';
import { MAX_MESSAGE_BYTES } from '../../../src/playground/graph/stand-in.ts';
import { failureOf, NUMBER, PERSON, refusalOf, TestStandIn } from './support/stand-in.ts';

let graph: TestStandIn;
beforeEach(async () => {
  graph = await TestStandIn.start();
});
afterEach(() => graph.standIn.close());

describe('what Meta would refuse is refused as Meta does it', () => {
  test('a bad token', async () => {
    const { status, graphCode, message, fbtraceId } = await failureOf(
      graph.client({ token: 'nope' }).sendText(PERSON, 'Hi'),
    );
    expect({ status, graphCode }).toEqual({ status: 401, graphCode: 190 });
    expect(message).toContain('the access token is not valid');
    expect(fbtraceId).toMatch(/^A[\w-]{22}$/);
    expect((await fetch(`${graph.standIn.settings.baseUrl}${NUMBER}/messages`, { method: 'POST' })).status).toBe(401);
    const headers = { authorization: graph.token }; // not as a bearer token
    expect(await refusalOf(await graph.call(`${NUMBER}/messages`, '{}', headers))).toEqual([401, 190]);
    expect(graph.sent()).toEqual([]);
  });

  test.each([
    ['POST', '/v25.0/106540352242922/flows'],
    ['POST', '/v25.0/106540352242922'],
    ['POST', '/106540352242922/messages'],
    ['POST', '/v25.0/me/messages'],
    ['GET', '/v25.0/106540352242922/whatsapp_business_encryption'],
    ['GET', '/'],
    ['GET', '/files/../package.json'],
    ['DELETE', '/v25.0/123'],
  ])('an unknown path: %s %s', async (method, path) => {
    expect(await refusalOf(await graph.call(path, undefined, {}, method))).toEqual([404, 2500]);
  });

  const flowMessage = (parameters: object, more: object = {}) => ({
    type: 'interactive',
    interactive: {
      type: 'flow',
      body: { text: 'B' },
      action: {
        name: 'flow',
        parameters: { flow_message_version: '3', flow_name: 'booking', flow_cta: 'Go', ...parameters },
      },
      ...more,
    },
  });
  const template = (...components: object[]) => ({
    type: 'template',
    template: { name: 'n', language: { code: 'en' }, components },
  });
  test.each<[string, object, number]>([
    ['another product', { messaging_product: 'sms', type: 'text', text: { body: 'x' } }, 131009],
    ['nobody', { to: undefined, type: 'text', text: { body: 'x' } }, 131008],
    ['a group', { recipient_type: 'group', type: 'text', text: { body: 'x' } }, 131009],
    ['no type', {}, 131008],
    ['a type that is not known here', { type: 'image', image: { id: '1' } }, 131051],
    ['no content', { type: 'text' }, 131008],
    ['an empty text', { type: 'text', text: { body: '' } }, 131009],
    ['a text that is too long', { type: 'text', text: { body: 'x'.repeat(MAX_TEXT_CHARS + 1) } }, 131009],
    ['a quote of nothing', { type: 'text', text: { body: 'x' }, context: {} }, 131008],
    ['a document that was not uploaded', { type: 'document', document: { id: '1', filename: 'a' } }, 131009],
    ['a button that is none of a Flow', flowMessage({}, { type: 'button' }), 131009],
    ['another version', flowMessage({ flow_message_version: '2' }), 131009],
    ['two Flows', flowMessage({ flow_id: '1' }), 131009],
    ['no Flow', flowMessage({ flow_name: undefined }), 131009],
    ['no words', flowMessage({ flow_cta: undefined }), 131008],
    ['an unknown mode', flowMessage({ mode: 'test' }), 131009],
    ['a payload with data_exchange', flowMessage({ flow_action: 'data_exchange', flow_action_payload: {} }), 131009],
    ['a payload without a screen', flowMessage({ flow_action_payload: {} }), 131008],
    ['empty data', flowMessage({ flow_action_payload: { screen: 'A', data: {} } }), 131009],
    ['a body that is too long', flowMessage({}, { body: { text: 'x'.repeat(MAX_BODY_CHARS + 1) } }), 131009],
    [
      'a header that is too long',
      flowMessage({}, { header: { type: 'text', text: 'x'.repeat(MAX_HEADER_CHARS + 1) } }),
      131009,
    ],
    ['a header that is a picture', flowMessage({}, { header: { type: 'image', image: { id: '1' } } }), 131009],
    ['a footer that is too long', flowMessage({}, { footer: { text: 'x'.repeat(MAX_HEADER_CHARS + 1) } }), 131009],
    ['a template without a language', { type: 'template', template: { name: 'n' } }, 131008],
    ['components that are no list', { type: 'template', template: { ...template().template, components: {} } }, 131009],
    [
      'a Flow button without an index',
      template({ type: 'button', sub_type: 'flow', parameters: [{ type: 'action', action: {} }] }),
      131008,
    ],
    [
      'empty data of a Flow button',
      template({
        type: 'button',
        sub_type: 'FLOW',
        index: '0',
        parameters: [{ type: 'action', action: { flow_action_data: {} } }],
      }),
      131009,
    ],
    ['an unknown status', { status: 'delivered', message_id: 'wamid.1' }, 131009],
    ['a receipt for nothing', { status: 'read' }, 131008],
    ['an unknown indicator', { status: 'read', message_id: 'w', typing_indicator: { type: 'voice' } }, 131009],
  ])('%s', async (_, message, code) => {
    expect(await refusalOf(await graph.send(message))).toEqual([400, code]);
    expect(graph.sent()).toEqual([]);
  });

  test('what just fits is taken, counted as people count', async () => {
    const text = '🙂'.repeat(MAX_TEXT_CHARS);
    expect((await graph.send({ type: 'text', text: { body: text } })).status).toBe(200);
    const card = { body: { text: '🙂'.repeat(MAX_BODY_CHARS) }, footer: { text: '🙂'.repeat(MAX_HEADER_CHARS) } };
    expect((await graph.send(flowMessage({ flow_token: undefined }, card))).status).toBe(200);
    expect(graph.content).toMatchObject({ button: { token: 'unused', start: { data: {} } } });
  });

  test.each(['', 'null', '[]', '{"a":', '"x"', `{"a":${'['.repeat(50_000)}`])(
    'a body that is no object',
    async (body) => {
      expect(await refusalOf(await graph.call(`${NUMBER}/messages`, body))).toEqual([400, 131009]);
    },
  );

  test('a body too large, once it is read; the next call is answered', async () => {
    const room = MAX_MESSAGE_BYTES - JSON.stringify({ status: 'read', messaging_product: 'whatsapp', x: '' }).length;
    const of = (bytes: number) => ({ status: 'read', messaging_product: 'whatsapp', x: 'x'.repeat(bytes) });
    expect(await refusalOf(await graph.call(`${NUMBER}/messages`, of(room + 1)))).toEqual([413, 100]);
    expect(await refusalOf(await graph.call(`${NUMBER}/messages`, of(20 * MAX_MESSAGE_BYTES)))).toEqual([413, 100]);
    expect(await refusalOf(await graph.call(`${NUMBER}/messages`, of(room)))).toEqual([400, 131008]);
  });

  test.each([
    ['application/json', '{}'],
    ['multipart/form-data; boundary=x', 'no form'],
    ['multipart/form-data', '{}'],
    ['', ''],
    [
      'multipart/form-data; boundary=x',
      '--x\r\nContent-Disposition: form-data; name="messaging_product"\r\n\r\nwhatsapp\r\n--x--\r\n',
    ],
  ])('an upload that is none: %s', async (type, body) => {
    expect(await refusalOf(await graph.call(`${NUMBER}/media`, body, { 'content-type': type }))).toEqual([400, 131009]);
  });

  test('why is told in the log, with nothing of what was sent', async () => {
    await graph.send({ type: 'document', document: { id: 'secret-id', filename: 'secret.pdf' } });
    const told = JSON.stringify(graph.lines);
    expect(graph.lines).toMatchObject([
      { status: 400, code: 131009, msg: expect.stringContaining('document.id must be') },
    ]);
    for (const secret of ['secret', PERSON.to, graph.token]) expect(told).not.toContain(secret);
  });
});
