/** A process that opens the inbox on the Redis of its first argument, closes it when told to, and has nothing more to do. */
import { once } from 'node:events';
import { systemClock } from '../../src/clock.ts';
import { openRedisInbox } from '../../src/stores/redis-inbox.ts';
import { silentLog } from './log.ts';

const inbox = await openRedisInbox({ url: process.argv[2] ?? '', clock: systemClock, log: silentLog, leaseMs: 60_000 });
const claiming = inbox.claim(1, new AbortController().signal).catch(() => []);
process.stdout.write('open');
await once(process.stdin, 'data');
await inbox.close();
await claiming;
