import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/left-out.ts'],
    pool: 'forks', // uWebSockets.js must run on a main thread
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
