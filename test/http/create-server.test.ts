import { describe, expect, test } from 'vitest';
import { createHttpServer } from '../../src/http/create-server.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { httpServers } from '../support/http-servers.ts';
import { recordingLog } from '../support/log.ts';

function setUp() {
  const { log, lines } = recordingLog();
  const options = { handler: () => ({ status: 200 }), exchangeTimeoutMs: 1_000, clock: new FakeClock(), log };
  return { options, lines };
}

const loadFails = (): never => {
  throw new Error('/lib/libc.so.6: version GLIBC_2.38 not found');
};

describe('createHttpServer', () => {
  test.each(['auto', 'uws'] as const)(
    'falls back from %s to node with one warning when the library does not load',
    (choice) => {
      const { options, lines } = setUp();
      expect(createHttpServer(choice, options, loadFails).name).toBe('node');
      expect(lines).toMatchObject([{ level: options.log.levels.values['warn'], code: 'UWS_UNAVAILABLE' }]);
      expect(lines[0]).toMatchObject({ node: process.version, platform: process.platform, arch: process.arch });
    },
  );

  test('takes node without a line, and without trying to load the library', () => {
    const { options, lines } = setUp();
    expect(createHttpServer('node', options, loadFails).name).toBe('node');
    expect(lines).toEqual([]);
  });

  test.runIf(httpServers.includes('uws')).each(['auto', 'uws'] as const)(
    'takes uWebSockets.js for %s without a line where it loads',
    (choice) => {
      const { options, lines } = setUp();
      expect(createHttpServer(choice, options).name).toBe('uws');
      expect(lines).toEqual([]);
    },
  );
});
