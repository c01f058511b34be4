import { spawnSync } from 'node:child_process';

/** Whether a test can start a Prometheus of its own, and check what is written for it. */
export const hasPrometheus: boolean = ['prometheus', 'promtool'].every(
  (command) => spawnSync(command, ['--version']).status === 0,
);
