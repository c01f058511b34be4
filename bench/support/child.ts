/** A process that a bench starts, measures and ends. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BenchError } from './bench-error.ts';
import { type Credentials, credentialSettings } from './credentials.ts';
import type { Answer, DrainRun, EngineLoad, EngineRun, Order, Ready, Usage } from './messages.ts';

/** For a start, and for everything it is asked: no engine works longer. */
const ANSWER_TIMEOUT_MS = 30_000;
/** A slow disk may keep a store busy for minutes. */
const DRAIN_TIMEOUT_MS = 300_000;
/** Settings for a child that keeps its inbox in a file, whatever the environment says. */
export const EMBEDDED_STORE: NodeJS.ProcessEnv = { REDIS_URL: undefined, REDIS_URL_FILE: undefined, ROLE: undefined };
const STDERR_TAIL_CHARS = 2_000;

export class BenchChild implements AsyncDisposable {
  readonly #name: string;
  readonly #process: ChildProcess;
  /** Where its inbox is. */
  readonly #dataDir = mkdtempSync(join(tmpdir(), 'flowgate-bench-'));
  readonly #kill = () => this.#process.kill('SIGKILL');
  #stderr = '';
  #ready: Ready | undefined;

  /**
   * Starts `bench/servers/<name>.ts`. Rejects with a BenchError that holds its reason when it does not get ready.
   *
   * @param args for the child, as its command line.
   * @param settings on top of the environment; undefined takes one out of it.
   */
  static async start(
    name: string,
    credentials: Credentials,
    args: readonly string[] = [],
    settings: NodeJS.ProcessEnv = {},
  ): Promise<BenchChild> {
    const child = new BenchChild(name, credentials, args, settings);
    try {
      child.#ready = await child.#hear<Ready>();
      return child;
    } catch (error) {
      await child[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(name: string, credentials: Credentials, args: readonly string[], settings: NodeJS.ProcessEnv) {
    this.#name = [name, ...args].join(' ');
    this.#process = fork(fileURLToPath(new URL(`../servers/${name}.ts`, import.meta.url)), args, {
      env: { ...process.env, ...credentialSettings(credentials), DATA_DIR: this.#dataDir, ...settings },
      execArgv: ['--import', import.meta.resolve('./tsx-main-thread.js')],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#process.stderr?.on('data', (chunk) => {
      this.#stderr = `${this.#stderr}${chunk}`.slice(-STDERR_TAIL_CHARS);
    });
    process.once('exit', this.#kill); // Ctrl-C, or a failure that nobody saw coming
  }

  get port(): number {
    return this.#ready?.port ?? 0;
  }

  get adminPort(): number {
    return this.#ready?.adminPort ?? 0;
  }

  get description(): string {
    return this.#ready?.description ?? '';
  }

  /** Of its process, since the last call. */
  measure(): Promise<Usage> {
    return this.#ask({ order: 'measure' });
  }

  /** Lets an engine work; only a child that is one answers. */
  run(load: EngineLoad): Promise<EngineRun> {
    return this.#ask({ order: 'run', ...load });
  }

  /** Lets a process that has filled an inbox empty it. */
  drain(): Promise<DrainRun> {
    return this.#ask({ order: 'drain' }, DRAIN_TIMEOUT_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const hasEnded = this.#process.exitCode !== null || this.#process.signalCode !== null;
    if (!hasEnded) {
      this.#kill();
      await once(this.#process, 'exit');
    }
    process.off('exit', this.#kill);
    rmSync(this.#dataDir, { recursive: true, force: true });
  }

  #ask<T extends object>(order: Order, timeoutMs?: number): Promise<T> {
    const answer = this.#hear<T>(timeoutMs);
    this.#process.send(order);
    return answer;
  }

  /** The next thing the child says; one question at a time. */
  async #hear<T extends object>(timeoutMs = ANSWER_TIMEOUT_MS): Promise<T> {
    const abort = new AbortController();
    const signal = AbortSignal.any([abort.signal, AbortSignal.timeout(timeoutMs)]);
    try {
      const said = await Promise.race([
        once(this.#process, 'message', { signal }).then(([message]) => message as Answer | (Ready & T)),
        once(this.#process, 'close', { signal }).then(() => undefined),
      ]);
      if (said === undefined) throw new BenchError(`${this.#name} ended: ${lastWords(this.#stderr)}`);
      if (said.told === 'failed') throw new BenchError(`${this.#name} failed: ${said.reason}`);
      return said as T;
    } catch (error) {
      if (error instanceof BenchError) throw error;
      throw new BenchError(`${this.#name} said nothing for ${timeoutMs / 1_000} s`);
    } finally {
      abort.abort();
    }
  }
}

/** Of a crash, the line that names the error. */
function lastWords(stderr: string): string {
  return /^.*Error.*:.*$/m.exec(stderr)?.[0] ?? (stderr.trim().split('\n').at(-1) || 'it gave no reason');
}
