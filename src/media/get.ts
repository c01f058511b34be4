/**
 * One GET of a file: no redirect followed, no body kept, and a limit on every wait.
 *
 * `node:http` and not `fetch`: only here can the lookup be ours, so that the address that was checked is the one that is
 * called. Each request has a connection of its own, on which nothing else was said.
 */
import { type IncomingHttpHeaders, type IncomingMessage, request as requestInClear } from 'node:http';
import { request as requestOverTls } from 'node:https';
import type { LookupFunction } from 'node:net';
import { urlToHttpOptions } from 'node:url';
import type { Clock } from '../clock.ts';
import { unavailable } from './media-error.ts';

export interface GetOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** Node's own without one. */
  readonly lookup: LookupFunction | undefined;
  /** PEM of the roots to trust in place of Node's own. */
  readonly ca: string | undefined;
  /** For name, connection and TLS. */
  readonly connectMs: number;
  /** For the head of the reply, and between two chunks of its body. */
  readonly idleMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** To be read once. Throws where the connection ends before the body does. */
  body(): AsyncGenerator<Buffer, void, undefined>;
  /** Ends the connection: to be called in any case. */
  close(): void;
}

/** Rejects with `MEDIA_UNAVAILABLE` for a wait that was too long, with the reason of `lookup`, or with Node's error. */
export function get(url: URL, options: GetOptions): Promise<Answer> {
  const { headers, lookup, ca, connectMs, idleMs, clock, signal } = options;
  const isTls = url.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const request = (isTls ? requestOverTls : requestInClear)({
      ...urlToHttpOptions(url),
      headers,
      signal,
      agent: false,
      rejectUnauthorized: true,
      ...(lookup && { lookup }),
      ...(ca !== undefined && { ca }),
    });
    const expire = () => request.destroy(tooSlow());
    let cancel = clock.after(connectMs, expire);
    request.once('socket', (socket) => {
      socket.once(isTls ? 'secureConnect' : 'connect', () => {
        cancel();
        cancel = clock.after(idleMs, expire);
      });
    });
    request.once('response', (message) => {
      cancel();
      resolve(toAnswer(message, options));
    });
    request.on('error', reject);
    request.once('close', () => {
      cancel();
      reject(unavailable('the host of the file gave no answer')); // such as after 101, which is told to nobody
    });
    request.end();
  });
}

function toAnswer(incoming: IncomingMessage, { idleMs, clock }: GetOptions): Answer {
  async function* body(): AsyncGenerator<Buffer, void, undefined> {
    const chunks = incoming[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    for (;;) {
      const cancel = clock.after(idleMs, () => incoming.destroy(tooSlow()));
      const { done, value } = await chunks.next().finally(cancel);
      if (done) return;
      yield value;
    }
  }
  const { statusCode: status = 0, headers } = incoming;
  return { status, headers, body, close: () => incoming.destroy() };
}

function tooSlow(): Error {
  return unavailable('the host of the file is too slow');
}
