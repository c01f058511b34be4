import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { toAppSecrets } from '../../src/http/signature.ts';
import { signToken } from '../../src/testing/wire.ts';
import { deferred, flush } from '../support/attempts.ts';
import { APP_SECRET, DEADLINE_MS, setUpDispatch as setUp } from '../support/dispatching.ts';

const json = {
  version: '7.3',
  data_api_version: '4.0',
  routing_model: { A: ['B'], B: ['C'], C: [] },
  screens: [{ id: 'A', data: { count: { type: 'number', __example__: 1 } } }, { id: 'B' }, { id: 'C' }],
};

describe('the reply guard', () => {
  test('is an error that names screen, key and rule, and no fallback hides it, in development', async () => {
    const { flow, send } = setUp({ json, guard: 'report' }, { replyGuard: 'error' });
    flow.init((c) => c.screen('A', { count: 'one' }));
    flow.fallback((c) => c.screen('A', { count: 0 }));
    await expect(send({ action: 'INIT', screen: undefined })).rejects.toMatchObject({
      code: 'REPLY_INVALID',
      message: 'the answer does not fit the Flow JSON: A, count: must be a number, is a string (type)',
    });
  });

  test('sends the answer all the same when it is to report, with a metric, and one line a minute', async () => {
    const { flow, send, lines, clock, metric } = setUp({ json }, { replyGuard: 'report' });
    flow.init((c) => c.screen('A', { count: 'one' }));
    const open = () => send({ action: 'INIT', screen: undefined });
    expect(await open()).toMatchObject({ screen: 'A', data: { count: 'one' } });
    await open();
    const told = () => lines.filter(({ code }) => code === 'REPLY_INVALID');
    expect(told()).toMatchObject([{ flow: 'demo', screen: 'A', key: 'count', rule: 'type' }]);
    clock.advance(60_000);
    await open();
    expect(told()).toHaveLength(2);
    expect(await metric('flowgate_reply_violations_total{flow="demo",screen="A",rule="type"}')).toBe(3);
  });

  test('names in production only the keys that the Flow JSON has: others may be made of what a user wrote', async () => {
    const slots = {
      type: 'array',
      items: { type: 'object', properties: { title: { type: 'string' } } },
      __example__: [],
    };
    const screens = [{ id: 'A', data: { slots } }, ...json.screens.slice(1)];
    const data = { slots: [{ title: 1 }, { '4915112345678': null }], 'Ada-Example': true };
    const keys = ['slots[0].title', 'slots[1].?', '?'];
    const { flow, send, lines } = setUp({ json: { ...json, screens } }, { replyGuard: 'report' });
    flow.on('A', (c) => c.screen('A', data as never));
    await send();
    expect(lines.map(({ key }) => key)).toEqual(keys);
    const { flow: strict, send: sendStrict } = setUp({ json: { ...json, screens }, guard: 'strict' });
    strict.on('A', (c) => c.screen('A', data as never));
    await expect(sendStrict()).rejects.toThrow(/slots\[0\]\.title: .+; A, slots\[1\]\.\?: .+; A, \?: /);
    const { flow: inTests, send: sendInTests } = setUp({ json: { ...json, screens } }, { replyGuard: 'error' });
    inTests.on('A', (c) => c.screen('A', data as never));
    await expect(sendInTests()).rejects.toThrow(/slots\[1\]\.4915112345678: .+; A, Ada-Example: /);
  });

  test('lets the fallback answer when it is strict, and checks that answer, too', async () => {
    const { flow, send } = setUp({ json, guard: 'strict' }, { replyGuard: 'report' });
    flow.init((c) => c.screen('C'));
    flow.fallback((c) => c.screen('A', { count: c.failure === 'failed' ? 0 : 'late' }));
    expect(await send({ action: 'INIT', screen: undefined })).toMatchObject({ screen: 'A', data: { count: 0 } });
    const { flow: other, send: sendOther } = setUp({ json, guard: 'strict' });
    other.init((c) => c.screen('C'));
    other.fallback((c) => c.screen('C'));
    await expect(sendOther({ action: 'INIT', screen: undefined })).rejects.toMatchObject({ code: 'REPLY_INVALID' });
  });

  test('looks at nothing when it is off, even in development', async () => {
    const { flow, send } = setUp({ json, guard: 'off' }, { replyGuard: 'error' });
    flow.on('A', (c) => c.screen('C', { surprise: true }));
    expect(await send()).toMatchObject({ screen: 'C' });
  });

  test('checks base data and the answer to a payload that does not fit its schema as well', async () => {
    const { flow, send } = setUp({ json }, { replyGuard: 'error' });
    flow.data('A', () => ({ count: 'wrong' as never }));
    flow.on('A', z.object({ n: z.number() }), (c) => c.screen('B'));
    await expect(send({ data: {} })).rejects.toMatchObject({ code: 'REPLY_INVALID' });
    expect(await send({ data: { n: 1 } })).toMatchObject({ screen: 'B' });
  });

  test('looks at what is sent where the data cannot be read twice', async () => {
    const slot = { type: 'object', properties: { title: { type: 'string' } }, __example__: {} };
    const screens = [{ id: 'A', data: { slot } }, ...json.screens.slice(1)];
    const { flow, send } = setUp({ json: { ...json, screens } }, { replyGuard: 'error' });
    const readOnce = (title: unknown) => {
      const titles = [title];
      return {
        get title() {
          if (titles.length === 0) throw new Error('read before');
          return titles.pop();
        },
      };
    };
    flow.init((c) => c.screen('A', { slot: readOnce('ten') } as never));
    expect(await send({ action: 'INIT', screen: undefined })).toMatchObject({ data: { slot: { title: 'ten' } } });
    flow.on('A', (c) => c.screen('A', { slot: readOnce(10) } as never));
    await expect(send()).rejects.toThrow('A, slot.title: must be a string, is a number (type)');
  });

  test('refuses more than a megabyte in a completion, and where no Flow JSON is known', async () => {
    const { flow, send } = setUp({}, { replyGuard: 'error' });
    flow.on('A', (c) => c.complete({ much: 'x'.repeat(1024 * 1024) }));
    flow.on('B', (c) => c.screen('A', { much: 'x'.repeat(1024 * 1024) }));
    await expect(send()).rejects.toThrow(/at most 1048576 bytes/);
    await expect(send({ screen: 'B' })).rejects.toThrow(/at most 1048576 bytes/);
  });
});

test('a Flow JSON whose routes cannot be told stops the start, and says where it is wrong', () => {
  const broken = { ...json, routing_model: { A: ['NOWHERE'] } };
  expect(() => setUp({ json: broken })).toThrow(/flow demo: routing_model: A has a route to NOWHERE/);
  expect(() => setUp({ json: 'text' as never })).toThrow(expect.objectContaining({ code: 'FLOW_JSON_INVALID' }));
});

describe('a flow token', () => {
  test('that was minted tells the user, to handlers and to the fallback', async () => {
    const { flow, send, deps } = setUp();
    flow.on('A', (c) => c.screen('B', { user: c.user ?? 'nobody' }));
    flow.on('B', () => Promise.reject(new Error('broken')));
    flow.fallback((c) => c.screen('B', { sorry: c.user ?? 'nobody' }));
    const token = await deps.facilities.tokens.mint({ flow: 'demo', user: 'ada' });
    expect(await send({ token })).toMatchObject({ data: { user: 'ada' } });
    expect(await send({ token, screen: 'B' })).toMatchObject({ data: { sorry: 'ada' } });
    expect(await send({ token: 'ada' })).toMatchObject({ data: { user: 'nobody' } });
  });

  test('that has expired, was revoked or was never minted answers 427 before any handler runs', async () => {
    const { flow, send, deps, clock, metric } = setUp();
    const handler = vi.fn((c) => c.screen('B'));
    flow.on('A', handler);
    const { tokens } = deps.facilities;
    const short = await tokens.mint({ flow: 'demo', user: 'ada', ttl: '10m' });
    const revoked = await tokens.mint({ flow: 'demo', user: 'ada' });
    await tokens.revoke(revoked);
    clock.advance(10 * 60_000);
    for (const token of [short, revoked, `demo:${'x'.repeat(32)}`]) {
      expect(await send({ token })).toEqual({ status: 427, error_msg: 'This form is no longer available.' });
    }
    expect(handler).not.toHaveBeenCalled();
    expect(await metric('flowgate_flow_token_refused_total{flow="demo",reason="unknown"}')).toBe(3);
  });

  test('must be a minted one where that is required', async () => {
    const { flow, send, deps } = setUp({ tokens: 'required' });
    flow.on('A', (c) => c.screen('B'));
    for (const token of [undefined, 'unused', 'token-1']) expect(await send({ token })).toMatchObject({ status: 427 });
    const token = await deps.facilities.tokens.mint({ flow: 'demo', user: 'ada' });
    expect(await send({ token })).toMatchObject({ status: 200 });
  });

  test('for one use is used up by the completion; the same submit again gets the same answer', async () => {
    const { flow, send, deps } = setUp();
    let orders = 0;
    flow.on('A', (c) => c.screen('B'));
    flow.on('B', (c) => c.complete({ order: ++orders }));
    const token = await deps.facilities.tokens.mint({ flow: 'demo', user: 'ada', singleUse: true });
    await send({ token });
    const done = await send({ token, screen: 'B', data: { size: 1 } });
    expect(await send({ token, screen: 'B', data: { size: 1 } })).toEqual(done);
    expect(await send({ token, screen: 'B', data: { size: 2 } })).toMatchObject({ status: 427 });
    expect(await send({ token })).toMatchObject({ status: 427 });
    expect(orders).toBe(1);
  });

  test('of another Flow is dead, and so is that of another tenant', async () => {
    const { flow, send, deps } = setUp({ tokens: 'required' });
    flow.on('A', (c) => c.screen('B', { tenant: c.tenant ?? 'ours' }));
    const { tokens } = deps.facilities;
    const [other, ours, acme] = await Promise.all(
      ['other', 'demo', 'demo@acme'].map((scope) => tokens.mint({ flow: scope, user: 'ada' })),
    );
    expect(await send({ token: other })).toMatchObject({ status: 427 });
    expect(await send({ token: acme })).toMatchObject({ status: 427 });
    expect(await send({ token: ours }, { name: 'acme' })).toMatchObject({ status: 427 });
    expect(await send({ token: acme }, { name: 'acme' })).toMatchObject({ data: { tenant: 'acme' } });
  });

  test('whose signature is not of our secret answers 427; one of a tenant is of the tenant', async () => {
    const { flow, send, metric } = setUp();
    flow.on('A', (c) => c.screen('B'));
    const signed = async (secret: string) => ({ tokenSignature: await signToken('token-1', secret) });
    expect(await send(await signed(APP_SECRET))).toMatchObject({ status: 200 });
    expect(await send(await signed('forged'))).toMatchObject({ status: 427 });
    expect(await metric('flowgate_flow_token_refused_total{flow="demo",reason="signature_forged"}')).toBe(1);
    const acme = { name: 'acme', appSecrets: toAppSecrets(['of acme']) };
    expect(await send(await signed('of acme'), acme)).toMatchObject({ status: 200 });
    expect(await send(await signed(APP_SECRET), acme)).toMatchObject({ status: 427 });
  });

  test('is taken whatever its signature says where that is off', async () => {
    const { flow, send, deps } = setUp({ tokenSignature: 'off', tokens: 'required' });
    flow.on('A', (c) => c.screen('B'));
    expect(await send({ tokenSignature: 'forged' })).toMatchObject({ status: 427 }); // not minted
    const token = await deps.facilities.tokens.mint({ flow: 'demo', user: 'ada' });
    expect(await send({ token, tokenSignature: 'forged' })).toMatchObject({ status: 200 });
  });

  test('must be signed where that is required', async () => {
    const { flow, send } = setUp({ tokenSignature: 'required' });
    flow.on('A', (c) => c.screen('B'));
    expect(await send()).toMatchObject({ status: 427 });
    expect(await send({ tokenSignature: await signToken('token-1', APP_SECRET) })).toMatchObject({ status: 200 });
  });

  test('cannot be looked up while the store is away: the fallback answers, and no handler runs', async () => {
    const { flow, send, deps, state, lines } = setUp();
    const handler = vi.fn((c) => c.screen('B'));
    flow.on('A', handler);
    flow.fallback((c) => c.screen('A', { sorry: true }));
    const token = await deps.facilities.tokens.mint({ flow: 'demo', user: 'ada' });
    state.failure = 'the store is away';
    expect(await send({ token })).toMatchObject({ data: { sorry: true } });
    expect(handler).not.toHaveBeenCalled();
    expect(lines).toContainEqual(expect.objectContaining({ code: 'STATE_UNAVAILABLE' }));
  });
});

describe('a submit that is handled once', () => {
  test('runs its handler once for the same token, screen and payload, and counts the others', async () => {
    const { flow, send, metric } = setUp();
    let runs = 0;
    flow.on('A', (c) => c.screen('B', { runs: ++runs }), { once: '10m' });
    const first = await send({ data: { a: 1, b: 2 } });
    expect(await send({ data: { b: 2, a: 1 } })).toEqual(first);
    expect(await send({ data: { a: 2, b: 2 } })).toMatchObject({ data: { runs: 2 } });
    expect(await send({ token: 'token-2', data: { a: 1, b: 2 } })).toMatchObject({ data: { runs: 3 } });
    expect(await metric('flowgate_submit_repeated_total{flow="demo",screen="A"}')).toBe(1);
  });

  test('runs again after the time, after c.error, and after a failure', async () => {
    const { flow, send, clock } = setUp();
    let runs = 0;
    flow.on('A', (c) => (++runs === 1 ? c.error('Taken') : c.screen('B', { runs })), { once: '10m' });
    flow.fallback((c) => c.screen('A'));
    await send();
    expect(await send()).toMatchObject({ data: { runs: 2 } });
    clock.advance(10 * 60_000);
    expect(await send()).toMatchObject({ data: { runs: 3 } });
    flow.on('B', () => (++runs === 4 ? Promise.reject(new Error('broken')) : flowAnswer()), { once: '10m' });
    const flowAnswer = () => Promise.reject(new Error('still broken'));
    await send({ screen: 'B' });
    await send({ screen: 'B' });
    expect(runs).toBe(5);
  });

  test('runs once though its handler is late, the fallback answers and the user retries', async () => {
    const { flow, send, deps, clock } = setUp({ tokens: 'required' });
    const booked = deferred<void>();
    const book = vi.fn(async () => booked.promise);
    flow.on(
      'A',
      async (c) => {
        await book();
        return c.complete({ booking: book.mock.calls.length });
      },
      { once: '10m' },
    );
    flow.fallback((c) => c.error(c.failure));
    const token = await deps.facilities.tokens.mint({ flow: 'demo', user: 'ada', singleUse: true });
    for (let tries = 0; tries < 2; tries++) {
      const answer = send({ token });
      await flush();
      clock.advance(DEADLINE_MS);
      expect(await answer).toMatchObject({ data: { error_message: 'late' } });
    }
    booked.resolve();
    await flush();
    const params = { booking: 1, flow_token: token };
    for (let tries = 0; tries < 2; tries++) {
      expect(await send({ token })).toMatchObject({ data: { extension_message_response: { params } } });
    }
    expect(book).toHaveBeenCalledOnce();
    expect(await send({ token, data: { another: true } })).toMatchObject({ status: 427 });
  });

  test('whose answer the guard refuses had its effect: it is not had again', async () => {
    const { flow, send } = setUp({ json, guard: 'strict' });
    let bookings = 0;
    flow.on('A', (c) => c.screen('C', { booking: ++bookings }), { once: '10m' });
    flow.fallback((c) => c.screen('A', { count: 0 }));
    await send();
    expect(await send()).toMatchObject({ screen: 'A', data: { count: 0 } });
    expect(bookings).toBe(1);
  });
});

describe('a session', () => {
  test('is kept between the screens of one token, and of no other', async () => {
    const { flow, send } = setUp();
    const counted = flow.session(z.object({ count: z.number() }));
    counted.on('A', async (c) => {
      const { count } = await c.session.update((kept) => ({ count: (kept?.count ?? 0) + 1 }));
      return c.screen('A', { count });
    });
    await send();
    expect(await send()).toMatchObject({ data: { count: 2 } });
    expect(await send({ token: 'token-2' })).toMatchObject({ data: { count: 1 } });
    expect(await send({}, { name: 'acme' })).toMatchObject({ data: { count: 1 } });
  });

  test('without a schema holds any object', async () => {
    const { flow, send } = setUp();
    flow.on('A', async (c) => {
      await c.session.set({ any: ['thing'] });
      return c.screen('B', { kept: ((await c.session.get()) ?? {}) as never });
    });
    expect(await send()).toMatchObject({ data: { kept: { any: ['thing'] } } });
  });

  test.each([
    ['does not fit its schema', { count: 'many' }, 'SESSION_INVALID'],
    ['is over 64 KiB', { count: 1, pad: 'x'.repeat(64 * 1024) }, 'SESSION_TOO_LARGE'],
  ])('that %s is an error with a code, logged without what it held', async (_, value, code) => {
    const { flow, send, lines } = setUp();
    flow.session(z.object({ count: z.number(), pad: z.string().optional() })).on('A', async (c) => {
      await c.session.set(value as never);
      return c.screen('B');
    });
    await expect(send()).rejects.toMatchObject({ code });
    expect(lines).toContainEqual(expect.objectContaining({ code, screen: 'A' }));
    expect(JSON.stringify(lines)).not.toMatch(/many|xxx/);
  });

  test('needs a token of its own', async () => {
    const { flow, send } = setUp();
    flow.on('A', async (c) => {
      await c.session.set({});
      return c.screen('B');
    });
    await expect(send({ token: 'unused' })).rejects.toMatchObject({ code: 'SESSION_INVALID' });
  });
});

test('files are not to be had after the handler has ended', async () => {
  const { flow, send } = setUp();
  let late: () => unknown = () => undefined;
  flow.on('A', (c) => {
    late = () => c.media('photos');
    return c.screen('B');
  });
  await send();
  expect(late).toThrow(expect.objectContaining({ code: 'MEDIA_UNAVAILABLE' }));
});

describe('a single-use token whose Flow the fallback completes', () => {
  const completing = (options = {}) => {
    const demo = setUp({ tokens: 'required', ...options });
    demo.flow.fallback((c) => c.complete({ by: 'fallback' }));
    return demo;
  };
  const mint = ({ deps }: ReturnType<typeof setUp>) =>
    deps.facilities.tokens.mint({ flow: 'demo', user: 'ada', singleUse: true });

  test('is used up, and the very same submit gets the same answer', async () => {
    const demo = completing();
    demo.flow.on('A', () => Promise.reject(new Error('broken')));
    const token = await mint(demo);
    const done = await demo.send({ token });
    expect(done).toMatchObject({ screen: 'SUCCESS' });
    expect(await demo.send({ token })).toEqual(done);
    expect(await demo.send({ token, data: { another: true } })).toMatchObject({ status: 427 });
  });

  test('is not completed a second time by the handler that was late', async () => {
    const demo = completing();
    const booked = deferred<void>();
    demo.flow.on('A', async (c) => {
      await booked.promise;
      return c.complete({ by: 'handler' });
    });
    const token = await mint(demo);
    const answer = demo.send({ token });
    await flush();
    demo.clock.advance(DEADLINE_MS);
    const done = await answer;
    booked.resolve();
    await flush();
    expect(await demo.send({ token })).toEqual(done);
  });

  test('answers 427 when another submit used it up meanwhile', async () => {
    const demo = completing();
    const broken = deferred<void>();
    demo.flow.on('A', async () => {
      await broken.promise;
      throw new Error('broken');
    });
    demo.flow.on('B', (c) => c.complete());
    const token = await mint(demo);
    const answer = demo.send({ token });
    await flush();
    await demo.send({ token, screen: 'B' });
    broken.resolve();
    expect(await answer).toMatchObject({ status: 427 });
  });
});
