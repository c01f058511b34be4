/** What the admin port of a server tells of its inbox. */
import type { InboxReport } from '../../dist/webhooks/admin.js';
import { BenchError } from './bench-error.ts';

const COMMITS = /^flowgate_inbox_commit_seconds_count (\d+)$/m;

/** Transactions of the embedded inbox since the start; 0 for one on Redis. */
export async function readCommits(adminPort: number): Promise<number> {
  const text = await (await ask(adminPort, '/metrics')).text();
  const commits = COMMITS.exec(text)?.[1];
  if (commits === undefined) throw new BenchError('the metrics have no flowgate_inbox_commit_seconds_count');
  return Number(commits);
}

/** Rejects with a BenchError unless the inbox has stored exactly that many events, ever. */
export async function checkStored(adminPort: number, acknowledged: number): Promise<void> {
  const { waiting, leased, done, dead } = (await (await ask(adminPort, '/inbox')).json()) as InboxReport;
  const stored = waiting + leased + done + dead;
  if (stored === acknowledged && acknowledged > 0) return;
  throw new BenchError(`${acknowledged} events were acknowledged, and ${stored} are stored`);
}

async function ask(adminPort: number, path: string): Promise<Response> {
  const response = await fetch(`http://127.0.0.1:${adminPort}${path}`);
  if (!response.ok) throw new BenchError(`${path} on the admin port was answered ${response.status}`);
  return response;
}
