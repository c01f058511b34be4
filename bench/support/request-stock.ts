/**
 * Requests ready to be written to a socket, made before the measured time: sealing costs 20 us each, which the server
 * under test would miss.
 *
 * Every request is handed out once and never again: the server answers a repeated Flow request from memory, without RSA,
 * and stores a repeated event once.
 */
import { createRequestStream, type LoadRequest } from '../../dist/testing/load.js';
import type { Credentials } from './credentials.ts';

/** Every so many requests one can be opened, and its answer is checked. */
export const CHECK_EVERY = 20;
/** 100 000 requests are some 110 MB. */
export const MAX_STOCK = 600_000;

export interface ReadyRequest {
  readonly bytes: Buffer;
  /** Opens the answer; only on every 20th request. */
  readonly open: LoadRequest['open'] | undefined;
}

/** What a generator sends, and what it takes for a right answer. */
export interface Load {
  next(): ReadyRequest;
  /** @returns what is wrong with an answer, if anything is. Called once for each answer. */
  mistakeIn(status: number, body: () => string, request: ReadyRequest): string | undefined;
}

export class RequestStock {
  readonly #make: () => ReadyRequest;
  #slab = Buffer.alloc(0);
  #requestBytes = 1;
  #taken = 0;
  #count = 0;
  readonly #opens: ReadyRequest['open'][] = [];

  /** @param make a new request each time, all of one length. */
  constructor(make: () => ReadyRequest) {
    this.#make = make;
  }

  /** Replaces what is left by `count` new requests; more than memory should hold are made when they are asked for. */
  fill(count: number): void {
    const first = this.#make();
    this.#requestBytes = first.bytes.byteLength;
    this.#count = Math.min(Math.ceil(count), MAX_STOCK);
    this.#taken = 0;
    this.#opens.length = 0;
    // In one piece, so that there is nothing for the garbage collector to trace.
    this.#slab = Buffer.allocUnsafeSlow(this.#count * this.#requestBytes);
    for (let i = 0; i < this.#count; i++) {
      const { bytes, open } = i === 0 ? first : this.#make();
      if (bytes.copy(this.#slab, i * this.#requestBytes) !== this.#requestBytes) throw new TypeError('lengths differ');
      if (i % CHECK_EVERY === 0) this.#opens.push(open);
    }
  }

  next(): ReadyRequest {
    const index = this.#taken++;
    const isChecked = index % CHECK_EVERY === 0;
    if (index >= this.#count) {
      const { bytes, open } = this.#make();
      return { bytes, open: isChecked ? open : undefined };
    }
    const start = index * this.#requestBytes;
    const open = isChecked ? this.#opens[index / CHECK_EVERY] : undefined;
    return { bytes: this.#slab.subarray(start, start + this.#requestBytes), open };
  }
}

/** @param payload what every request decrypts to. */
export function sealedRequests(credentials: Credentials, path: string, payload: object): () => ReadyRequest {
  const stream = createRequestStream(payload, credentials);
  return () => {
    const { body, headers, open } = stream.next();
    return { bytes: requestBytes('POST', path, headers, body), open };
  };
}

/** @param body ASCII. */
export function requestBytes(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body = '',
): Buffer {
  const lines = Object.entries({ Host: '127.0.0.1', ...headers, 'Content-Length': body.length });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${head}\r\n${body}`, 'latin1');
}
