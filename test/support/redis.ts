/** A real Redis of the test's own, to be stopped, killed, stalled and emptied. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import { temporaryDirectory } from './command.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';

/** Those that run; none outlives the tests. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class TestRedis implements AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly #args: readonly string[];
  #directory = temporaryDirectory();
  #process: ChildProcess | undefined;

  /** @param args as `redis-server` takes them: `--appendonly yes`. Without any it keeps nothing on the disk. */
  static async start(...args: readonly string[]): Promise<TestRedis> {
    const redis = await TestRedis.prepare(...args);
    await redis.start();
    return redis;
  }

  /** One that does not run yet. */
  static async prepare(...args: readonly string[]): Promise<TestRedis> {
    return new TestRedis(await freePort(), args);
  }

  private constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.#args = args;
  }

  async start(): Promise<void> {
    const own = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#directory, '--save', ''];
    const child = spawn('redis-server', [...own, ...this.#args], { stdio: 'ignore' });
    this.#process = child;
    running.add(child);
    await eventually(() => ping(this.port));
  }

  /** Ends it as an operator does. */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  /** Ends it as the kernel does when memory is short. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** From now on it takes what it is sent and answers nothing, like a machine that is gone without a word. */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  /** Its disk is gone; to be called while it does not run. */
  loseDisk(): void {
    rmSync(this.#directory, { recursive: true });
    this.#directory = temporaryDirectory();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || !running.delete(child)) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
}

/** Resolves when the Redis on this port serves: one that reads its file still says LOADING. */
async function ping(port: number): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    socket.write('PING\r\n');
    const [reply] = await once(socket, 'data');
    if (!/^\+PONG|^-NOAUTH/.test(String(reply))) throw new Error(`Redis answered ${reply}`);
  } finally {
    socket.destroy();
  }
}
