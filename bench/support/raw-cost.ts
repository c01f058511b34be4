/** What one bare `privateDecrypt` costs, key parsed once, on one thread: the floor under every request. */
import { privateDecrypt } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { BenchError } from './bench-error.ts';
import { type Credentials, OAEP, parsePrivateKey, wrapFreshKey } from './credentials.ts';

/** Between two looks at the clock: 5 ms of work. */
const UNWRAPS_PER_TURN = 20;

/**
 * CPU time, so that it stays right while the machine does something else; take it on an idle machine all the same,
 * since a busy one clocks lower.
 *
 * @returns microseconds of CPU for one unwrap.
 */
export async function measureRawUnwrapMicros(credentials: Credentials, durationMs: number): Promise<number> {
  const key = parsePrivateKey(credentials);
  const { aesKey, wrapped } = wrapFreshKey(credentials.publicKey);
  const unwrap = () => privateDecrypt({ key, ...OAEP }, wrapped);
  if (!unwrap().equals(aesKey)) throw new BenchError('privateDecrypt unwrapped a key wrongly');
  const before = process.cpuUsage();
  const endMs = performance.now() + durationMs;
  let unwraps = 0;
  while (performance.now() < endMs) {
    for (let i = 0; i < UNWRAPS_PER_TURN; i++) unwrap();
    unwraps += UNWRAPS_PER_TURN;
    await setImmediate(); // lets the progress bar move and Ctrl-C be heard
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / unwraps;
}
