import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { clockCheck, publicKeyCheck } from '../../src/doctor/meta-checks.ts';
import { findingOf } from '../support/doctor.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeGraph, GRAPH_TOKEN, PHONE_NUMBER_ID } from '../support/fake-graph.ts';
import { keyPair, makeKeyPair, toKeyRing } from '../support/keys.ts';
import { closedUrl, startAnswering } from '../support/proxy.ts';

const otherPair = makeKeyPair();
const [own, other] = [keyPair, otherPair].map((pair) => toKeyRing(pair)[0].fingerprint);

let graph: FakeGraph;
beforeEach(async () => {
  graph = await FakeGraph.start();
  graph.publicKey = keyPair.publicKey;
});
afterEach(() => graph[Symbol.asyncDispose]());
const env = () => ({ GRAPH_TOKEN, PHONE_NUMBER_ID, GRAPH_BASE_URL: graph.url, PRIVATE_KEY: keyPair.privateKey });

describe('the public key at Meta', () => {
  const look = async (more: Record<string, string> = {}) => {
    const { status, text } = await findingOf(publicKeyCheck, { env: { ...env(), ...more } });
    expect(text).not.toContain(GRAPH_TOKEN);
    return `${status}: ${text}`;
  };

  test('is one of ours, the newest or an older one', async () => {
    expect(await look()).toBe(`ok: VALID, ${own}, our newest`);
    const both = { PRIVATE_KEY: `${otherPair.privateKey}${keyPair.privateKey}` };
    expect(await look(both)).toBe(`ok: VALID, ${own}, an older one of ours, the newest is ${other}`);
  });

  test('is another, not valid, unreadable, or not there', async () => {
    expect(await look({ PRIVATE_KEY: otherPair.privateKey })).toBe(
      `failed: Meta has ${own}, which is none of the keys here, so phones are answered 421: upload ${other} with: flowgate keys upload (or is PHONE_NUMBER_ID another number?)`,
    );
    graph.keyStatus = 'MISMATCH';
    expect(await look()).toBe(
      `failed: Meta has ${own} as MISMATCH, not VALID: sign it anew with: flowgate keys upload`,
    );
    graph.publicKey = 'a key';
    expect(await look()).toContain('failed: the key that Meta has cannot be read: replace it with');
    graph.publicKey = undefined;
    expect(await look()).toContain('failed: Meta has no key for this number: upload one with');
  });

  test('is not asked for without what it takes', async () => {
    expect(await look({ GRAPH_TOKEN: '' })).toBe('skipped: set GRAPH_TOKEN and PHONE_NUMBER_ID');
    expect(await look({ PHONE_NUMBER_ID: '' })).toBe('skipped: set PHONE_NUMBER_ID');
    expect(await look({ PRIVATE_KEY: '' })).toBe('skipped: needs a private key to compare with');
  });

  test('cannot be read: the token, the number, the network, Meta', async () => {
    expect(await look({ GRAPH_TOKEN: 'EAAwrong' })).toMatch(
      /^failed: the Graph API refused .*HTTP 401, code 190.*: give GRAPH_TOKEN a system user's token with whatsapp_business_messaging$/,
    );
    expect(await look({ PHONE_NUMBER_ID: '1' })).toMatch(
      /mend PHONE_NUMBER_ID, or give the token access to that number$/,
    );
    expect(await look({ PHONE_NUMBER_ID: 'x' })).toMatch(/^failed: of GRAPH_TOKEN, PHONE_NUMBER_ID .*must be digits/);
    expect(await look({ GRAPH_BASE_URL: await closedUrl() })).toMatch(
      /could not be reached to read the public key: ECONNREFUSED: try again, and see metastatus.com$/,
    );
    graph.failNext(1, { status: 500, code: 2 });
    expect(await look()).toMatch(/HTTP 500.*try again, and see metastatus.com$/);
    graph.answerNext({ status: 302 });
    expect(await look()).toMatch(/HTTP 302: is GRAPH_BASE_URL right\?$/);
  });

  test('cannot be read when the Graph API hangs', async () => {
    graph.hangNext();
    const clock = new FakeClock();
    const looking = findingOf(publicKeyCheck, { env: env(), clock });
    await graph.calls.reached(1);
    clock.advance(10_000);
    expect(await looking).toEqual({ status: 'failed', text: 'the Graph API did not answer within 10 s: try again' });
  });
});

describe('the clock', () => {
  const NOW_MS = 1_900_000_000_400;
  const clockAt = (epochMs: number) => Object.assign(new FakeClock(), { epochMs: () => epochMs });
  const serverAt = (epochMs: number, headers = {}) =>
    startAnswering(200, { headers: { Date: new Date(epochMs).toUTCString(), ...headers } });

  test.each([
    [0, 'ok', /^agrees with 127\.0\.0\.1:\d+, as far as its Date header tells$/],
    [-12, 'ok', /^this machine is 12 s behind 127/],
    [29, 'ok', /^this machine is 29 s ahead of 127/],
    [31, 'failed', /^this machine is 31 s ahead of \S+: let NTP set its clock \(timedatectl set-ntp true\)$/],
    [-3_600, 'failed', /^this machine is 3600 s behind/],
  ])('%i s off is %s', async (offSeconds, status, text) => {
    await using server = await serverAt(NOW_MS);
    const clock = clockAt(NOW_MS + offSeconds * 1_000);
    const found = await findingOf(clockCheck, { url: server.url, clock });
    expect(found).toEqual({ status, text: expect.stringMatching(text) });
  });

  test("is compared with Meta's first, and an answer from a cache counts as old as it is", async () => {
    await using meta = await serverAt(NOW_MS - 60_000, { Age: '60' });
    await using own = await serverAt(NOW_MS - 60_000);
    const clock = clockAt(NOW_MS);
    const more = { GRAPH_TOKEN: 'x', GRAPH_BASE_URL: meta.url };
    expect((await findingOf(clockCheck, { env: more, url: own.url, clock })).text).toContain(
      `agrees with 127.0.0.1:${meta.port}`,
    );
    const away = { ...more, GRAPH_BASE_URL: await closedUrl() };
    expect((await findingOf(clockCheck, { env: away, url: own.url, clock })).status).toBe('failed');
  });

  test('has nothing to be compared with', async () => {
    expect(await findingOf(clockCheck)).toEqual({
      status: 'skipped',
      text: 'give --url, or set GRAPH_TOKEN, to have a clock to compare with',
    });
    const dateless = { send: () => Promise.resolve({ status: 200, headers: {}, body: '' }) };
    expect(await findingOf(clockCheck, { url: 'http://a.example', ...dateless })).toEqual({
      status: 'skipped',
      text: 'needs a clock to compare with: a.example tells no date',
    });
    const { text } = await findingOf(clockCheck, { url: await closedUrl() });
    expect(text).toMatch(/^needs a clock to compare with: nothing listens at/);
  });
});
