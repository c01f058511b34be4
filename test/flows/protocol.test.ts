import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FlowgateError } from '../../src/errors.ts';
import { errorNotificationIn, parseEnvelope, parseFlowRequest } from '../../src/flows/protocol.ts';
import type { VerifiedBody } from '../../src/http/signature.ts';

const verified = (text: string | Buffer) => ({ bytes: Buffer.from(text), fingerprint: 'x' }) as unknown as VerifiedBody;
const codeOfThrow = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    return error instanceof FlowgateError ? error.code : 'not a FlowgateError';
  }
  return 'no throw';
};

describe('parseEnvelope', () => {
  test('reads the three fields, escaped slashes and unknown keys included', () => {
    const text =
      '{"encrypted_flow_data":"ab\\/d","encrypted_aes_key":"AAA=","initial_vector":"AA==","new_key":"\\u00e4"}';
    expect(parseEnvelope(verified(text))).toEqual({
      sealedPayload: Buffer.from('ab/d', 'base64'),
      wrappedKey: Buffer.from([0, 0]),
      iv: Buffer.from([0]),
    });
  });

  test('takes standard base64 with its padding, and nothing else', () => {
    const text = fc.oneof(fc.base64String(), fc.string(), fc.stringMatching(/^[A-Za-z0-9+/=_ -]{0,12}$/));
    fc.assert(
      fc.property(text, (iv) => {
        const body = JSON.stringify({ encrypted_flow_data: 'AAAA', encrypted_aes_key: 'AAAA', initial_vector: iv });
        const isBase64 = iv.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(iv);
        const code = codeOfThrow(() => parseEnvelope(verified(body)));
        expect(code).toBe(isBase64 ? 'no throw' : 'ENVELOPE_MALFORMED');
      }),
      { numRuns: 2_000 },
    );
  });

  test('never throws anything but ENVELOPE_MALFORMED', () => {
    const field = fc.oneof(fc.base64String(), fc.jsonValue());
    const nearMiss = fc.record(
      { encrypted_flow_data: field, encrypted_aes_key: field, initial_vector: field },
      { requiredKeys: [] },
    );
    const body = fc.oneof(
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.json(),
      nearMiss.map((json) => JSON.stringify(json)),
    );
    fc.assert(
      fc.property(body, (bytes) => {
        expect(['no throw', 'ENVELOPE_MALFORMED']).toContain(codeOfThrow(() => parseEnvelope(verified(bytes))));
      }),
    );
  });
});

describe('parseFlowRequest', () => {
  test('takes an empty screen as none, and whatever is no object as empty data', () => {
    for (const data of ['"text"', 'null', '[1]', '7']) {
      const request = parseFlowRequest(`{"version":"3.0","action":"INIT","screen":"","data":${data},"flow_token":""}`);
      expect(request).toEqual({
        action: 'INIT',
        version: '3.0',
        screen: undefined,
        data: {},
        token: undefined,
        tokenSignature: undefined,
      });
    }
  });

  test('takes the token and its signature as they were sent, and whatever is no text as none', () => {
    const parse = (signature: string) => parseFlowRequest(`{"flow_token":"t","flow_token_signature":${signature}}`);
    expect(parse('"a.b.c"')).toMatchObject({ token: 't', tokenSignature: 'a.b.c' });
    for (const none of ['""', 'null', '7', '["a.b.c"]']) expect(parse(none).tokenSignature).toBeUndefined();
  });

  test('drops keys that could reach a prototype', () => {
    const { data } = parseFlowRequest(
      '{"data":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"a":1}}',
    );
    expect(Object.keys(data)).toEqual(['a']);
    expect(Object.assign({}, data)).not.toHaveProperty('polluted');
  });

  test.each(['', 'text', '"text"', '[]', '7', 'null', '{"a":'])('throws PAYLOAD_MALFORMED for %j', (text) => {
    expect(codeOfThrow(() => parseFlowRequest(text))).toBe('PAYLOAD_MALFORMED');
  });

  test('never throws anything but PAYLOAD_MALFORMED, and always gives data that is an object', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const code = codeOfThrow(() => expect(parseFlowRequest(text).data).toBeTypeOf('object'));
        expect(['no throw', 'PAYLOAD_MALFORMED']).toContain(code);
      }),
    );
  });
});

describe('errorNotificationIn', () => {
  const keyIn = (data: object) =>
    errorNotificationIn(parseFlowRequest(JSON.stringify({ action: 'data_exchange', data })))?.key;

  test('knows the keys of Meta, in error and in error_key', () => {
    expect(keyIn({ error: 'invalid-screen-transition' })).toBe('invalid-screen-transition');
    expect(keyIn({ error_key: 'payload-schema-error', error_message: 'x' })).toBe('payload-schema-error');
  });

  test('takes an unknown key with a message as a notification, without repeating it', () => {
    expect(keyIn({ error: 'call me at 555 0100', error_message: 'x' })).toBe('other');
  });

  test('leaves a form field named error alone', () => {
    expect(keyIn({ error: 'my shower is broken' })).toBeUndefined();
    expect(keyIn({ error: { code: 1 }, error_message: 'x' })).toBeUndefined();
  });
});
