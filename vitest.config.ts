import { defineConfig } from 'vitest/config';

/** Dashboards and the browser: the same whatever version of Node serves them. */
const VIEWS = ['test/grafana/**/*.test.ts', 'test/playground/browser/**/*.test.ts'];
const FAULTS = ['test/faults/**/*.test.ts'];
const BENCHES = ['test/bench/**/*.test.ts'];
/** On two cores one would be the default, and most of a run is waiting for other processes. */
const maxWorkers = 2;

export default defineConfig({
  test: {
    globalSetup: ['test/support/left-out.ts'],
    pool: 'forks', // uWebSockets.js must run on a main thread
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'flowgate',
          include: ['test/**/*.test.ts'],
          exclude: [...VIEWS, ...FAULTS, ...BENCHES],
          maxWorkers,
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: 'views', include: VIEWS, maxWorkers, sequence: { groupOrder: 0 } } },
      // One at a time: these fill disks, freeze them, and end processes.
      { extends: true, test: { name: 'faults', include: FAULTS, maxWorkers: 1, sequence: { groupOrder: 1 } } },
      // Alone and last: a bench shares the machine with nothing.
      { extends: true, test: { name: 'bench', include: BENCHES, maxWorkers: 1, sequence: { groupOrder: 2 } } },
    ],
  },
});
