/** A process that a bench starts, measures and ends. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { BenchError } from './bench-error.ts';
import { type Credentials, credentialSettings } from './credentials.ts';
import type { Answer, EngineLoad, EngineRun, Order, Ready, Usage } from './messages.ts';

/** For a start, and for everything it is asked: no engine works longer. */
const ANSWER_TIMEOUT_MS = 30_000;
const STDERR_TAIL_CHARS = 2_000;

export class BenchChild implements AsyncDisposable {
  readonly #name: string;
  readonly #process: ChildProcess;
  readonly #kill = () => this.#process.kill('SIGKILL');
  #stderr = '';
  #ready: Ready | undefined;

  /**
   * Starts `bench/servers/<name>.ts`. Rejects with a BenchError that holds its reason when it does not get ready.
   *
   * @param args for the child, as its command line.
   */
  static async start(name: string, credentials: Credentials, args: readonly string[] = []): Promise<BenchChild> {
    const child = new BenchChild(name, credentials, args);
    try {
      child.#ready = await child.#hear<Ready>();
      return child;
    } catch (error) {
      await child[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(name: string, credentials: Credentials, args: readonly string[]) {
    this.#name = [name, ...args].join(' ');
    this.#process = fork(fileURLToPath(new URL(`../servers/${name}.ts`, import.meta.url)), args, {
      env: { ...process.env, ...credentialSettings(credentials) },
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

  async [Symbol.asyncDispose](): Promise<void> {
    const hasEnded = this.#process.exitCode !== null || this.#process.signalCode !== null;
    if (!hasEnded) {
      this.#kill();
      await once(this.#process, 'exit');
    }
    process.off('exit', this.#kill);
  }

  #ask<T extends object>(order: Order): Promise<T> {
    const answer = this.#hear<T>();
    this.#process.send(order);
    return answer;
  }

  /** The next thing the child says; one question at a time. */
  async #hear<T extends object>(): Promise<T> {
    const abort = new AbortController();
    const signal = AbortSignal.any([abort.signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
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
      throw new BenchError(`${this.#name} said nothing for ${ANSWER_TIMEOUT_MS / 1_000} s`);
    } finally {
      abort.abort();
    }
  }
}

/** Of a crash, the line that names the error. */
function lastWords(stderr: string): string {
  return /^.*Error.*:.*$/m.exec(stderr)?.[0] ?? (stderr.trim().split('\n').at(-1) || 'it gave no reason');
}
