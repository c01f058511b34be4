/**
 * A process that opens the state file of its first argument, and writes record after record until it is ended; a line for
 * each that was written, or one that tells why the file cannot be opened.
 */
import { systemClock } from '../../src/clock.ts';
import { FlowgateError } from '../../src/errors.ts';
import { openSqliteState } from '../../src/stores/sqlite-state.ts';
import { silentLog } from './log.ts';

const [, , path = '', prefix = ''] = process.argv;
try {
  const state = await openSqliteState({ path, lockWaitMs: 200, clock: systemClock, log: silentLog });
  for (let n = 0; ; n++) {
    const writes = Array.from({ length: 8 }, (_, i) => `${prefix}${n}.${i}`).map(async (key) => {
      const version = await state.put(key, { value: `value of ${key}`, ttlMs: 3_600_000 });
      process.stdout.write(`${key} ${version}\n`);
    });
    await Promise.allSettled(writes);
  }
} catch (error) {
  process.stdout.write(error instanceof FlowgateError ? `${error.code}: ${error.message}\n` : 'failed\n');
  process.exit();
}
