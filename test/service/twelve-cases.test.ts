/** What Meta's own checks and every client rely on, in twelve claims. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { httpServers } from '../support/http-servers.ts';
import { makeKeyPair } from '../support/keys.ts';
import { post } from '../support/service.ts';
import { Demo, flipBit, PING, sealAs, submit, withBytes, withEscapes } from './demo.ts';

const otherKeyPair = makeKeyPair();

describe.each(httpServers)('the twelve cases on %s', (name) => {
  let demo: Demo;
  beforeAll(async () => {
    demo = await Demo.start(name);
  });
  afterAll(() => demo[Symbol.asyncDispose]());

  test('1. answers a ping, encrypted', async () => {
    const { status, body, payload } = await demo.ask(PING);
    expect({ status, payload }).toEqual({ status: 200, payload: { data: { status: 'active' } } });
    expect(body).toMatch(/^[A-Za-z0-9+/]+={0,2}$/);
  });

  test('2. answers INIT with the first screen', async () => {
    const reply = await demo.ask({ version: '3.0', action: 'INIT', flow_token: 'a token' });
    expect(reply).toMatchObject({ status: 200, payload: { screen: 'ECHO', data: { run: 0 } } });
  });

  test('3. answers a data_exchange of version 4.0', async () => {
    const reply = await demo.ask({ ...submit('ECHO', { colour: 'red' }), version: '4.0' });
    expect(reply).toMatchObject({ status: 200, payload: { screen: 'ECHO', data: { run: 1 } } });
    expect(demo.echoed).toEqual([{ colour: 'red' }]);
  });

  test('4. acknowledges an error notification, encrypted, without running the handler', async () => {
    const ran = demo.echoed.length;
    const error = { error: 'invalid-screen-transition', error_message: 'no route' };
    const reply = await demo.ask(submit('ECHO', error));
    expect(reply).toMatchObject({ status: 200, payload: { data: { acknowledged: true } } });
    expect(demo.echoed.length).toBe(ran);
  });

  test('5. answers 421 when the request is encrypted for another key', async () => {
    expect(await demo.deliver(await sealAs(PING, undefined, otherKeyPair))).toMatchObject({ status: 421, body: '' });
  });

  test('6. answers 421 when the tag was tampered with', async () => {
    const tampered = withBytes('encrypted_flow_data', (bytes) => flipBit(bytes, -1));
    expect(await demo.ask(PING, tampered)).toMatchObject({ status: 421, body: '' });
  });

  test('7. answers 400 when the signed body is an empty JSON object', async () => {
    expect((await post(demo.url, '{}')).status).toBe(400);
  });

  test.each<[string, (signature: string) => string[]]>([
    [
      '8. answers 432 when the signature is wrong',
      (signature) => [signature.replace(/.$/, (d) => (d === '0' ? '1' : '0'))],
    ],
    ['9. answers 432 when the signature is short', (signature) => [signature.slice(0, -2)]],
    ['10. answers 432 when the signature is missing', () => []],
  ])('%s', async (_, toHeaders) => {
    const { body, signature } = await sealAs(PING);
    expect(await demo.deliverRaw(body, ...toHeaders(signature))).toMatchObject({ status: 432, body: '' });
  });

  test('11. answers a body with escapes, signed over these exact bytes', async () => {
    expect(await demo.ask(PING, withEscapes)).toMatchObject({ status: 200, payload: { data: { status: 'active' } } });
  });

  test('12. answers 500 when the handler throws, and goes on serving', async () => {
    expect(await demo.ask(submit('THROW'))).toMatchObject({ status: 500, body: '' });
    expect(await demo.ask(PING)).toMatchObject({ status: 200 });
  });
});
