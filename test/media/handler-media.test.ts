import { expect, test, vi } from 'vitest';
import { HandlerMedia } from '../../src/media/handler-media.ts';

function setUp() {
  const dispose = vi.fn(async () => {});
  const scope = vi.fn(() => ({ [Symbol.asyncDispose]: dispose }));
  const { signal } = new AbortController();
  const askedForSignal = vi.fn(() => signal);
  const handler = Object.defineProperty({}, 'signal', { get: askedForSignal }) as { signal: AbortSignal };
  return { media: new HandlerMedia({ media: { scope } } as never, handler), scope, dispose, signal, askedForSignal };
}

test('a handler without files makes no scope and no signal, and has nothing to wait for in the end', () => {
  const { media, scope, askedForSignal } = setUp();
  expect(media.close()).toBeUndefined();
  expect(scope).not.toHaveBeenCalled();
  expect(askedForSignal).not.toHaveBeenCalled();
});

test('the files of a handler are in one scope, under its signal, which is disposed of with it', async () => {
  const { media, scope, dispose, signal } = setUp();
  expect(media.open()).toBe(media.open());
  expect(scope.mock.calls).toEqual([[signal]]);
  await media.close();
  expect(dispose).toHaveBeenCalledTimes(1);
});

test('once it is closed there are no more, whether there were any or not', () => {
  for (const hadFiles of [true, false]) {
    const { media } = setUp();
    if (hadFiles) media.open();
    void media.close();
    expect(() => media.open()).toThrow(expect.objectContaining({ code: 'MEDIA_UNAVAILABLE' }));
  }
});
