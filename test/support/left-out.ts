/** Vitest's global setup: what this machine cannot test is said in the last lines, so that nobody takes it for passed. */
import { hasPrometheus } from '../grafana/support/prometheus-available.ts';
import { chromiumPath } from '../playground/support/chromium-available.ts';
import { canFreeze, canLimitFiles, canMount } from './disk-available.ts';
import { hasRedisServer, redisUrl } from './redis-available.ts';

/** Each asks the same question as the tests it speaks for, and answers undefined when they run. */
const LEFT_OUT: readonly (() => string | undefined)[] = [
  leftOutOfRedis,
  leftOutOfDisks,
  leftOutOfPrometheus,
  leftOutOfBrowser,
];

function leftOutOfRedis(): string | undefined {
  if (hasRedisServer) return undefined;
  return redisUrl
    ? 'the tests that stop and start Redis (no redis-server on PATH)'
    : 'the Redis suites (no redis-server on PATH and no REDIS_URL)';
}

function leftOutOfDisks(): string | undefined {
  const left = [
    ...(canMount ? [] : ['full and read-only ones (only root may mount a disk)']),
    ...(canFreeze ? [] : ['one that hangs (only root may mount a disk image and freeze it)']),
    ...(canLimitFiles ? [] : ['one that fails to write (no prlimit on PATH)']),
  ];
  return left.length > 0 ? `the tests of disks: ${left.join(', ')}` : undefined;
}

function leftOutOfPrometheus(): string | undefined {
  return hasPrometheus ? undefined : 'the dashboards and alerts on real data (no prometheus and promtool on PATH)';
}

function leftOutOfBrowser(): string | undefined {
  return chromiumPath ? undefined : 'the playground in a browser (no chromium in /usr/bin and no CHROMIUM_PATH)';
}

/** @returns what Vitest calls at its very end. */
export default function setup(): () => void {
  return () => {
    for (const reason of LEFT_OUT) {
      const what = reason();
      if (what) process.stdout.write(`Left out: ${what}\n`);
    }
  };
}
