/** A Redis of the bench's own, that syncs its log before it answers: as durable as the embedded store. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from '../../test/support/free-port.ts';
import { BenchError } from './bench-error.ts';

const DURABLE = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always'];
const START_TIMEOUT_MS = 10_000;
const LOOK_AGAIN_MS = 20;

/** @returns its version, `7.0.15`; undefined when there is no redis-server in PATH. */
export function redisServerVersion(): string | undefined {
  const { status, stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
  return status === 0 ? (/v=(\S+)/.exec(stdout)?.[1] ?? 'of an unknown version') : undefined;
}

/** For the report of a bench that uses one where there is one. */
export interface RedisThere {
  readonly isThere: boolean;
  /** For a row's header; '' where there is none. */
  readonly description: string;
  readonly notes: readonly string[];
}

export function lookForRedis(): RedisThere {
  const version = redisServerVersion();
  if (version !== undefined) {
    const description = `; Redis ${version} with appendonly yes and appendfsync always`;
    return { isThere: true, description, notes: [] };
  }
  return { isThere: false, description: '', notes: ['Redis was left out: there is no redis-server in PATH'] };
}

export class RedisServer implements AsyncDisposable {
  readonly url: string;
  readonly #directory = mkdtempSync(join(tmpdir(), 'flowgate-bench-redis-'));
  readonly #process: ChildProcess;
  readonly #client: Redis;
  readonly #kill = () => this.#process.kill('SIGKILL');

  /** An empty one on a free port. Rejects with a BenchError when it does not get ready. */
  static async start(): Promise<RedisServer> {
    const server = new RedisServer(await freePort());
    try {
      await server.#ready();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(port: number) {
    this.url = `redis://127.0.0.1:${port}`;
    const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', this.#directory];
    this.#process = spawn('redis-server', [...own, ...DURABLE], { stdio: 'ignore' });
    this.#process.on('error', () => {}); // told by the start that times out
    process.once('exit', this.#kill);
    this.#client = new Redis(this.url, { retryStrategy: () => LOOK_AGAIN_MS, maxRetriesPerRequest: null });
    this.#client.on('error', () => {});
  }

  /** CPU it has used, microseconds, without the processes it forks. */
  cpuMicros(): Promise<number> {
    return readRedisCpuMicros(this.#client);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.disconnect();
    if (this.#process.pid !== undefined && this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#kill();
      await once(this.#process, 'exit');
    }
    process.off('exit', this.#kill);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #ready(): Promise<void> {
    const isLate = sleep(START_TIMEOUT_MS, true, { ref: false });
    const pinged = this.#client.ping().then(() => false);
    if (await Promise.race([pinged, isLate])) throw new BenchError('redis-server did not start');
  }
}

export async function readRedisCpuMicros(client: Redis): Promise<number> {
  const text = await client.info('cpu');
  const seconds = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(text)?.[1]);
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6;
}
