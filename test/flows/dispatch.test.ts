import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import type { FlowOptions } from '../../src/flows/flow.ts';
import { Media } from '../../src/media/media.ts';
import type { MediaFile } from '../../src/media/scope.ts';
import { deferred, flush } from '../support/attempts.ts';
import { DEADLINE_MS, setUpDispatch as setUp } from '../support/dispatching.ts';
import { FakeCdn } from '../support/fake-cdn.ts';

const json = {
  version: '7.3',
  routing_model: { A: ['B'], B: [] },
  screens: [
    { id: 'A', data: { list: { type: 'array' }, error_messages: { type: 'object' } } },
    { id: 'B', data: {} },
  ],
};

test('routes INIT, BACK and data_exchange to their handlers, by screen', async () => {
  const { flow, send } = setUp();
  flow.init((c) => c.screen('A', { from: 'init' }));
  flow.on('A', (c) => c.screen('B', { from: 'on A' }));
  flow.on('B', (c) => c.screen('A', { from: 'on B' }));
  flow.back('B', (c) => c.screen('A', { from: 'back B' }));
  expect(await send({ action: 'INIT', screen: undefined })).toEqual({
    status: 200,
    screen: 'A',
    data: { from: 'init' },
  });
  expect(await send()).toMatchObject({ data: { from: 'on A' } });
  expect(await send({ screen: 'B' })).toMatchObject({ data: { from: 'on B' } });
  expect(await send({ action: 'BACK', screen: 'B' })).toMatchObject({ data: { from: 'back B' } });
});

test('gives the handler what was decrypted', async () => {
  const { flow, send, clock } = setUp();
  const seen = vi.fn();
  flow.on('A', (c) => {
    const { flow: name, action, currentScreen, data, token, version, deadline, signal } = c;
    seen({
      name,
      action,
      currentScreen,
      data,
      token,
      version,
      remainingMs: deadline.remainingMs(),
      atEpochMs: deadline.atEpochMs,
      aborted: signal.aborted,
    });
    return c.screen('A');
  });
  await send({ data: { guests: 2 } });
  expect(seen).toHaveBeenCalledWith({
    name: 'demo',
    action: 'data_exchange',
    currentScreen: 'A',
    data: { guests: 2 },
    token: 'token-1',
    version: '4.0',
    remainingMs: DEADLINE_MS,
    atEpochMs: clock.epochMs() + DEADLINE_MS,
    aborted: false,
  });
});

test('c.complete adds the flow token, or "unused" when the client sent none', async () => {
  const { flow, send } = setUp();
  flow.on('A', (c) => c.complete({ id: 7 }));
  const params = (flow_token: string) => ({ extension_message_response: { params: { id: 7, flow_token } } });
  expect(await send()).toEqual({ status: 200, screen: 'SUCCESS', data: params('token-1') });
  expect(await send({ token: undefined })).toMatchObject({ data: params('unused') });
});

test('c.error shows the current screen with the message, over the data of the screen', async () => {
  const { flow, send } = setUp();
  flow.data('A', () => ({ list: ['x'], hint: 'base' }));
  flow.on('A', (c) => c.error('Full', { hint: 'own' }));
  expect(await send()).toEqual({ status: 200, screen: 'A', data: { list: ['x'], hint: 'own', error_message: 'Full' } });
});

test('c.error on INIT shows the entry screen of the Flow JSON, and fails without one', async () => {
  const known = setUp({ json });
  known.flow.init((c) => c.error('Closed'));
  expect(await known.send({ action: 'INIT', screen: undefined })).toMatchObject({ screen: 'A' });
  const unknown = setUp();
  unknown.flow.init((c) => c.error('Closed'));
  await expect(unknown.send({ action: 'INIT', screen: undefined })).rejects.toMatchObject({ code: 'HANDLER_FAILED' });
});

test('c.expire answers 427 with the sentence for the user', async () => {
  const { flow, send } = setUp();
  flow.on('A', (c) => c.expire('Already ordered'));
  expect(await send()).toEqual({ status: 427, error_msg: 'Already ordered' });
});

test.each([
  ['a sentence', 'Already ordered', 'Already ordered'],
  ['false', false, 'This form is no longer available.'],
])('a token check that answers %s gives 427, and the handler does not run', async (_, verdict, sentence) => {
  const { flow, send } = setUp({ checkToken: async (token) => token !== 'token-1' || verdict });
  const handler = vi.fn((c) => c.screen('A'));
  flow.on('A', handler);
  expect(await send()).toEqual({ status: 427, error_msg: sentence });
  expect(handler).not.toHaveBeenCalled();
  expect(await send({ token: 'another' })).toMatchObject({ status: 200 });
});

const schema = z.object({ guests: z.number('Please give a number'), seat: z.object({ row: z.string('Which row?') }) });

test('hands a valid payload to the handler as the schema gives it', async () => {
  const { flow, send } = setUp();
  flow.on(
    'A',
    schema.transform(({ guests }) => guests * 2),
    (c, doubled) => c.screen('B', { doubled }),
  );
  expect(await send({ data: { guests: 2, seat: { row: 'F' } } })).toMatchObject({ data: { doubled: 4 } });
});

test('answers an invalid payload with the same screen, a sentence, and a message for each field', async () => {
  const { flow, send } = setUp();
  const handler = vi.fn((c) => c.screen('B'));
  flow.on('A', schema, handler).data('A', () => ({ list: ['x'] }));
  expect(await send({ data: { guests: 'two', seat: {} } })).toEqual({
    status: 200,
    screen: 'A',
    data: {
      list: ['x'],
      error_message: 'Guests: Please give a number. Seat.row: Which row?',
      error_messages: { guests: 'Please give a number', seat: 'Which row?' },
    },
  });
  expect(handler).not.toHaveBeenCalled();
});

test('leaves error_messages out where the Flow JSON does not declare them: the client would refuse the screen', async () => {
  const { flow, send } = setUp({ json });
  flow.on('A', schema, (c) => c.screen('B')).on('B', schema, (c) => c.screen('A'));
  expect(await send()).toHaveProperty('data.error_messages');
  expect(await send({ screen: 'B' })).toEqual({
    status: 200,
    screen: 'B',
    data: { error_message: expect.any(String) },
  });
});

test('waits for a schema that validates asynchronously', async () => {
  const { flow, send } = setUp();
  flow.on('A', z.object({ code: z.string().refine(async (code) => code === 'ok', 'Unknown code') }), (c) =>
    c.screen('B'),
  );
  expect(await send({ data: { code: 'no' } })).toMatchObject({
    screen: 'A',
    data: { error_message: 'Code: Unknown code' },
  });
  expect(await send({ data: { code: 'ok' } })).toMatchObject({ screen: 'B' });
});

test('a late handler is told by its signal and yields the fallback, which has a signal of its own', async () => {
  const { flow, send, clock } = setUp();
  let reason: unknown;
  flow.on('A', (c) => {
    c.signal.addEventListener('abort', () => {
      reason = c.signal.reason;
    });
    return new Promise(() => {});
  });
  flow.fallback((c) =>
    c.screen('A', { failure: c.failure, aborted: c.signal.aborted, remainingMs: c.deadline.remainingMs() }),
  );
  const answer = send();
  clock.advance(DEADLINE_MS - 1);
  expect(reason).toBeUndefined();
  clock.advance(1);
  expect(await answer).toEqual({
    status: 200,
    screen: 'A',
    data: { failure: 'late', aborted: false, remainingMs: 500 },
  });
  expect(reason).toMatchObject({ name: 'TimeoutError' });
});

test('a late handler without a fallback rejects with HANDLER_LATE, and may fail afterwards in peace', async () => {
  const { flow, send, clock } = setUp();
  let failLater = (_: Error) => {};
  flow.on('A', () => {
    return new Promise((_, reject) => {
      failLater = reject;
    });
  });
  const answer = send();
  clock.advance(DEADLINE_MS);
  await expect(answer).rejects.toMatchObject({ code: 'HANDLER_LATE' });
  failLater(new Error('nobody listens')); // vitest fails the run on an unhandled rejection
  await Promise.resolve();
});

test('a handler that asks for its signal only after the deadline finds it aborted', async () => {
  const { flow, send, clock } = setUp();
  let resume = () => {};
  const aborted = new Promise((resolve) => {
    flow.on('A', async (c) => {
      await new Promise<void>((wake) => {
        resume = wake;
      });
      resolve(c.signal.aborted);
      return c.screen('A');
    });
  });
  const answer = send();
  clock.advance(DEADLINE_MS);
  await expect(answer).rejects.toMatchObject({ code: 'HANDLER_LATE' });
  resume();
  expect(await aborted).toBe(true);
});

test('the signal fires when the client leaves', async () => {
  const { flow, send, leave } = setUp();
  const reason = new Promise((resolve) => {
    flow.on('A', (c) => new Promise(() => c.signal.addEventListener('abort', () => resolve(c.signal.reason))));
  });
  void send();
  leave();
  expect(await reason).toMatchObject({ name: 'AbortError' });
});

test('leaves no timer behind once the answer is there', async () => {
  const { flow, send, clock } = setUp();
  flow.on('A', async (c) => c.screen('A'));
  await send();
  expect(clock.pending).toBe(0);
});

test.each([
  ['throws', () => { throw new Error('card 4111 1111'); }], // biome-ignore format: a case a line
  ['rejects', () => Promise.reject(new Error('card 4111 1111'))],
  ['returns nothing', () => undefined],
  ['returns an object of its own', () => ({ screen: 'A', data: {} })],
])(
  'a handler that %s yields the fallback, or HANDLER_FAILED, and its message stays out of the log',
  async (_, handler) => {
    const { flow, send, lines } = setUp();
    flow.on('A', handler as never);
    await expect(send()).rejects.toMatchObject({ code: 'HANDLER_FAILED' });
    expect(lines).toEqual([
      expect.objectContaining({
        code: 'HANDLER_FAILED',
        flow: 'demo',
        screen: 'A',
        stack: expect.stringContaining('Error'),
      }),
    ]);
    expect(JSON.stringify(lines)).not.toContain('4111');
    flow.fallback((c) => c.error('Sorry'));
    expect(await send()).toMatchObject({ status: 200, screen: 'A', data: { error_message: 'Sorry' } });
  },
);

test('logs the message of a throwing handler when settings ask for it', async () => {
  const { flow, send, lines } = setUp({}, { logErrorMessages: true });
  flow.on('A', () => {
    throw new Error('no such table');
  });
  await expect(send()).rejects.toThrow();
  expect(lines[0]).toMatchObject({ thrown: 'no such table' });
});

test('a missing handler says which one to add, and goes to the fallback too', async () => {
  const { flow, send, lines } = setUp();
  await expect(send({ screen: 'B' })).rejects.toMatchObject({ code: 'HANDLER_MISSING' });
  expect(lines[0]?.['msg']).toContain(".on('B', handler)");
  flow.fallback((c) => c.error('Sorry'));
  expect(await send({ screen: 'B' })).toMatchObject({ screen: 'B', data: { error_message: 'Sorry' } });
});

test('an action that Meta does not document reaches no handler and no fallback', async () => {
  const { flow, send } = setUp();
  flow.on('A', (c) => c.screen('A')).fallback((c) => c.error('Sorry'));
  await expect(send({ action: 'navigate' })).rejects.toMatchObject({ code: 'PAYLOAD_MALFORMED' });
});

test('a fallback that fails or is late leaves the first failure standing', async () => {
  const { flow, send, clock } = setUp();
  flow.on('A', () => Promise.reject(new Error('first')));
  const entered = new Promise<void>((resolve) => {
    flow.fallback(() => {
      resolve();
      return new Promise(() => {});
    });
  });
  const settled = expect(send()).rejects.toMatchObject({ code: 'HANDLER_FAILED' });
  await entered;
  clock.advance(500);
  await settled;
});

test('data that fails to load is a failure of the handler', async () => {
  const { flow, send } = setUp();
  flow.on('A', (c) => c.screen('B')).data('B', () => Promise.reject(new Error('database down')));
  await expect(send()).rejects.toMatchObject({ code: 'HANDLER_FAILED' });
});

test('a handler that gives up because its client left is no failure, and calls no fallback', async () => {
  const { flow, send, leave, lines } = setUp();
  const fallback = vi.fn((c) => c.error('Sorry'));
  flow.on('A', (c) => {
    return new Promise((_, reject) => {
      c.signal.addEventListener('abort', () => reject(c.signal.reason as Error));
    });
  });
  flow.fallback(fallback);
  const answer = send();
  leave();
  await expect(answer).rejects.toMatchObject({ code: 'CLIENT_GONE' });
  expect(fallback).not.toHaveBeenCalled();
  expect(lines).toEqual([]);
});

describe('a handler that nobody waits for any more is not begun', () => {
  const schema = (isChecked: Promise<unknown>) => ({
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value: unknown) => isChecked.then(() => ({ value })),
    } as const,
  });

  test.each(['checkToken', 'the schema'])('when %s took longer than the deadline', async (which) => {
    const checked = deferred<boolean>();
    const { flow, send, clock } = setUp(which === 'checkToken' ? { checkToken: () => checked.promise } : {});
    const handler = vi.fn((c) => c.screen('B'));
    if (which === 'checkToken') flow.on('A', handler);
    else flow.on('A', schema(checked.promise), handler);
    flow.fallback((c) => c.error(c.failure));
    const answer = send();
    await flush();
    clock.advance(DEADLINE_MS);
    expect(await answer).toMatchObject({ data: { error_message: 'late' } });
    checked.resolve(true);
    await flush();
    expect(handler).not.toHaveBeenCalled();
  });

  test('when its client left before; the same submit, sent again, runs it', async () => {
    const checked = deferred<boolean>();
    const { flow, send, leave } = setUp({ checkToken: () => checked.promise });
    const handler = vi.fn((c) => c.screen('B'));
    flow.on('A', handler, { once: '10m' });
    const answer = send();
    await flush();
    leave();
    checked.resolve(true);
    await expect(answer).rejects.toMatchObject({ code: 'CLIENT_GONE' });
    expect(handler).not.toHaveBeenCalled();
    expect(await send()).toMatchObject({ screen: 'B' });
  });
});

describe('files', () => {
  /** A Flow whose downloads come from a CDN of the test's own. */
  async function setUpFiles(cdn: FakeCdn) {
    const { deps } = setUp();
    const media = new Media({ hosts: [cdn.origin] });
    return setUp({}, { facilities: { ...deps.facilities, media } });
  }

  test('that a fallback downloaded are gone with it', async () => {
    await using cdn = await FakeCdn.start();
    const { flow, send } = await setUpFiles(cdn);
    const downloads: Awaited<ReturnType<MediaFile['download']>>[] = [];
    flow.on('A', () => Promise.reject(new Error('broken')));
    flow.fallback(async (c) => {
      for (const photo of c.media('photo')) downloads.push(await photo.download());
      return c.error('Sorry');
    });
    expect(await send({ data: { photo: [cdn.pick('a photo')] } })).toMatchObject({ data: { error_message: 'Sorry' } });
    expect(downloads.map(({ sizeBytes }) => sizeBytes)).toEqual([7]);
    expect(() => downloads[0]?.stream()).toThrow(/the file is gone/);
  });

  test('that a handler left alone, half downloaded, do not hold up its answer', async () => {
    await using cdn = await FakeCdn.start();
    const { flow, send } = await setUpFiles(cdn);
    const failed = vi.fn();
    flow.on('A', (c) => {
      for (const photo of c.media('photo')) photo.download().catch(failed);
      return c.screen('B');
    });
    const hanging = () => () => {};
    expect(await send({ data: { photo: [cdn.pick('a photo', hanging)] } })).toMatchObject({ screen: 'B' });
    expect(failed).toHaveBeenCalledOnce();
  });
});

describe('what a handler defers', () => {
  test.each<[string, FlowOptions, string | undefined, object | undefined]>([
    ['of the settings’ own business is nobody else’s', {}, undefined, undefined],
    ['of a tenant is the tenant’s', {}, 'acme', { kind: 'tenant', name: 'acme' }],
    ['of a Flow’s own business is that business’s', { appSecret: 'a' }, undefined, { kind: 'flow', name: 'demo' }],
    ['of one with a name, too', { graphToken: 'EAA', tenant: 'acme' }, 'acme', { kind: 'flow', name: 'demo' }],
    ['of a Flow with a second key of the settings is nobody else’s', { keys: 'k' }, undefined, undefined],
  ])('%s', async (_, options, name, business) => {
    const newDefer = vi.fn(() => async () => 'job_1');
    const { flow, send } = setUp(options, { newDefer });
    flow.on('A', async (c) => {
      await c.defer('invoice', {});
      await c.defer('invoice', {});
      return c.screen('B');
    });
    await send({}, { name });
    expect(newDefer.mock.calls).toEqual([[{ traceparent: undefined, business }]]);
  });
});
