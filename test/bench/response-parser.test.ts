import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ResponseParser } from '../../bench/support/response-parser.ts';

const UWS = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello';

/** Feeds the bytes in these pieces. @returns after which piece the response was complete, counted from 1. */
function push(parser: ResponseParser, bytes: Buffer, cuts: readonly number[] = []): number {
  const edges = [
    0,
    ...new Set(cuts.filter((cut) => cut > 0 && cut < bytes.length).sort((a, b) => a - b)),
    bytes.length,
  ];
  for (let i = 1; i < edges.length; i++) {
    const chunk = Buffer.from(bytes.subarray(edges[i - 1], edges[i]));
    const isComplete = parser.push(chunk);
    if (i === edges.length - 1) return isComplete ? i : -1;
    chunk.fill('#'); // the socket reads the next piece into the same memory
    if (isComplete) return i;
  }
  return -1;
}

test.each([
  ['as uWebSockets.js sends it', UWS, 200, false, 'hello'],
  ['with a header in lower case', 'HTTP/1.1 421 Misdirected\r\ncontent-length: 2\r\n\r\nok', 421, false, 'ok'],
  ['without a body', 'HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n', 503, false, ''],
  ['that is the last one', 'HTTP/1.1 413 Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', 413, true, ''],
])('takes a response %s', (_, text, status, isLast, body) => {
  const parser = new ResponseParser();
  expect(parser.push(Buffer.from(text))).toBe(true);
  expect({ status: parser.status, isLast: parser.isLast, body: parser.body() }).toEqual({ status, isLast, body });
});

test('takes any responses, one after the other, however their bytes are cut', () => {
  const response = fc.record({
    status: fc.integer({ min: 200, max: 599 }),
    body: fc.base64String({ maxLength: 400 }),
    cuts: fc.array(fc.nat(600)),
  });
  fc.assert(
    fc.property(fc.array(response, { minLength: 1, maxLength: 4 }), (responses) => {
      const parser = new ResponseParser();
      for (const { status, body, cuts } of responses) {
        const bytes = Buffer.from(`HTTP/1.1 ${status} Text\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
        const pieces = new Set(cuts.filter((cut) => cut > 0 && cut < bytes.length)).size + 1;
        expect(push(parser, bytes, cuts)).toBe(pieces); // complete with the last piece, and not before
        expect({ status: parser.status, body: parser.body() }).toEqual({ status, body });
      }
    }),
  );
});

test.each([
  ['a body in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'not an answer of known length'],
  ['another protocol', 'SSH-2.0-OpenSSH\r\n\r\n', 'not an answer of known length'],
  ['two answers at once', UWS + UWS, 'more than one answer'],
  ['a head without end', 'HTTP/1.1 200 OK\r\nX: '.padEnd(20_000, 'x'), 'does not end'],
])('refuses %s', (_, text, reason) => {
  expect(() => new ResponseParser().push(Buffer.from(text))).toThrow(reason);
});
