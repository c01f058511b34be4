/** A real Prometheus of the test's own, with our rules, that scrapes once a second. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { temporaryDirectory } from '../../support/command.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { RULE_FILE } from './rule-file.ts';

/** Those that run; none outlives the tests. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface LoadedRule {
  readonly name: string;
  readonly type: 'alerting' | 'recording';
  readonly health: string;
  readonly lastError?: string;
  readonly lastEvaluation: string;
}

export class TestPrometheus implements AsyncDisposable {
  readonly #url: string;
  readonly #child: ChildProcess;
  readonly #directory: string;

  /** @param targets admin URLs. */
  static async start(targets: readonly string[]): Promise<TestPrometheus> {
    const directory = temporaryDirectory();
    const file = join(directory, 'prometheus.yml');
    const hosts = targets.map((url) => new URL(url).host);
    const config = {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [resolve(RULE_FILE)],
      scrape_configs: [{ job_name: 'flowgate', static_configs: [{ targets: hosts }] }],
    };
    writeFileSync(file, JSON.stringify(config)); // JSON is YAML
    const address = `127.0.0.1:${await freePort()}`;
    const args = [`--config.file=${file}`, `--storage.tsdb.path=${directory}`, `--web.listen-address=${address}`];
    const child = spawn('prometheus', [...args, '--log.level=warn'], { stdio: ['ignore', 'ignore', 'inherit'] });
    running.add(child);
    const prometheus = new TestPrometheus(`http://${address}`, child, directory);
    await eventually(() => prometheus.query('vector(1)'));
    return prometheus;
  }

  private constructor(url: string, child: ChildProcess, directory: string) {
    this.#url = url;
    this.#child = child;
    this.#directory = directory;
  }

  /** Rejects with what Prometheus has to say against `expr`. */
  async query(expr: string): Promise<Sample[]> {
    const { result } = await this.#get<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
      `query?query=${encodeURIComponent(expr)}`,
    );
    return result.map(({ metric, value: [, value] }) => ({ labels: metric, value: Number(value) }));
  }

  /** What a variable of a dashboard offers. */
  labelValues(label: string, series: string): Promise<string[]> {
    return this.#get(`label/${label}/values?match[]=${encodeURIComponent(series)}`);
  }

  async rules(): Promise<LoadedRule[]> {
    const { groups } = await this.#get<{ groups: { rules: LoadedRule[] }[] }>('rules');
    return groups.flatMap(({ rules }) => rules);
  }

  /** Resolves when every target has been scraped, and every rule evaluated, since this moment. */
  async caughtUp(): Promise<void> {
    const sinceSec = Date.now() / 1000;
    await eventually(async () => {
      const scrapes = await this.query('timestamp(up)');
      if (!scrapes.every(({ value }) => value > sinceSec)) throw new Error('not every target was scraped');
    });
    const scrapedMs = Date.now();
    await eventually(async () => {
      const isLate = ({ lastEvaluation }: LoadedRule) => Date.parse(lastEvaluation) < scrapedMs;
      if ((await this.rules()).some(isLate)) throw new Error('not every rule was evaluated');
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
    running.delete(this.#child);
    rmSync(this.#directory, { recursive: true });
  }

  async #get<T>(path: string): Promise<T> {
    const answer = (await (await fetch(`${this.#url}/api/v1/${path}`)).json()) as { data: T; error?: string };
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.data;
  }
}
