/** One app on one machine: files that outlive its processes, and the processes, to be killed and started again. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from '../../support/command.ts';
import { Server } from './server.ts';

/** A file in `../apps`. */
export type AppName = 'recording' | 'failing' | 'dying' | 'remembering';
export type JournalName = 'attempts' | 'effects' | 'handled';

export class Installation implements AsyncDisposable {
  readonly dataDir: string;
  readonly #root = temporaryDirectory();
  readonly #journalDir = join(this.#root, 'journal');
  readonly #servers: Server[] = [];

  /** @param dataDir for a disk of its own. */
  constructor(dataDir?: string) {
    this.dataDir = dataDir ?? join(this.#root, 'data');
    mkdirSync(this.#journalDir);
    onTestFinished(() => this[Symbol.asyncDispose]()); // a test that has timed out leaves no scope
  }

  /** Starts `flowgate serve`, and does not wait for anything. */
  spawn(app: AppName, env: Record<string, string> = {}): Server {
    const file = fileURLToPath(new URL(`../apps/${app}.mjs`, import.meta.url));
    const server = new Server(file, { DATA_DIR: this.dataDir, JOURNAL_DIR: this.#journalDir, ...env });
    this.#servers.push(server);
    return server;
  }

  /** Resolves when it listens. */
  async serve(app: AppName, env?: Record<string, string>): Promise<Server> {
    const server = this.spawn(app, env);
    await server.listening();
    return server;
  }

  /** The ids of messages that the app noted, one for each time. */
  journal(name: JournalName): string[] {
    const file = join(this.#journalDir, name);
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
  }

  /** Lets effects go on that wait for it. */
  letEffectsEnd(): void {
    writeFileSync(join(this.#journalDir, 'go'), '');
  }

  /** Kills whatever still runs, and removes the files. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.kill()));
    rmSync(this.#root, { recursive: true, force: true });
  }
}
