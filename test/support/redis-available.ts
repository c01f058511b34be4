import { spawnSync } from 'node:child_process';

/** Whether a test can start a Redis of its own. */
export const hasRedisServer: boolean = spawnSync('redis-server', ['--version']).status === 0;

/** A Redis to use where none can be started; tests keep to keys of their own there, and cannot stop it. */
export const redisUrl: string | undefined = process.env['REDIS_URL'];
