import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatTraceparent, parseTraceparent } from '../../src/tracing/traceparent.ts';

const hex = (digits: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: digits, maxLength: digits });
const nonZero = (digits: number) => hex(digits).filter((id) => /[^0]/.test(id));

test('what is formatted can be parsed', () => {
  const spanContext = fc.record({ traceId: nonZero(32), spanId: nonZero(16), traceFlags: fc.constantFrom(0, 1) });
  fc.assert(
    fc.property(spanContext, (given) => {
      expect(parseTraceparent(formatTraceparent(given))).toEqual({ ...given, isRemote: true });
    }),
  );
});

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';

test.each([
  undefined,
  '',
  'x',
  `00-${TRACE_ID}-${SPAN_ID}`,
  `00-${TRACE_ID}-${SPAN_ID}-01-more`,
  `01-${TRACE_ID}-${SPAN_ID}-01`,
  `00-${TRACE_ID.toUpperCase()}-${SPAN_ID}-01`,
  `00-${'0'.repeat(32)}-${SPAN_ID}-01`,
  `00-${TRACE_ID}-${'0'.repeat(16)}-01`,
])('%j is no traceparent', (text) => {
  expect(parseTraceparent(text)).toBeUndefined();
});
