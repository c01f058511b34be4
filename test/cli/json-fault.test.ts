import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findJsonFault } from '../../src/cli/json-fault.ts';

test.each([
  ['', 1, 1, 'a value'],
  ['  \n ', 2, 2, 'a value'],
  ['{', 1, 2, 'a key in double quotes or }'],
  ['[', 1, 2, 'a value'],
  ['{"a": 1,}', 1, 9, 'a key in double quotes'],
  ['[1,]', 1, 4, 'a value'],
  ['[1 2]', 1, 4, 'a comma or ]'],
  ['{"a": 1 "b": 2}', 1, 9, 'a comma or }'],
  ['{\n  "a": [\n    1\n    2\n  ]\n}', 4, 5, 'a comma or ]'],
  ['{"a" 1}', 1, 6, 'a colon'],
  ['{a: 1}', 1, 2, 'a key in double quotes or }'],
  ["{'a': 1}", 1, 2, 'a key in double quotes or }'],
  ['{"a": nope}', 1, 7, 'a value'],
  ['{"a": 01}', 1, 8, 'a comma or }'],
  ['{"a": 1.}', 1, 8, 'a comma or }'],
  ['{"a": .5}', 1, 7, 'a value'],
  ['{"a": "x}', 1, 10, 'the closing quote of a text'],
  ['{"a": "x\ny"}', 1, 9, 'the closing quote of a text'],
  ['{"a": "\\x"}', 1, 8, 'an escape that JSON knows'],
  ['{"a": "\\u12g4"}', 1, 8, 'an escape that JSON knows'],
  ['{"a": "\\', 1, 8, 'an escape that JSON knows'],
  ['{} {}', 1, 4, 'nothing more'],
  ['{"a": 1}\r\n// done', 2, 1, 'nothing more'],
  ['[1}', 1, 3, 'a comma or ]'],
  ['{"a": 1]', 1, 8, 'a comma or }'],
  ['[}', 1, 2, 'a value'],
])('%j stops being JSON at line %i, column %i: expected %s', (text, line, column, expected) => {
  expect(findJsonFault(text)).toEqual({ line, column, expected });
});

/** What `JSON.parse` says: undefined for JSON; else the position, where this version of Node tells it. */
function parseFault(text: string): { position: number | undefined } | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    const [, position] = / at position (\d+)/.exec((error as Error).message) ?? [];
    return { position: position === undefined ? undefined : Number(position) };
  }
}

function offsetOf(text: string, { line, column }: { line: number; column: number }): number {
  const before = text.split('\n').slice(0, line - 1);
  return before.join('').length + before.length + column - 1;
}

const json = fc.json().chain((text) => fc.constantFrom(text, JSON.stringify(JSON.parse(text), null, 2)));
const broken = fc
  .tuple(
    json,
    fc.nat(),
    fc.nat(3),
    fc.constantFrom('', ',', '"', '}', ']', '[', '{', ':', '\\', '\n', '0', '-', 'e', 't', '\u2028'),
  )
  .map(([text, at, cut, put]) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + put + text.slice(place + cut);
  });

test('finds nothing in JSON', () => {
  fc.assert(
    fc.property(json, (text) => {
      expect(findJsonFault(text)).toBeUndefined();
    }),
  );
});

test('finds a fault in every text that JSON.parse refuses, and in the same word', () => {
  const property = fc.property(fc.oneof(broken, fc.string()), (text) => {
    const [found, expected] = [findJsonFault(text), parseFault(text)];
    expect(found === undefined).toBe(expected === undefined);
    if (!found || expected?.position === undefined) return;
    const start = offsetOf(text, found);
    expect(start).toBeLessThanOrEqual(expected.position);
    expect(text.slice(start, expected.position)).toMatch(/^[\w\\.+-]*$/); // a word, number or escape is at fault as a whole
  });
  fc.assert(property, { numRuns: 2_000 });
});

test('a text of 10 MB is read, however deep or long', () => {
  const size = 10 * 1024 * 1024;
  expect(findJsonFault('['.repeat(size))).toMatchObject({ column: size + 1 });
  expect(findJsonFault(`["${'x'.repeat(size)}]`)).toMatchObject({ column: size + 4 });
  expect(findJsonFault(`[${'1'.repeat(size)}`)).toMatchObject({ column: size + 2 });
});
