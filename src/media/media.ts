/**
 * Files of users: picked in a Flow, or sent to a business number.
 *
 * One `Media` a process, which bounds its downloads; one scope for each handler that runs, which lets nothing outlive it:
 * when the scope is disposed of, downloads under way are given up and every file is gone.
 */
import { tmpdir } from 'node:os';
import { type Clock, systemClock } from '../clock.ts';
import { type Duration, toMs } from '../duration.ts';
import { codeOf } from '../errors.ts';
import type { Resolve } from './addresses.ts';
import { Downloader } from './download.ts';
import { type DownloadedFile, openChecked } from './downloaded-file.ts';
import { DEFAULT_MEDIA_HOSTS, HostList } from './hosts.ts';
import { MediaUnavailableError, unavailable } from './media-error.ts';
import { createScope, type MediaScope } from './scope.ts';
import { Slots } from './slots.ts';
import type { MediaSource } from './source.ts';

/** What a picker takes at most. */
export const DEFAULT_MAX_BYTES = 25 * 1024 * 1024;
const LARGEST_MAX_BYTES = 100 * 1024 * 1024;
const MAX_DOWNLOADS = 8;
const MAX_WAITING = 256;

export interface MediaOptions {
  /**
   * In place of Meta's: `media.example.com`, `*.example.com`, or an origin such as `http://127.0.0.1:9000`, which alone
   * may be http, of another port, or at an address that is not public.
   */
  readonly hosts?: readonly string[];
  /** Of one file: 25 MiB by default, 100 MiB at most. */
  readonly maxBytes?: number;
  /** To find and reach a host: `'5s'` by default. */
  readonly connectTimeout?: Duration;
  /** Without a byte from it: `'10s'` by default. */
  readonly idleTimeout?: Duration;
  /** For one file, with its wait for a turn: `'60s'` by default. A handler's own deadline ends it earlier. */
  readonly timeout?: Duration;
  /** For temporary files: the system's by default. One that is kept in memory (tmpfs) keeps the files there, too. */
  readonly directory?: string;
}

export interface MediaDeps {
  readonly clock?: Clock;
  /** As `dns.lookup` with `all`. */
  readonly resolve?: Resolve;
  /** PEM of the roots to trust in place of Node's own. */
  readonly ca?: string;
  /** After each download. @param outcome `ok`, `aborted`, or an error code in lower case. */
  readonly onDownload?: (outcome: string, durationMs: number) => void;
}

interface Limits {
  readonly maxBytes: number;
  readonly totalMs: number;
}

export class Media {
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #downloader: Downloader;
  readonly #onDownload: (outcome: string, durationMs: number) => void;
  readonly #slots = new Slots(MAX_DOWNLOADS, MAX_WAITING);

  /** @throws TypeError for an option that is out of its bounds. */
  constructor(options: MediaOptions = {}, deps: MediaDeps = {}) {
    const { clock = systemClock, resolve, ca, onDownload = () => {} } = deps;
    this.#clock = clock;
    this.#onDownload = onDownload;
    this.#limits = {
      maxBytes: checkedBytes(options.maxBytes ?? DEFAULT_MAX_BYTES),
      totalMs: toMs('timeout', options.timeout ?? '60s', '1h'),
    };
    this.#downloader = new Downloader({
      hosts: new HostList(options.hosts ?? DEFAULT_MEDIA_HOSTS),
      directory: options.directory ?? tmpdir(),
      connectMs: toMs('connectTimeout', options.connectTimeout ?? '5s', '1m'),
      idleMs: toMs('idleTimeout', options.idleTimeout ?? '10s', '5m'),
      clock,
      resolve,
      ca,
    });
  }

  /** @param signal of the handler: everything is given up with it. */
  scope(signal?: AbortSignal): MediaScope {
    const { maxBytes } = this.#limits;
    return createScope({ download: (source, own) => this.#download(source, own), maxBytes, signal });
  }

  async #download(source: MediaSource, signal: AbortSignal): Promise<DownloadedFile> {
    const startedMs = this.#clock.nowMs();
    const timeout = new AbortController();
    const cancel = this.#clock.after(this.#limits.totalMs, () => timeout.abort(tooLong()));
    let outcome = 'ok';
    try {
      return await this.#inTurn(source, AbortSignal.any([signal, timeout.signal]));
    } catch (error) {
      outcome = signal.aborted ? 'aborted' : codeOf(error).toLowerCase();
      throw error;
    } finally {
      cancel();
      this.#onDownload(outcome, this.#clock.nowMs() - startedMs);
    }
  }

  async #inTurn(source: MediaSource, signal: AbortSignal): Promise<DownloadedFile> {
    const giveBack = await this.#slots.take(signal);
    try {
      const { maxBytes } = this.#limits;
      const { kept, encryption, hashes } = await this.#fetch(source, signal);
      return await openChecked(kept, { encryption, hashes, maxBytes, signal });
    } finally {
      giveBack();
    }
  }

  /** A link that lives minutes may have died since it was made: a new one is asked for, once. */
  async #fetch(source: MediaSource, signal: AbortSignal) {
    for (let isRenewed = false; ; isRenewed = true) {
      const order = await source.order(signal);
      try {
        return { ...order, kept: await this.#downloader.fetch(order, signal) };
      } catch (error) {
        const isGone = error instanceof MediaUnavailableError && error.status === 404;
        if (!isGone || !source.isRenewable || isRenewed) throw error;
      }
    }
  }
}

function checkedBytes(maxBytes: number): number {
  if (Number.isSafeInteger(maxBytes) && maxBytes >= 1 && maxBytes <= LARGEST_MAX_BYTES) return maxBytes;
  throw new TypeError('maxBytes of media must be a whole number from 1 to 104857600 (100 MiB)');
}

function tooLong(): Error {
  return unavailable('the download of the file took too long');
}
