/** Many people on the booking Flow at once, with a progress bar. */
import { readFileSync } from 'node:fs';
import type { Options, Result } from 'autocannon';
import { Presets, SingleBar } from 'cli-progress';
import { createRequestStream, type LoadRequest } from '../testing/load.ts';
import type { Credentials } from './credentials.ts';

export interface LoadResult {
  readonly requests: number;
  readonly requestsPerSec: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers other than 200, connection errors, and answers that decrypted to something else. */
  readonly failures: number;
  /** Answers that were decrypted: every tenth. */
  readonly checked: number;
}

const CHECK_EVERY = 10;

/** Each person has a connection and sends the next request when the answer is there (a closed loop). */
export async function putLoad(
  url: string,
  { publicKeyFile, appSecret }: Credentials,
  { users, seconds }: { users: number; seconds: number },
): Promise<LoadResult> {
  const { default: autocannon } = await import('autocannon'); // loaded late: only the demo has it
  const payload = {
    version: '4.0',
    action: 'data_exchange',
    screen: 'APPOINTMENT',
    data: { step: 'pick', department: 'eyes', location: 'north' },
    flow_token: 'demo',
  };
  const stream = createRequestStream(payload, { publicKey: readFileSync(publicKeyFile, 'utf8'), appSecret });
  let answers = 0;
  let checked = 0;
  let wrong = 0;
  const check = (status: number, body: string, { sent }: { sent?: LoadRequest }) => {
    if (status !== 200 || answers++ % CHECK_EVERY !== 0) return;
    checked += 1;
    if (sent?.open(body)?.screen !== 'APPOINTMENT') wrong += 1;
  };

  const bar = new SingleBar(
    { format: '  {bar} {value}/{total} s  {rate} requests/s', hideCursor: true },
    Presets.shades_classic,
  );
  bar.start(seconds, 0, { rate: '-' });
  const options: Options = {
    url,
    connections: users,
    duration: seconds,
    requests: [
      {
        method: 'POST',
        setupRequest(request, context: { sent?: LoadRequest }) {
          const sent = stream.next();
          context.sent = sent;
          return { ...request, body: sent.body, headers: sent.headers };
        },
        onResponse: check,
      },
    ],
  };
  const result = await new Promise<Result>((resolve, reject) => {
    const run = autocannon(options, (error, finished) => (error ? reject(error) : resolve(finished)));
    const events: NodeJS.EventEmitter = run; // its types leave `tick` out
    events.on('tick', ({ counter }: { counter: number }) => bar.increment(1, { rate: counter }));
  });
  bar.update(seconds, { rate: Math.round(result.requests.average) });
  bar.stop();
  return {
    requests: result.requests.total,
    requestsPerSec: result.requests.average,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    failures: result.non2xx + result.errors + wrong,
    checked,
  };
}
