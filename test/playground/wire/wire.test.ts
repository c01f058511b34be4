import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/json.ts';
import type { ExchangeReport } from '../../../src/playground/api.ts';
import { fromBase64, toBase64 } from '../../../src/playground/web/wire/base64.ts';
import {
  DEADLINE_MS,
  RETRY_DELAY_MS,
  type Trace,
  type Transport,
  WireClient,
} from '../../../src/playground/web/wire/client.ts';
import { seal } from '../../../src/playground/web/wire/seal.ts';
import { currentPublicKey, open, retiredPublicKey } from '../support/fake-server.ts';

describe('base64', () => {
  test('goes there and back, at any length', () => {
    for (const length of [0, 1, 2, 3, 8_191, 8_192, 8_193, 20_000]) {
      const bytes = Uint8Array.from({ length }, (_, index) => (index * 7) % 256);
      expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
      expect(fromBase64(toBase64(bytes))).toEqual(bytes);
    }
  });

  test.each(['a', 'ab=', 'ab\n=', '"YQ=="', 'YQ==\n', 'Y-_=', '=YQ='])('%j is none', (text) => {
    expect(fromBase64(text)).toBeUndefined();
  });
});

describe('a sealed request', () => {
  test('opens with node:crypto, and so does its answer here', async () => {
    const sealed = await seal('{"a":"ä€😀"}', currentPublicKey);
    const opened = open(sealed.body);
    expect(opened?.request).toEqual({ a: 'ä€😀' });
    expect(await sealed.open(opened?.seal('{"screen":"Ä"}') ?? '')).toBe('{"screen":"Ä"}');
  });

  test('has a key and an IV of its own', async () => {
    const [a, b] = await Promise.all(
      ['{}', '{}'].map(async (text) => JSON.parse((await seal(text, currentPublicKey)).body)),
    );
    for (const name of ['encrypted_flow_data', 'encrypted_aes_key', 'initial_vector'])
      expect(a[name]).not.toBe(b[name]);
    expect(Buffer.from(a.initial_vector, 'base64')).toHaveLength(16);
    expect(Buffer.from(a.encrypted_aes_key, 'base64')).toHaveLength(256);
  });

  test('does not open an answer that was not sealed for it', async () => {
    const [one, other] = [await seal('{}', currentPublicKey), await seal('{}', currentPublicKey)];
    const answer = open(one.body)?.seal('{"screen":"A"}') ?? '';
    await expect(other.open(answer)).rejects.toThrow('does not open');
    await expect(one.open(`"${answer}"`)).rejects.toThrow('bare base64');
    await expect(one.open('')).rejects.toThrow('bare base64');
    const first = answer.startsWith('A') ? 'B' : 'A';
    await expect(one.open(first + answer.slice(1))).rejects.toThrow('does not open');
  });
});

interface Scripted {
  readonly status: number;
  readonly payload?: unknown;
  readonly body?: string;
}

/** A transport that answers by a script, and a clock that stands still but for pauses. */
function wire(script: readonly (Scripted | Error)[], holdBack?: Promise<void>) {
  const keys: boolean[] = [];
  const keysOf: string[] = [];
  const requests: JsonObject[] = [];
  const pauses: number[] = [];
  const waiting = new Map<number, () => void>();
  const next = script[Symbol.iterator]();
  const transport: Transport = {
    publicKey: async (flow, isRetired) => {
      keys.push(isRetired);
      keysOf.push(flow);
      return isRetired ? retiredPublicKey : currentPublicKey;
    },
    exchange: async (_flow, envelope) => {
      const opened = open(envelope);
      const base = { contentType: null, tookMs: 1, requestBytes: 1, responseBytes: 1, stages: [] };
      if (!opened) return { ...base, status: 421, body: '' } satisfies ExchangeReport;
      requests.push(opened.request);
      await holdBack;
      const { value: answer = { status: 200 } } = next.next();
      if (answer instanceof Error) throw answer;
      const body = answer.body ?? ('payload' in answer ? opened.seal(JSON.stringify(answer.payload)) : '');
      return { ...base, status: answer.status, body } satisfies ExchangeReport;
    },
  };
  const timing = {
    now: () => 0,
    pause: (ms: number) => {
      pauses.push(ms);
      return ms === DEADLINE_MS ? new Promise<void>((resolve) => waiting.set(ms, resolve)) : Promise.resolve();
    },
  };
  const traces: Trace[] = [];
  const client = new WireClient(transport, timing);
  const send = (conditions = {}, flow = 'booking') =>
    client.send(flow, { a: 1 }, { delayMs: 0, isDown: false, ...conditions }, (trace) => traces.push(trace));
  return { client, send, keys, keysOf, requests, pauses, traces, passDeadline: () => waiting.get(DEADLINE_MS)?.() };
}

describe('a request', () => {
  test('that is answered brings what the answer opens to', async () => {
    const { send, traces, requests } = wire([{ status: 200, payload: { screen: 'A' } }]);
    expect(await send()).toEqual({ kind: 'answer', payload: { screen: 'A' } });
    expect(requests).toEqual([{ a: 1 }]);
    expect(traces.at(-1)).toMatchObject({ answer: { screen: 'A' }, ending: 'answered', isLate: false });
  });

  test('is sealed for the business that its Flow belongs to, whose key is fetched once', async () => {
    const { send, keysOf } = wire(Array.from({ length: 4 }, () => ({ status: 200, payload: { screen: 'A' } })));
    for (const flow of ['booking', 'survey', 'booking', 'survey']) await send({}, flow);
    expect(keysOf).toEqual(['booking', 'survey']);
  });

  test('with an old key is sent again with the new one, after 500 ms', async () => {
    const { client, send, keys, pauses, traces } = wire([{ status: 200, payload: { screen: 'A' } }]);
    client.rotateKey(true);
    expect(await send()).toMatchObject({ kind: 'answer' });
    expect(keys).toEqual([true, false]);
    expect(pauses).toContain(RETRY_DELAY_MS);
    expect(traces.at(-1)?.attempts.map(({ status }) => status)).toEqual([421, 200]);
    expect(client.hasRetiredKey).toBe(false);
  });

  test('is sent again once, and no more', async () => {
    const { send, requests } = wire([{ status: 421 }, { status: 421 }, { status: 200 }]);
    expect(await send()).toMatchObject({ kind: 'failed', reason: expect.stringContaining('421') });
    expect(requests).toHaveLength(2);
  });

  test.each([
    [
      { status: 427, payload: { error_msg: 'Booked already' } },
      { kind: 'expired', text: 'Booked already' },
    ],
    [{ status: 427 }, { kind: 'expired', text: 'This message is no longer valid.' }],
    [
      { status: 427, payload: {} },
      { kind: 'expired', text: 'This message is no longer valid.' },
    ],
    [
      { status: 427, body: '{"error_msg":"plain"}' },
      { kind: 'unreadable', reason: 'the answer is not bare base64' },
    ],
    [{ status: 432 }, { kind: 'failed', reason: 'The endpoint did not accept the signature (432).' }],
    [{ status: 500 }, { kind: 'failed', reason: 'The endpoint answered 500.' }],
    [{ status: 0 }, { kind: 'failed', reason: 'The endpoint could not be reached.' }],
    [{ status: 200 }, { kind: 'unreadable', reason: 'the answer is not bare base64' }],
    [
      { status: 200, body: 'AAAA' },
      { kind: 'unreadable', reason: expect.stringContaining('inverted IV') },
    ],
    [new Error('The server is gone.'), { kind: 'failed', reason: 'The server is gone.' }],
  ])('answered with %j ends as %j', async (answer, outcome) => {
    expect(await wire([answer]).send()).toEqual(outcome);
  });

  test('is given up after 10 s, and what comes later is only noted', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { send, traces, passDeadline } = wire([{ status: 200, payload: { screen: 'A' } }], held);
    const outcome = send();
    passDeadline();
    expect(await outcome).toEqual({ kind: 'failed', reason: 'No answer within 10 s.' });
    expect(traces).toEqual([]);
    release();
    await expect.poll(() => traces.at(-1)).toMatchObject({ answer: { screen: 'A' }, isLate: true });
  });

  test('under the switches waits, or reaches nobody', async () => {
    const slow = wire([{ status: 200, payload: {} }]);
    await slow.send({ delayMs: 2_000 });
    expect(slow.pauses).toEqual([DEADLINE_MS, 2_000]);
    expect(slow.traces[0]?.attempts[0]?.addedMs).toBe(2_000);
    const down = wire([]);
    expect(await down.send({ isDown: true })).toEqual({ kind: 'failed', reason: 'The endpoint could not be reached.' });
    expect(down.requests).toEqual([]);
  });

  test('keeps its key for the next one', async () => {
    const { send, keys } = wire([
      { status: 200, payload: {} },
      { status: 200, payload: {} },
    ]);
    await send();
    await send();
    expect(keys).toEqual([false]);
  });
});
