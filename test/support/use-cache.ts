/** A process that uses a cache on the Redis of its first argument, closes it when told to, and has nothing more to do. */
import { once } from 'node:events';
import { createCache } from '../../src/cache/cache.ts';
import { silentLog } from './log.ts';

const cache = createCache({ redisUrl: process.argv[2], log: silentLog });
await cache.getOrSet('a', { ttl: '10m' }, () => 1);
process.stdout.write('used');
await once(process.stdin, 'data');
await cache.close();
