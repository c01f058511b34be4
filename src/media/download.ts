/**
 * Brings a file from where it is kept into a temporary file, and checks on the way that it is the one that was described.
 *
 * The host, its addresses and every redirect are checked before they are called; the size is checked as announced, and
 * counted. A connection that is lost is made once more.
 */
import type { LookupFunction } from 'node:net';
import type { Clock } from '../clock.ts';
import { type MediaEncryption, type MediaFault, MediaVerifier } from '../crypto/media.ts';
import { publicLookup, type Resolve } from './addresses.ts';
import { type Answer, get } from './get.ts';
import type { AllowedUrl, HostList } from './hosts.ts';
import { badStatus, invalid, refusedHost, systemCode, tooLarge, unreached } from './media-error.ts';
import { TempFile } from './temp-file.ts';

export const MAX_REDIRECTS = 3;
const ATTEMPTS = 2;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** The connection was there, and ended: of a CDN with many machines another one may answer. */
const LOST: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'EPIPE']);
/** Facebook's CDN answers no client that does not name itself. */
const USER_AGENT = 'flowgate';

export interface DownloadDeps {
  readonly hosts: HostList;
  /** Where temporary files are made. */
  readonly directory: string;
  readonly connectMs: number;
  readonly idleMs: number;
  readonly clock: Clock;
  readonly resolve?: Resolve | undefined;
  readonly ca?: string | undefined;
}

export interface DownloadOrder {
  readonly url: string;
  /** Of the file as it is sent. */
  readonly maxBytes: number;
  /** Sent to the host of `url`, and after a redirect only to the same origin. */
  readonly authorization?: string | undefined;
  /** For a file that is sealed. */
  readonly encryption?: MediaEncryption | undefined;
}

export class Downloader {
  readonly #deps: DownloadDeps;
  readonly #lookup: LookupFunction;

  constructor(deps: DownloadDeps) {
    this.#deps = deps;
    this.#lookup = publicLookup(deps.resolve);
  }

  /**
   * @returns the file as it was sent, to be disposed of; sealed, it is without a fault.
   *   Rejects with `MEDIA_INVALID`, `MEDIA_UNAVAILABLE`, or the reason of `signal`.
   */
  async fetch(order: DownloadOrder, signal: AbortSignal): Promise<TempFile> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(order, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (attempt >= ATTEMPTS || !LOST.has(systemCode(error))) throw unreached(error);
      }
    }
  }

  async #attempt(order: DownloadOrder, signal: AbortSignal): Promise<TempFile> {
    const answer = await this.#follow(order, signal);
    try {
      checkHead(answer, order.maxBytes);
      return await store(answer, order, this.#deps.directory);
    } finally {
      answer.close();
    }
  }

  async #follow(order: DownloadOrder, signal: AbortSignal): Promise<Answer> {
    const { hosts } = this.#deps;
    const start = hosts.check(order.url);
    let next = start;
    for (let redirects = 0; ; redirects++) {
      const isSameOrigin = next.url.origin === start.url.origin;
      const answer = await this.#get(next, isSameOrigin ? order.authorization : undefined, signal);
      const { location } = answer.headers;
      if (!REDIRECTS.has(answer.status) || location === undefined) return answer;
      answer.close();
      if (redirects >= MAX_REDIRECTS) throw refusedHost(`its host redirects more than ${MAX_REDIRECTS} times`);
      next = hosts.check(location, next.url);
    }
  }

  #get({ url, allowsPrivate }: AllowedUrl, authorization: string | undefined, signal: AbortSignal): Promise<Answer> {
    const { connectMs, idleMs, clock, ca } = this.#deps;
    const headers = {
      Accept: '*/*',
      'Accept-Encoding': 'identity',
      'User-Agent': USER_AGENT,
      ...(authorization !== undefined && { Authorization: authorization }),
    };
    const lookup = allowsPrivate ? undefined : this.#lookup;
    return get(url, { headers, lookup, ca, connectMs, idleMs, clock, signal });
  }
}

/** Before a byte of the body is read. */
function checkHead({ status, headers }: Answer, maxBytes: number): void {
  if (status !== 200) throw badStatus(status);
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (encoding !== '' && encoding !== 'identity') throw invalid('the host of the file sent it compressed');
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
}

async function store(answer: Answer, { maxBytes, encryption }: DownloadOrder, directory: string): Promise<TempFile> {
  const verifier = encryption && new MediaVerifier(encryption);
  const file = await TempFile.create(directory);
  try {
    for await (const chunk of answer.body()) {
      if (file.sizeBytes + chunk.length > maxBytes) throw tooLarge();
      verifier?.update(chunk);
      await file.append(chunk);
    }
    const fault = verifier?.fault();
    if (fault) throw notThePicked(fault, isWebPage(answer));
    return file;
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

/** What a CDN answers with when it has something to tell to a person. */
function isWebPage({ headers }: Answer): boolean {
  return /^text\/html\b/i.test(headers['content-type']?.trim() ?? '');
}

const FAULTS: Readonly<Record<MediaFault, string>> = {
  hash: 'its hash differs, so it was cut short or changed',
  length: 'its length is no ciphertext',
  mac: 'its MAC differs',
};

function notThePicked(fault: MediaFault, isPage: boolean): Error {
  if (isPage) return invalid('the host answered with a web page in place of the file');
  return invalid(`the file is not the one that was picked: ${FAULTS[fault]}`);
}
