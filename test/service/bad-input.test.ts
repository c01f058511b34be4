/** Everything a stranger, a broken proxy or a bad day can send, over real HTTP: each gets its answer, and the service goes on. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MAX_BODY_BYTES } from '../../src/flows/endpoint.ts';
import type { SealedRequest } from '../../src/testing/wire.ts';
import { httpServers } from '../support/http-servers.ts';
import { makeKeyPair } from '../support/keys.ts';
import { RawClient, type RawResponse, requestText } from '../support/raw-http.ts';
import { post } from '../support/service.ts';
import {
  DEAD_TOKEN,
  Demo,
  type Field,
  flipBit,
  flowRequestText,
  PING,
  SECRET_IN_ERROR,
  sealAs,
  submit,
  withBytes,
  withEscapes,
} from './demo.ts';

const FIELDS: readonly Field[] = ['encrypted_aes_key', 'encrypted_flow_data', 'initial_vector'];
const otherKeyPair = makeKeyPair();

const unhandled: unknown[] = [];
const collect = (reason: unknown) => void unhandled.push(reason);
beforeAll(() => void process.on('unhandledRejection', collect));
afterAll(() => void process.off('unhandledRejection', collect));

describe.each(httpServers)('a service on %s', (name) => {
  let demo: Demo;
  beforeAll(async () => {
    demo = await Demo.start(name);
  });
  beforeEach(() => {
    demo.lines.length = 0;
  });
  afterAll(() => demo[Symbol.asyncDispose]());

  const expectToServe = async (service = demo) =>
    expect(await service.ask(PING)).toMatchObject({ status: 200, payload: { data: { status: 'active' } } });

  const status = async (response: Promise<{ status: number; body: unknown }>) => (await response).status;

  describe('answers 432', () => {
    test.each<[string, (signature: string) => string[]]>([
      ['is missing', () => []],
      ['is one digit short', (signature) => [signature.slice(0, -1)]],
      ['is in upper case', (signature) => [`sha256=${signature.slice(7).toUpperCase()}`]],
      ['is wrong', (signature) => [signature.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))]],
      ['has no prefix', (signature) => [signature.slice(7)]],
      ['is sent twice', (signature) => [signature, signature]],
      ['comes with another one', (signature) => [signature, `sha256=${'0'.repeat(64)}`]],
    ])('when the signature %s', async (_, toHeaders) => {
      const { body, signature } = await sealAs(PING);
      expect(await demo.deliverRaw(body, ...toHeaders(signature))).toMatchObject({ status: 432, body: '' });
      await expectToServe();
    });

    test('and logs one line of many', async () => {
      await using fresh = await Demo.start(name);
      const { body } = await sealAs(PING);
      for (let i = 0; i < 20; i++) await fresh.deliverRaw(body, 'sha256=');
      const line = { code: 'SIGNATURE_INVALID', path: '/flows/demo', count: 1, requestId: expect.any(String) };
      expect(fresh.lines.filter(({ code }) => code)).toMatchObject([line]);
    });

    test.each<[string, (body: string) => string]>([
      ['other white space', (body) => JSON.stringify(JSON.parse(body), null, 1)],
      ['other escapes', (body) => JSON.stringify(JSON.parse(body))],
      ['one byte more', (body) => `${body}\n`],
    ])('when a proxy sends the signed body on with %s', async (_, rewrite) => {
      const { body, signature } = await sealAs(PING, withEscapes);
      expect(await demo.deliverRaw(body, signature)).toMatchObject({ status: 200 });
      expect(await demo.deliverRaw(rewrite(body), signature)).toMatchObject({ status: 432, body: '' });
    });
  });

  describe('answers 400', () => {
    test.each([
      ['no body at all', ''],
      ['no JSON', 'encrypted_flow_data=abcd'],
      ['half of a JSON', '{"encrypted_flow_data":"ab'],
      ['an empty object', '{}'],
      ['an array', '[{}]'],
      ['null', 'null'],
      ['a string', '"abcd"'],
      ['garbage of exactly 1 MiB', 'x'.repeat(MAX_BODY_BYTES)],
    ])('when the signed body is %s', async (_, body) => {
      const response = await post(demo.url, body);
      expect({ status: response.status, body: await response.text() }).toEqual({ status: 400, body: '' });
      expect(demo.lines).toMatchObject([{ code: 'ENVELOPE_MALFORMED', flow: 'demo' }]);
      await expectToServe();
    });

    describe.each(FIELDS)('when %s', (field) => {
      test.each<[string, unknown]>([
        ['is missing', undefined],
        ['is null', null],
        ['is a number', 1234],
        ['is an array', ['abcd']],
        ['is empty', ''],
        ['is no base64', 'ab!='],
        ['is URL-safe base64', 'ab-_'],
        ['has no padding', 'ab'],
        ['has a line break', 'abc\n'],
      ])('%s', async (_, value) => {
        const sealed = await sealAs(PING, (envelope) => JSON.stringify({ ...envelope, [field]: value }));
        expect(await demo.deliver(sealed)).toMatchObject({ status: 400, body: '' });
      });
    });
  });

  describe('answers 421', () => {
    const unopenable: [string, () => Promise<SealedRequest>][] = [
      ['is encrypted for another key', () => sealAs(PING, undefined, otherKeyPair)],
      [
        'has a bit of its tag flipped',
        () =>
          sealAs(
            PING,
            withBytes('encrypted_flow_data', (bytes) => flipBit(bytes, -1)),
          ),
      ],
      [
        'has an IV of 12 bytes',
        () =>
          sealAs(
            PING,
            withBytes('initial_vector', (iv) => iv.subarray(0, 12)),
          ),
      ],
      [
        'has a wrapped key of 255 bytes',
        () =>
          sealAs(
            PING,
            withBytes('encrypted_aes_key', (key) => key.subarray(0, 255)),
          ),
      ],
      [
        'has a wrapped key of 257 bytes',
        () =>
          sealAs(
            PING,
            withBytes('encrypted_aes_key', (key) => Buffer.concat([key, key], 257)),
          ),
      ],
      [
        'has a wrapped key above the modulus',
        () =>
          sealAs(
            PING,
            withBytes('encrypted_aes_key', (key) => key.fill(0xff)),
          ),
      ],
      [
        'has 10 bytes of data',
        () =>
          sealAs(
            PING,
            withBytes('encrypted_flow_data', (data) => data.subarray(0, 10)),
          ),
      ],
      ['has nothing but a tag', () => sealAs('')],
    ];

    test.each(unopenable)('when the request %s', async (_, make) => {
      const { body, signature } = await make();
      expect(await demo.deliverRaw(body, signature)).toMatchObject({ status: 421, body: '' });
      expect(demo.lines).toMatchObject([{ code: 'DECRYPTION_FAILED', flow: 'demo' }]);
      await expectToServe();
    });

    test('with the same bytes whatever is wrong', async () => {
      const responses: RawResponse[] = [];
      for (const [, make] of unopenable) {
        const { body, signature } = await make();
        responses.push(await demo.deliverRaw(body, signature));
      }
      expect(new Set(responses.map(({ head, body }) => head + body)).size).toBe(1);
    });

    test('with the same bytes when any one bit of the key, the data or the IV is flipped', async () => {
      const { body, signature } = await sealAs(PING, undefined, otherKeyPair);
      const refusal = await demo.deliverRaw(body, signature);
      const position = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...FIELDS), position, async (field, at) => {
          const toBody = withBytes(field, (bytes) => flipBit(bytes, Math.floor(at * bytes.byteLength * 8)));
          const sealed = await sealAs(PING, toBody);
          const { head, body, status } = await demo.deliverRaw(sealed.body, sealed.signature);
          expect({ head, body, status }).toEqual({ head: refusal.head, body: '', status: 421 });
        }),
        { numRuns: 60, seed: 421 },
      );
    });
  });

  describe('answers 500', () => {
    test.each([
      ['no JSON', 'the secret plaintext'],
      ['an array', '["the secret plaintext"]'],
      ['a string', '"the secret plaintext"'],
      ['a number', '3141592653589793'],
      ['null', 'null'],
    ])('when the plaintext is %s, and logs one line without it', async (_, plaintext) => {
      expect(await demo.ask(plaintext)).toMatchObject({ status: 500, body: '' });
      expect(demo.lines).toMatchObject([{ code: 'PAYLOAD_MALFORMED', flow: 'demo' }]);
      if (plaintext !== 'null') expect(JSON.stringify(demo.lines)).not.toMatch(/secret|plaintext"|31415926/);
      await expectToServe();
    });

    test('when a handler throws, and logs one line without the message', async () => {
      expect(await demo.ask(submit('THROW'))).toMatchObject({ status: 500, body: '' });
      expect(demo.lines).toMatchObject([{ code: 'HANDLER_FAILED', flow: 'demo', screen: 'THROW' }]);
      expect(JSON.stringify(demo.lines)).not.toContain(SECRET_IN_ERROR);
      await expectToServe();
    });

    test('when there is no handler for the screen', async () => {
      expect(await demo.ask(submit('NOWHERE'))).toMatchObject({ status: 500, body: '' });
      expect(demo.lines).toMatchObject([{ code: 'HANDLER_MISSING', screen: 'NOWHERE' }]);
    });

    test('when a handler is late, whose signal has fired by then', async () => {
      await using hasty = await Demo.start(name, { FLOW_DEADLINE_MS: 250 });
      expect(await hasty.ask(submit('WAIT'))).toMatchObject({ status: 500, body: '' });
      expect(hasty.released.count).toBe(1);
      expect(hasty.lines.filter(({ code }) => code)).toMatchObject([{ code: 'HANDLER_LATE', screen: 'WAIT' }]);
      await expectToServe(hasty);
    });
  });

  describe('answers by the path and the size', () => {
    test('413 before a byte of a body of 1 MiB and one byte is sent, and closes the connection', async () => {
      using client = await RawClient.connect(demo.port);
      client.send(requestText('POST /flows/demo', { headers: [`Content-Length: ${MAX_BODY_BYTES + 1}`] }));
      expect(await client.response()).toMatchObject({ status: 413, body: '' });
      expect(await client.closed()).toBe('');
      await expectToServe();
    });

    test.each(['/flows/other', '/flows/DEMO', '/flows/demo/', '/flows/', '/flows/%64emo', '/', '/metrics'])(
      '404 to POST and GET %s',
      async (path) => {
        const url = new URL(path, demo.url).href;
        expect(await status(post(url, '{}'))).toBe(404);
        expect(await status(fetch(url))).toBe(404);
      },
    );

    test('405 to GET on a Flow, and names POST', async () => {
      const response = await fetch(demo.url);
      expect({ status: response.status, allow: response.headers.get('allow') }).toEqual({ status: 405, allow: 'POST' });
      expect(await response.text()).toBe('');
    });

    test('/metrics on the admin port only, where it names the HTTP server in use', async () => {
      const response = await fetch(`${demo.adminUrl}/metrics`);
      expect(response.status).toBe(200);
      expect(await response.text()).toContain(`flowgate_http_server_info{server="${name}",fallback="false"} 1`);
      expect(await status(fetch(new URL('/flows/demo', demo.adminUrl)))).toBe(404);
    });
  });

  describe('answers 427', () => {
    test('with the sentence of c.expire(), encrypted', async () => {
      expect(await demo.ask(submit('EXPIRE'))).toMatchObject({ status: 427, payload: { error_msg: 'Too late.' } });
    });

    test('with the sentence of checkToken, encrypted, and runs no handler', async () => {
      const ran = demo.echoed.length;
      const reply = await demo.ask(submit('ECHO', {}, DEAD_TOKEN));
      expect(reply).toMatchObject({ status: 427, payload: { error_msg: 'This offer has ended.' } });
      expect(demo.echoed.length).toBe(ran);
    });
  });

  test.each([
    ['in the data', '{"action":"data_exchange","screen":"ECHO","data":{"kept":1,%}}'],
    ['deep in the data', '{"action":"data_exchange","screen":"ECHO","data":{"kept":{"kept":1,%}}}'],
    ['beside the data', '{"action":"data_exchange","screen":"ECHO","data":{"kept":1},%}'],
  ])('keeps __proto__ and constructor.prototype %s from the handler', async (_, payload) => {
    const attack = '"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}';
    expect(await demo.ask(payload.replace('%', attack))).toMatchObject({ status: 200 });
    const data = demo.echoed.at(-1);
    expect(JSON.stringify(data)).toMatch(/^\{"kept":(1|\{"kept":1\})\}$/);
    expect(data).not.toHaveProperty('polluted');
    expect({}).not.toHaveProperty('polluted');
  });

  test('answers a body that spells slashes and umlauts as escapes, signed over these exact bytes', async () => {
    const sealed = await sealAs(submit('ECHO'), withEscapes);
    expect(sealed.body).toMatch(/\\\/.*\\u00e4/);
    expect(await demo.deliver(sealed)).toMatchObject({ status: 200, payload: { screen: 'ECHO' } });
  });

  describe('given one body several times', () => {
    test('answers with the same ciphertext and runs the handler once, one after the other', async () => {
      const sealed = await sealAs(submit('ECHO'));
      const ran = demo.echoed.length;
      const first = await demo.deliver(sealed);
      expect(first).toMatchObject({ status: 200, payload: { data: { run: ran + 1 } } });
      expect(await demo.deliver(sealed)).toEqual(first);
      expect(demo.echoed.length).toBe(ran + 1);
    });

    test('answers with the same ciphertext and runs the handler once, 20 at a time', async () => {
      const sealed = await sealAs(submit('ECHO'));
      const ran = demo.echoed.length;
      const replies = await Promise.all(Array.from({ length: 20 }, () => demo.deliver(sealed)));
      expect(replies.map(({ status }) => status)).toEqual(Array(20).fill(200));
      expect(new Set(replies.map(({ body }) => body)).size).toBe(1);
      expect(demo.echoed.length).toBe(ran + 1);
    });
  });

  describe('with a client on a bad line', () => {
    test('answers a request that arrives byte by byte', async () => {
      const { body, signature, openReply } = await sealAs(PING);
      using client = await RawClient.connect(demo.port);
      await client.sendBytewise(flowRequestText(body, signature));
      const reply = await client.response();
      expect(reply.status).toBe(200);
      expect(JSON.parse(await openReply(reply.body))).toEqual({ data: { status: 'active' } });
    });

    test('goes on when it is gone mid-body', async () => {
      const { body, signature } = await sealAs(submit('ECHO'));
      const ran = demo.echoed.length;
      using client = await RawClient.connect(demo.port);
      client.send(flowRequestText(body, signature).slice(0, -10));
      client.end();
      await client.closed();
      await expectToServe();
      expect(demo.echoed.length).toBe(ran);
      expect(demo.lines).toEqual([]);
    });

    test('fires the signal of the handler when it is gone before the answer', async () => {
      const [waiting, released] = [demo.waiting.count, demo.released.count];
      const { body, signature } = await sealAs(submit('WAIT'));
      using client = await RawClient.connect(demo.port);
      client.send(flowRequestText(body, signature));
      await demo.waiting.reached(waiting + 1);
      client.reset();
      await demo.released.reached(released + 1);
      await expectToServe();
      expect(demo.lines).toEqual([]);
    });

    test('goes on when 200 are gone at once while their handlers wait', async () => {
      const [waiting, released] = [demo.waiting.count, demo.released.count];
      const clients = await sendFrom200(demo.port);
      await demo.waiting.reached(waiting + 200);
      for (const client of clients) client.reset();
      await demo.released.reached(released + 200);
      await expectToServe();
      expect(demo.lines.filter(({ code }) => code !== 'HANDLER_SLOW')).toEqual([]); // which they are on a busy machine
    });

    test('goes on when 200 are gone at once before their requests are decrypted', async () => {
      const clients = await sendFrom200(demo.port);
      for (const client of clients) client.reset();
      await expectToServe();
      await demo.released.reached(demo.waiting.count);
    });
  });

  test('has left no rejection unhandled', async () => {
    await nextTurn();
    expect(unhandled).toEqual([]);
  });
});

async function sendFrom200(port: number): Promise<RawClient[]> {
  return Promise.all(
    Array.from({ length: 200 }, async (_, i) => {
      const { body, signature } = await sealAs(submit('WAIT', { i }));
      const client = await RawClient.connect(port);
      client.send(flowRequestText(body, signature));
      return client;
    }),
  );
}
