import { expect, test, vi } from 'vitest';
import type { GraphClient } from '../../src/graph/client.ts';
import { lazyClient } from '../../src/graph/lazy-client.ts';

const METHODS = ['sendText', 'sendDocument', 'sendFlow', 'sendTemplate', 'markRead', 'mediaInfo'] as const;

test('hands each call on, whole, to a client that is opened for it and not before', async () => {
  const calls = METHODS.map((method) => [method, vi.fn(async () => `answer of ${method}`)] as const);
  const open = vi.fn(async () => Object.fromEntries(calls) as unknown as GraphClient);
  const client = lazyClient(open);
  expect(open).not.toHaveBeenCalled();
  expect(Object.keys(client)).toEqual([...METHODS]);
  for (const [i, [method, call]] of calls.entries()) {
    const send = client[method] as (...given: unknown[]) => Promise<unknown>;
    expect(await send('to', 'what', 'how')).toBe(`answer of ${method}`);
    expect(call.mock.calls).toEqual([['to', 'what', 'how']]);
    expect(open).toHaveBeenCalledTimes(i + 1);
  }
});

test('a client that cannot be opened is what each call rejects with', async () => {
  const failure = new Error('there is none');
  const client = lazyClient(() => Promise.reject(failure));
  for (const method of METHODS) await expect((client[method] as () => Promise<unknown>)()).rejects.toBe(failure);
});
