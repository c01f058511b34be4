import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built command, running; what it prints is collected and can be waited for. */
export class RunningCommand {
  readonly process: ChildProcess;
  readonly ended: Promise<Outcome>;
  #stdout = '';
  #stderr = '';
  #watchers: (() => void)[] = [];

  constructor(args: readonly string[], env: Record<string, string> = {}, stdin = '') {
    this.process = spawn(process.execPath, [MAIN, ...args], {
      env: { PATH: process.env['PATH'], NO_COLOR: '1', ...env, DATA_DIR: env['DATA_DIR'] ?? temporaryDirectory() },
    });
    this.process.stdin?.end(stdin);
    this.process.stdout?.on('data', (chunk) => this.#add(() => (this.#stdout += chunk)));
    this.process.stderr?.on('data', (chunk) => this.#add(() => (this.#stderr += chunk)));
    this.ended = new Promise((resolve) => {
      this.process.once('close', (code) => {
        this.#notify();
        resolve({ code, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  /** Resolves with the first match in what was printed on stdout; rejects when the command ends without one. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#stdout);
      if (match) return match;
      if (this.process.exitCode !== null || this.process.signalCode !== null)
        throw new Error(`ended without printing ${pattern}: ${this.#stdout}${this.#stderr}`);
      await new Promise<void>((wake) => this.#watchers.push(wake));
    }
  }

  #add(append: () => void): void {
    append();
    this.#notify();
  }

  #notify(): void {
    for (const wake of this.#watchers.splice(0)) wake();
  }
}

export const run = (args: readonly string[], env?: Record<string, string>, stdin?: string): Promise<Outcome> =>
  new RunningCommand(args, env, stdin).ended;

export const temporaryDirectory = (): string => mkdtempSync(join(tmpdir(), 'flowgate-test-'));
