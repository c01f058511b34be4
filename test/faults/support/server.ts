/** The built command serving an app in a process of its own; and what Meta, a phone and an operator see of it. */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type InboxClient, serverInbox } from '../../../src/cli/inbox-client.ts';
import { createPhone, type Phone } from '../../../src/testing/index.ts';
import { type Outcome, RunningCommand } from '../../support/command.ts';
import { keyPair } from '../../support/keys.ts';
import { APP_SECRET, VERIFY_TOKEN } from '../../support/service.ts';
import { GIVE_UP } from './give-up.ts';

const SETTINGS = {
  HOST: '127.0.0.1',
  PORT: '0',
  ADMIN_PORT: '0',
  WORKERS: '1',
  APP_SECRET,
  VERIFY_TOKEN,
  PRIVATE_KEY: keyPair.privateKey,
};

/** Those that run; none outlives the tests. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class Server {
  /** How it ended. */
  readonly ended: Promise<Outcome>;
  readonly #command: RunningCommand;
  #url: string | undefined;
  #adminUrl = '';

  constructor(appFile: string, env: Record<string, string>) {
    this.#command = new RunningCommand(['serve', appFile], { ...SETTINGS, ...env });
    const { process: child, ended } = this.#command;
    running.add(child);
    this.ended = ended.finally(() => running.delete(child));
  }

  /** Not before it listens, and not for a worker. */
  get phone(): Phone {
    if (this.#url === undefined) throw new Error('this process answers no phone');
    return createPhone({ url: this.#url, publicKey: keyPair.publicKey, appSecret: APP_SECRET });
  }

  get inbox(): InboxClient {
    return serverInbox(this.#adminUrl);
  }

  get adminUrl(): string {
    return this.#adminUrl;
  }

  /** Rejects when it ends instead. */
  async listening(): Promise<void> {
    const [, port, adminPort] = await this.logged(/(?:"port":(\d+),)?"adminPort":(\d+).*flowgate is listening/);
    if (port !== undefined) this.#url = `http://127.0.0.1:${port}`;
    this.#adminUrl = `http://127.0.0.1:${adminPort}`;
  }

  /** Resolves with the first match in its log; rejects when it ends, or a long time passes, without one. */
  async logged(pattern: RegExp): Promise<RegExpExecArray> {
    const waiting = new AbortController();
    const gaveUp = sleep(GIVE_UP.timeout, undefined, waiting).then(() => Promise.reject(new Error(`no ${pattern}`)));
    try {
      return await Promise.race([this.#command.printed(pattern), gaveUp]);
    } finally {
      gaveUp.catch(() => {});
      waiting.abort();
    }
  }

  /** The sum of a metric's values over the label sets that have these labels. */
  async metric(name: string, labels: Record<string, string> = {}): Promise<number> {
    const text = await (await fetch(`${this.#adminUrl}/metrics`)).text();
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    const found = lines.filter((line) => wanted.every((label) => line.includes(label)));
    return found.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  /** Makes every write to a file fail, or none; what goes to a pipe passes. */
  refuseWrites(isRefusing: boolean): void {
    const softLimit = isRefusing ? '0:' : 'unlimited:';
    execFileSync('prlimit', ['--pid', String(this.#command.process.pid), `--fsize=${softLimit}`]);
  }

  /** Without a warning: `kill -9`, unless told otherwise. Resolves when it has ended. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Outcome> {
    this.#command.process.kill(signal);
    return this.ended;
  }
}
