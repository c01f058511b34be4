/** The running servers, asked which private keys they hold: through Redis, or at their admin ports. */
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../clock.ts';
import { redisUrlFromEnv } from '../config/command-settings.ts';
import { toKeyReport } from '../crypto/key-report.ts';
import type { RedisKeys, ServerKeys } from '../stores/redis-keys.ts';
import { adminUrlFromEnv, askAdminPort, NothingListens, toAdminUrl } from './admin-port.ts';
import { CliError, reasonOf } from './cli-error.ts';

const POLL_MS = 1_000;
/** After as long without news, the wait says that it goes on. */
const REMIND_MS = 15_000;

/** Who holds a key. */
export interface Holders {
  /** All servers that run. */
  readonly servers: readonly ServerKeys[];
  /** What it takes until all of them hold the key, as a sentence; undefined when they do. */
  readonly missing: string | undefined;
  /** One of those without it cannot load it. */
  readonly hasProblem: boolean;
}

export class KeyServers implements AsyncDisposable {
  readonly #urls: readonly string[];
  readonly #redis: RedisKeys | undefined;
  /** Asked for by address: then a server that does not answer is a failure, and not merely absent. */
  readonly #isMeant: boolean;

  /** @param urls of admin ports; without any, the servers on the Redis of the environment, or else this machine's. */
  static async find(urls: readonly string[]): Promise<KeyServers> {
    if (urls.length > 0) return new KeyServers(urls.map(toAdminUrl), undefined, true);
    const redisUrl = redisUrlFromEnv();
    if (redisUrl === undefined) return new KeyServers([adminUrlFromEnv()], undefined, false);
    const { RedisKeys } = await import('../stores/redis-keys.ts'); // late: it brings its engine along
    return new KeyServers([], new RedisKeys({ url: redisUrl, clock: systemClock }), true);
  }

  private constructor(urls: readonly string[], redis: RedisKeys | undefined, isMeant: boolean) {
    this.#urls = urls;
    this.#redis = redis;
    this.#isMeant = isMeant;
  }

  /** Where they were looked for. */
  get place(): string {
    return this.#redis ? 'in Redis (REDIS_URL)' : `at ${this.#urls.join(', ')}`;
  }

  /** Those that run. Rejects with a CliError or `INBOX_UNAVAILABLE` when that cannot be known. */
  async read(): Promise<ServerKeys[]> {
    if (this.#redis) return this.#redis.servers();
    const answers = await Promise.all(this.#urls.map((url) => this.#ask(url)));
    return answers.flat();
  }

  /** Resolves once every server holds the key, or after `waitMs`; what is missing is told whenever that changes. */
  async waitFor(fingerprint: string, waitMs: number, print: (line: string) => void): Promise<Holders> {
    const startedMs = performance.now();
    let told: string | undefined;
    let toldAtMs = startedMs;
    for (;;) {
      const holders = await this.#holdersOf(fingerprint);
      const nowMs = performance.now();
      const { missing } = holders;
      if (missing === undefined || nowMs - startedMs >= waitMs) return holders;
      if (missing !== told || nowMs - toldAtMs >= REMIND_MS) {
        print(`  waiting, ${Math.round((nowMs - startedMs) / 1_000)} s: ${missing}`);
        told = missing;
        toldAtMs = nowMs;
      }
      await sleep(POLL_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#redis?.close();
  }

  async #holdersOf(fingerprint: string): Promise<Holders> {
    let servers: ServerKeys[];
    try {
      servers = await this.read();
    } catch (error) {
      return { servers: [], missing: `the servers cannot be asked (${reasonOf(error)})`, hasProblem: false };
    }
    if (servers.length === 0) {
      return { servers, missing: `no server reports its keys ${this.place}`, hasProblem: false };
    }
    const without = servers.filter(({ fingerprints }) => !fingerprints.includes(fingerprint));
    if (without.length === 0) return { servers, missing: undefined, hasProblem: false };
    const named = without.map(({ name, problem }) => (problem === undefined ? name : `${name}, where ${problem}`));
    const missing = `${without.length} of ${servers.length} servers do not hold it: ${named.join('; ')}`;
    return { servers, missing, hasProblem: without.some(({ problem }) => problem !== undefined) };
  }

  async #ask(url: string): Promise<ServerKeys[]> {
    try {
      const { status, body } = await askAdminPort(url, '/keys');
      const keys = status === 200 ? toKeyReport(body) : undefined;
      if (keys) return [{ name: url, ...keys }];
      if (!this.#isMeant) return [];
    } catch (error) {
      if (error instanceof NothingListens && !this.#isMeant) return [];
      throw error;
    }
    throw new CliError(`${url} tells no keys: give --url the admin port of a server that answers Flows`);
  }
}
