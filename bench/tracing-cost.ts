/**
 * What does a trace cost, and what does its absence?
 *
 * How to read it: CPU of one Flow request from the HTTP port's handler on, without HTTP and without RSA, which would hide
 * the difference: many in flight, their AES keys known. Without an SDK a request pays a branch an event. With one it pays
 * for the spans themselves, which here nobody processes.
 */
import { privateDecrypt } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { trace } from '@opentelemetry/api';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { APP } from '../dist/app.js';
import { loadSettings } from '../dist/config/settings.js';
import { type Host, openHost } from '../dist/host.js';
import { openSqliteInbox } from '../dist/stores/sqlite-inbox.js';
import { openSqliteState } from '../dist/stores/sqlite-state.js';
import { createRequestStream, type LoadRequest } from '../dist/testing/load.js';
import booking from '../examples/booking/app.ts';
import { type Bench, formatCount, Samples } from './support/bench.ts';
import { BenchError } from './support/bench-error.ts';
import { type Credentials, credentialSettings, OAEP, parsePrivateKey } from './support/credentials.ts';

const WITHOUT = 'no SDK';
const WITH = 'an SDK that drops its spans';
/** Requests of one measured run for each millisecond the scale gives an engine: some 40 us each. */
const REQUESTS_PER_MS = 10;
const PICK = {
  ...{ version: '4.0', action: 'data_exchange', screen: 'APPOINTMENT', flow_token: 'bench' },
  data: { step: 'pick', department: 'eyes', location: 'north' },
};

export const bench: Bench = {
  name: 'tracing-cost',
  question: 'What does a trace cost, and what does its absence?',
  async run({ scale, credentials, progress }) {
    progress.begin(scale.rounds * 2);
    const requests = createRequestStream(PICK, credentials);
    const count = scale.engineMs * REQUESTS_PER_MS;
    const samples = new Samples();
    const hosts = new Map<string, Host>();
    // An SDK is noticed when a host opens, and cannot be taken away again.
    hosts.set(WITHOUT, await openBooking(credentials));
    if (!trace.setGlobalTracerProvider(new BasicTracerProvider())) throw new BenchError('an SDK is registered already');
    hosts.set(WITH, await openBooking(credentials));
    try {
      for (const host of hosts.values()) await measure(host, requests, count / 4, scale.crowd); // warm-up
      for (let round = 0; round < scale.rounds; round++) {
        for (const [label, host] of hosts) {
          progress.step(label);
          samples.add(label, { cpuMicros: await measure(host, requests, count, scale.crowd) });
        }
      }
    } finally {
      for (const host of hosts.values()) await host.close();
    }
    return {
      setup: `one thread, no server; ${formatCount(scale.crowd)} in flight`,
      tables: [samples.table('what is registered', ['cpuMicros'])],
      verdicts: [],
      notes: [],
    };
  },
};

/** The booking example, with a decryption that has unwrapped each of the stream's keys before. */
function openBooking(credentials: Credentials): Promise<Host> {
  const key = parsePrivateKey(credentials);
  const known = new Map<string, Buffer>();
  const unwrap = async ({ wrappedKey }: { wrappedKey: Buffer }) => {
    const name = wrappedKey.toString('latin1');
    const aesKey = known.get(name) ?? privateDecrypt({ key, ...OAEP }, wrappedKey);
    known.set(name, aesKey);
    await setImmediate(); // as a pool would answer: not within this turn
    return aesKey;
  };
  return openHost(booking[APP], {
    settings: loadSettings({ ...credentialSettings(credentials), LOG_LEVEL: 'silent' }),
    startDecryption: async () => ({ isSaturated: false, unwrap, close: async () => {} }),
    openInbox: (options) => openSqliteInbox({ ...options, path: ':memory:' }),
    openState: (options) => openSqliteState({ ...options, path: ':memory:' }),
  });
}

/** @returns microseconds of CPU for one request, all threads. */
async function measure(host: Host, stream: { next(): LoadRequest }, count: number, inFlight: number): Promise<number> {
  const requests = Array.from({ length: Math.ceil(count) }, () => stream.next());
  const before = process.cpuUsage();
  let next = 0;
  const worker = async () => {
    for (let request = requests[next++]; request; request = requests[next++]) {
      const { status } = await host.handler(toHttp(request));
      if (status !== 200) throw new BenchError(`a request was answered ${status}`);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / requests.length;
}

function toHttp({ body, headers }: LoadRequest): Parameters<Host['handler']>[0] {
  return {
    ...{ method: 'POST', path: '/flows/booking', query: '', aborted: false },
    receivedAtMs: performance.now(),
    header: (name) => headers[name],
    body: async () => Buffer.from(body),
    onAbort: () => {},
  };
}
