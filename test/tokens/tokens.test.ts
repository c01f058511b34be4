import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { type LiveToken, type MintOptions, type TokenRequest, Tokens } from '../../src/tokens/tokens.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { MemoryState } from '../support/memory-state.ts';
import { HookedState } from '../support/state-hooks.ts';

const DAY_MS = 24 * 60 * 60_000;
const KIB_64 = 64 * 1024;

let clock: FakeClock;
let memory: MemoryState;
let state: HookedState;
let tokens: Tokens;

beforeEach(() => {
  clock = new FakeClock();
  memory = new MemoryState(clock);
  state = new HookedState(memory);
  tokens = new Tokens({ state, randomBytes });
});

const mint = (options: Partial<MintOptions> = {}) => tokens.mint({ user: 'ada', flow: 'booking', ...options });

function submit(token: string | undefined, data: TokenRequest['data'] = { slot: '10:00', guests: 2 }): TokenRequest {
  return { action: 'data_exchange', screen: 'CONFIRM', data, token };
}

const check = (request: TokenRequest) => tokens.check('booking', request, 'optional');

async function liveToken(request: TokenRequest): Promise<LiveToken> {
  const verdict = await check(request);
  if (verdict.state !== 'live') throw new Error(`the token is ${verdict.state}`);
  return verdict.token;
}

/** What the dispatcher does when a handler completes. */
const complete = async (request: TokenRequest, text: string) => tokens.use(await liveToken(request), request, text);

describe('mint', () => {
  test('makes the name of the Flow, a colon and 32 characters of base64url', async () => {
    expect(await mint()).toMatch(/^booking:[A-Za-z0-9_-]{32}$/);
  });

  test('takes 24 bytes of the randomness it is given', async () => {
    const bytes = Buffer.from(Array.from({ length: 24 }, (_, i) => 255 - i));
    const random = vi.fn((_size: number) => bytes);
    tokens = new Tokens({ state, randomBytes: random });
    expect(await mint()).toBe(`booking:${bytes.toString('base64url')}`);
    expect(random.mock.calls).toEqual([[24]]);
  });

  test('refuses a token that is there already, instead of giving it another user', async () => {
    tokens = new Tokens({ state, randomBytes: (size) => Buffer.alloc(size) });
    const token = await mint();
    await expect(mint({ user: 'eve' })).rejects.toThrow(TypeError);
    expect(await tokens.verify('booking', token)).toEqual({ user: 'ada' });
  });

  test('keeps the token nowhere in the clear', async () => {
    const token = await mint();
    const [key = ''] = memory.keys;
    expect(key).toMatch(/^token:[A-Za-z0-9_-]{43}$/);
    expect((await memory.get(key))?.value).not.toContain(token.slice('booking:'.length));
  });

  test.each<[string, Partial<MintOptions>]>([
    ['an empty user', { user: '' }],
    ['a user of 257 characters', { user: 'x'.repeat(257) }],
    ['a user that is no text', { user: 7 as never }],
    ['no Flow', { flow: '' }],
    ['a Flow that is no text', { flow: undefined as never }],
    ['31 days', { ttl: '31d' }],
    ['no time', { ttl: '0s' }],
    ['a time that is none', { ttl: 'soon' as never }],
    ['singleUse that is no boolean', { singleUse: 'yes' as never }],
  ])('rejects with a TypeError for %s, and keeps nothing', async (_, options) => {
    await expect(mint(options)).rejects.toThrow(TypeError);
    expect(memory.keys).toEqual([]);
  });

  test.each(['x', 'x'.repeat(256), '"\\\n\0', '__proto__', '\ud800', 'ä 😀'])(
    'user %j comes back as it was given',
    async (user) => {
      expect(await tokens.verify('booking', await mint({ user }))).toEqual({ user });
    },
  );

  test('passes STATE_UNAVAILABLE on', async () => {
    memory.failure = 'away';
    await expect(mint()).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
  });
});

describe('verify', () => {
  test.each<[string, MintOptions['ttl'], number]>([
    ['3 days unless told', undefined, 3 * DAY_MS],
    ['30 days at most', '30d', 30 * DAY_MS],
    ['as long as told', '90s', 90_000],
  ])('knows the user for %s', async (_, ttl, ttlMs) => {
    const token = await mint(ttl === undefined ? {} : { ttl });
    clock.advance(ttlMs - 1);
    expect(await tokens.verify('booking', token)).toEqual({ user: 'ada' });
    clock.advance(1);
    expect(await tokens.verify('booking', token)).toBeUndefined();
  });

  test('does not know a token of another Flow, nor under another name', async () => {
    const token = await mint();
    expect(await tokens.verify('survey', token)).toBeUndefined();
    expect(await tokens.verify('survey', token.replace('booking', 'survey'))).toBeUndefined();
  });

  test('asks the store for nothing that does not look minted for this Flow', async () => {
    const token = await mint();
    state.calls.length = 0;
    const odd = [undefined, '', 'unused', 'booking:', `${token}x`, token.slice(0, -1), ` ${token}`, `${token}\n`];
    for (const one of [...odd, token.replace(':', '::'), token.toUpperCase(), `x${token}`, `${token.slice(0, -1)}=`]) {
      expect(await tokens.verify('booking', one)).toBeUndefined();
    }
    expect(state.calls).toEqual([]);
  });

  test.each(['no JSON', 'null', '[]', '{}', '{"user":7}'])(
    'a record %s, which is not ours, is no token',
    async (value) => {
      const token = await mint();
      const [key = ''] = memory.keys;
      await memory.put(key, { value, ttlMs: 1_000 });
      expect(await tokens.verify('booking', token)).toBeUndefined();
      expect(await check(submit(token))).toEqual({ state: 'dead', reason: 'unknown' });
    },
  );
});

describe('check', () => {
  const strangers = ['my-own-token', 'survey:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'booking:8f3a', 'booking'];

  test('a token that does not look minted for this Flow passes unverified, without a question to the store', async () => {
    for (const token of [undefined, 'unused', ...strangers]) {
      expect(await check(submit(token))).toEqual({ state: 'unverified' });
    }
    expect(state.calls).toEqual([]);
  });

  test('is dead where tokens are required: missing, or not minted', async () => {
    for (const token of [undefined, 'unused']) {
      expect(await tokens.check('booking', submit(token), 'required')).toEqual({ state: 'dead', reason: 'missing' });
    }
    for (const token of strangers) {
      expect(await tokens.check('booking', submit(token), 'required')).toEqual({ state: 'dead', reason: 'not_minted' });
    }
  });

  test.each(['optional', 'required'] as const)(
    'one that looks minted and is not is dead, tokens being %s',
    async (mode) => {
      const token = `booking:${'A'.repeat(32)}`;
      expect(await tokens.check('booking', submit(token), mode)).toEqual({ state: 'dead', reason: 'unknown' });
    },
  );

  test('a living one tells its user, at the cost of one read', async () => {
    const token = await mint({ singleUse: true });
    state.calls.length = 0;
    expect(await check(submit(token))).toMatchObject({ state: 'live', token: { user: 'ada', singleUse: true } });
    expect(state.calls).toEqual(['get']);
  });

  test('passes STATE_UNAVAILABLE on: nobody is let in, and no token is dead, for a store that is away', async () => {
    const token = await mint();
    memory.failure = 'away';
    await expect(check(submit(token))).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
  });
});

describe('revoke', () => {
  test('kills a token, once', async () => {
    const token = await mint();
    expect(await tokens.revoke(token)).toBe(true);
    expect(await tokens.verify('booking', token)).toBeUndefined();
    expect(await tokens.revoke(token)).toBe(false);
  });

  test.each(['', 'unused', 'booking:', ':', 'a:b:c'])('knows no token %j', async (token) => {
    expect(await tokens.revoke(token)).toBe(false);
    expect(state.calls).toEqual([]);
  });

  test('before a completion is recorded, wins: the completion is dead', async () => {
    const request = submit(await mint({ singleUse: true }));
    const live = await liveToken(request);
    await tokens.revoke(request.token ?? '');
    expect(await tokens.use(live, request, 'done')).toBeUndefined();
    expect(await check(request)).toEqual({ state: 'dead', reason: 'unknown' });
  });
});

describe('use', () => {
  test('uses the token up: every other request with it is dead', async () => {
    const request = submit(await mint({ singleUse: true }));
    expect(await complete(request, 'done')).toBe('done');
    expect(await tokens.verify('booking', request.token)).toBeUndefined();
    const others: TokenRequest[] = [
      { ...request, action: 'INIT', screen: undefined, data: {} },
      { ...request, action: 'BACK' },
      { ...request, screen: 'OTHER' },
      { ...request, screen: undefined },
      { ...request, data: { slot: '10:00', guests: 3 } },
      { ...request, data: { slot: '10:00' } },
    ];
    for (const other of others) expect(await check(other)).toEqual({ state: 'dead', reason: 'used' });
  });

  test('the very same submit gets the very same answer again, whatever the order of its keys', async () => {
    const token = await mint({ singleUse: true });
    const nested = { a: [{ x: 1, y: 2 }], __proto: 1, b: null };
    await complete(submit(token, nested), '{"screen":"SUCCESS"}');
    const again = submit(token, { b: null, __proto: 1, a: [{ y: 2, x: 1 }] });
    expect(await check(again)).toEqual({ state: 'answered', user: 'ada', text: '{"screen":"SUCCESS"}' });
    expect(await check(submit(token, { ...nested, a: [{ x: 2, y: 1 }] }))).toMatchObject({ state: 'dead' });
  });

  test('keeps the answer for a day; then the token is as dead as before', async () => {
    const request = submit(await mint({ singleUse: true, ttl: '1m' }));
    await complete(request, 'done');
    clock.advance(DAY_MS - 1);
    expect(await check(request)).toMatchObject({ state: 'answered' });
    clock.advance(1);
    expect(await check(request)).toEqual({ state: 'dead', reason: 'unknown' });
  });

  test('keeps an answer of 64 KiB, in bytes; after a larger one even the same submit is dead', async () => {
    for (const [text, verdict] of [
      ['ä'.repeat(KIB_64 / 2), 'answered'],
      [`${'ä'.repeat(KIB_64 / 2)}x`, 'dead'],
    ] as const) {
      const request = submit(await mint({ singleUse: true }));
      expect(await complete(request, text)).toBe(text);
      expect(await check(request)).toMatchObject({ state: verdict });
    }
  });

  test('a token that expires while its handler runs is dead at the end', async () => {
    const request = submit(await mint({ singleUse: true, ttl: '1s' }));
    const live = await liveToken(request);
    clock.advance(1_000);
    expect(await tokens.use(live, request, 'done')).toBeUndefined();
  });

  test('of two different submits at the same time one is answered', async () => {
    const token = await mint({ singleUse: true });
    const requests = [submit(token, { n: 1 }), submit(token, { n: 2 })];
    const answers = await Promise.all(requests.map((request, i) => complete(request, `done ${i}`)));
    expect(answers).toEqual(['done 0', undefined]);
  });

  test('the same submit twice at the same time gets one answer', async () => {
    const request = submit(await mint({ singleUse: true }));
    const answers = await Promise.all(['first', 'second'].map((text) => complete(request, text)));
    expect(answers).toEqual(['first', 'first']);
  });

  test('a write whose end nobody heard is found again by the retry', async () => {
    const request = submit(await mint({ singleUse: true }));
    const live = await liveToken(request);
    state.after = () => {
      throw new Error('the answer of the store is lost');
    };
    await expect(tokens.use(live, request, 'done')).rejects.toThrow('lost');
    state.after = () => {};
    expect(await check(request)).toMatchObject({ state: 'answered', text: 'done' });
  });

  test('one submit completes, and every answer is its own, under any interleaving of requests, retries and a revocation', async () => {
    const step = fc.record({ n: fc.integer({ min: 1, max: 3 }), isCompleting: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(step, { minLength: 1, maxLength: 8 }),
        fc.boolean(),
        async (scheduler, steps, isRevoked) => {
          state.before = () => {};
          const token = await mint({ singleUse: true });
          state.before = (call) => scheduler.schedule(Promise.resolve(), call);
          const completions: { n: number; text: string }[] = [];
          const request = async ({ n, isCompleting }: (typeof steps)[number], i: number) => {
            const sent = submit(token, { n });
            const verdict = await check(sent);
            if (verdict.state === 'answered') completions.push({ n, text: verdict.text });
            if (verdict.state !== 'live' || !isCompleting) return;
            const text = await tokens.use(verdict.token, sent, `answer ${i} to ${n}`);
            if (text !== undefined) completions.push({ n, text });
          };
          const all = Promise.all([...steps.map(request), isRevoked && tokens.revoke(token)]);
          await scheduler.waitFor(all);
          expect(new Set(completions.map(({ text }) => text)).size).toBeLessThanOrEqual(1);
          for (const { n, text } of completions) expect(text).toMatch(new RegExp(` to ${n}$`));
          if (!isRevoked && steps.some(({ isCompleting }) => isCompleting))
            expect(completions.length).toBeGreaterThan(0);
          state.before = () => {};
          if (isRevoked || completions.length > 0) expect(await tokens.verify('booking', token)).toBeUndefined();
          else expect(await tokens.verify('booking', token)).toEqual({ user: 'ada' });
        },
      ),
      { numRuns: 300 },
    );
  });
});
