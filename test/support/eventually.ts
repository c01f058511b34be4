import { vi } from 'vitest';

/** What `check` returns once it no longer throws. A wait of 10 s has failed: no test depends on how fast the machine is. */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { timeout: 10_000, interval: 10 });
