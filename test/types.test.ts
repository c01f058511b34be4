import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('a wrong use of the app API does not compile (test/types)', async () => {
  const require = createRequire(import.meta.url);
  const tsc = require.resolve('typescript/package.json').replace('package.json', 'bin/tsc');
  const compiled = promisify(execFile)(process.execPath, [tsc, '-p', 'test/types/tsconfig.json']);
  expect((await compiled.catch((failure: { stdout: string }) => failure)).stdout).toBe('');
});
