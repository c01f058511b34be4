import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MAX_SENT } from '../../../src/playground/graph/sent-log.ts';
import { MAX_UPLOADS } from '../../../src/playground/graph/uploads.ts';
import { TEST_USER } from '../../../src/testing/webhook-events.ts';
import { failureOf, PERSON, TestStandIn } from './support/stand-in.ts';

const MINTED = `booking:${'a'.repeat(32)}`;
const FLOW = { flowName: 'booking', token: MINTED, cta: 'Book', body: 'When?' };
const PDF = { data: Buffer.from('%PDF-1.7 x'), filename: 'invoice.pdf', mimeType: 'application/pdf' };

let graph: TestStandIn;
beforeEach(async () => {
  graph = await TestStandIn.start();
});
afterEach(() => graph.standIn.close());

describe('what our own client sends is taken', () => {
  test('a text, as it is', async () => {
    const text = '<script>alert(1)</script>\nsecond line 🙂';
    const { messageId } = await graph.client().sendText(PERSON, text);
    expect(messageId).toMatch(/^wamid\.[\w+/=]{48}$/);
    expect(graph.sent()).toEqual([
      { seq: 1, atMs: graph.clock.epochMs(), kind: 'message', id: messageId, content: { type: 'text', text } },
    ]);
  });

  test('a text with a quote', async () => {
    await graph.client().sendText(PERSON, 'That one', { replyTo: 'wamid.x' });
    expect(graph.sent()[0]).toMatchObject({ quotes: 'wamid.x' });
  });

  test('a document, of which name, type, size and caption are kept', async () => {
    await graph.client().sendDocument(PERSON, { ...PDF, caption: 'Yours' });
    expect(graph.content).toEqual({
      type: 'document',
      filename: 'invoice.pdf',
      caption: 'Yours',
      mimeType: 'application/pdf',
      bytes: PDF.data.length,
    });
  });

  test('the message of a Flow, with all it says of where to open', async () => {
    await graph.client().sendFlow(PERSON, { ...FLOW, header: 'H', footer: 'F' });
    expect(graph.content).toEqual({
      type: 'flow',
      header: 'H',
      body: 'When?',
      footer: 'F',
      button: { label: 'Book', token: MINTED, user: TEST_USER.userId, called: 'booking', flow: 'booking' },
    });
    await graph.client().sendFlow(PERSON, { ...FLOW, token: 'mine', screen: 'A', data: { n: 1 }, mode: 'draft' });
    expect(graph.content).toMatchObject({ button: { token: 'mine', start: { screen: 'A', data: { n: 1 } } } });
    await graph.client().sendFlow(PERSON, { ...FLOW, screen: 'A' });
    expect(graph.content).toMatchObject({ button: { start: { screen: 'A', data: {} } } });
  });

  test.each<[string, object, string | undefined]>([
    ['by its name at Meta', { flowName: 'other_at_meta', token: 'x' }, 'theirs'],
    ['by its id at Meta, whatever its token says', { flowId: '777', token: 'booking:x' }, 'rating'],
    ['by its token', { flowId: '1', token: 'booking:x' }, 'booking'],
    ['by the token of a tenant', { flowId: '1', token: 'booking@acme:x' }, 'booking'],
    ['not by a name that it only has here', { flowName: 'rating', token: 'x' }, undefined],
    ['not by a token of nothing', { flowName: 'gone', token: 'gone:x' }, undefined],
  ])('a Flow is found %s', async (_, named, flow) => {
    await graph.client().sendFlow(PERSON, { cta: 'Go', body: 'B', ...named } as never);
    expect(graph.content).toMatchObject({ type: 'flow' });
    expect((graph.content as { button: { flow?: string } }).button.flow).toBe(flow);
  });

  test('a template, with what fills it and its Flow', async () => {
    const components = [
      { type: 'header', parameters: [{ type: 'document', document: { filename: 'a.pdf', link: 'https://x' } }] },
      {
        type: 'body',
        parameters: [
          { type: 'text', text: 'Ada' },
          { type: 'currency', currency: { fallback_value: '€ 45' } },
          { type: 'image', image: { id: '1' } },
        ],
      },
      { type: 'button', sub_type: 'quick_reply', index: '1', parameters: [{ type: 'payload', payload: 'yes' }] },
    ];
    const flow = { token: MINTED, data: { n: 1 } };
    await graph.client().sendTemplate(PERSON, { name: 'reminder', language: 'en_US', components, flow });
    expect(graph.content).toEqual({
      type: 'template',
      name: 'reminder',
      language: 'en_US',
      parts: [
        { part: 'header', values: ['a.pdf'] },
        { part: 'body', values: ['Ada', '€ 45', '[image]'] },
        { part: 'button 1', values: ['yes'] },
      ],
      button: { token: MINTED, user: TEST_USER.userId, flow: 'booking', start: { data: { n: 1 } } },
    });
    await graph.client().sendTemplate(PERSON, { name: 'plain', language: 'de' });
    expect(graph.content).toEqual({ type: 'template', name: 'plain', language: 'de', parts: [] });
  });

  test('a receipt, with and without typing', async () => {
    await graph.client().markRead('wamid.1');
    await graph.client().markRead('wamid.2', { typing: true });
    expect(graph.sent()).toMatchObject([
      { seq: 1, kind: 'read', messageId: 'wamid.1', isTyping: false },
      { seq: 2, kind: 'read', messageId: 'wamid.2', isTyping: true },
    ]);
  });

  test.each([
    [{ to: '+1 (650) 555-1234' }, undefined],
    [{ recipient: TEST_USER.userId ?? '' }, undefined],
    [{ to: '15550001111' }, '15550001111'],
    [{ recipient: 'US.1' }, 'US.1'],
  ])('it is for the person at the phone, or for somebody else: %j', async (recipient, to) => {
    await graph.client().sendText(recipient, 'Hi');
    expect((graph.sent()[0] as { to?: string }).to).toBe(to);
  });

  test('from any number, in any version', async () => {
    await graph.client({ phoneNumberId: '1', version: 'v31.2' }).sendText(PERSON, 'Hi');
    expect(graph.sent()).toHaveLength(1);
  });

  test('with the token of a Flow that is another business’s', async () => {
    await graph.client({ token: 'theirOwnToken' }).sendText(PERSON, 'Hi');
    expect(graph.sent()).toHaveLength(1);
  });
});

describe('media', () => {
  test('a file that was picked in a Flow is found by its id, and downloaded', async () => {
    graph.picked.set('0b1c-d2', Buffer.from('a picture'));
    const { url, authorization, sizeBytes, sha256 } = await graph.client().mediaInfo('0b1c-d2');
    expect(sizeBytes).toBe(9);
    expect(sha256).toMatch(/^[\da-f]{64}$/);
    expect(await (await fetch(url, { headers: { authorization } })).text()).toBe('a picture');
    expect((await fetch(url)).status).toBe(401);
  });

  test('a document that was uploaded is told of, but its bytes are gone', async () => {
    const info = await graph.client().mediaInfo(await graph.upload());
    expect(info).toMatchObject({ mimeType: 'text/plain', sizeBytes: 3 });
    expect((await fetch(info.url, { headers: { authorization: info.authorization } })).status).toBe(404);
  });

  test('of nothing is there no more than at Meta', async () => {
    const { message } = await failureOf(graph.client().mediaInfo('nothing'));
    expect(message).toContain('there is no media of this id');
  });

  test(`of documents the last ${MAX_UPLOADS} are remembered`, async () => {
    const ids: string[] = [];
    for (let n = 0; n <= MAX_UPLOADS; n++) ids.push(await graph.upload());
    const document = (id = '') => graph.send({ type: 'document', document: { id, filename: 'a.txt' } });
    expect((await document(ids[0])).status).toBe(400);
    expect((await document(ids[1])).status).toBe(200);
  });
});

describe('what was accepted is kept', () => {
  test(`in order, the last ${MAX_SENT} of it`, async () => {
    const user = (n: number) => ({ to: `1555000${String(n).padStart(4, '0')}` }); // one alone may not have as many
    for (let n = 1; n <= MAX_SENT + 1; n++) await graph.client().sendText(user(n), `${n}`);
    const seqs = graph.sent().map(({ seq }) => seq);
    expect(seqs).toHaveLength(MAX_SENT);
    expect([seqs[0], seqs.at(-1)]).toEqual([2, MAX_SENT + 1]);
    expect(graph.sent(MAX_SENT - 1).map(({ seq }) => seq)).toEqual([MAX_SENT, MAX_SENT + 1]);
    expect(graph.sent(MAX_SENT + 1)).toEqual([]);
  });

  test('by the clock it is given', async () => {
    await graph.client().markRead('wamid.1');
    graph.clock.advance(1_500);
    const { nowMs, sent: told } = graph.standIn.sentAfter(0);
    expect(nowMs - (told[0]?.atMs ?? 0)).toBe(1_500);
  });

  test('and made unlike any other by the randomness it is given', async () => {
    const bytes = (size: number) => Buffer.alloc(size, 7);
    await using constant = await TestStandIn.start({ randomBytes: bytes });
    expect(constant.token).toBe(`playground-${bytes(24).toString('base64url')}`);
    const { messageId } = await constant.client().sendText(PERSON, 'Hi');
    expect(messageId).toBe(`wamid.${bytes(36).toString('base64')}`);
  });
});
