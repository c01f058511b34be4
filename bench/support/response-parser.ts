/**
 * Takes HTTP/1.1 responses off a connection, one at a time: only what a load generator needs, so that it costs little.
 *
 * Understands a status line and `Content-Length`; anything else a server could frame a body with is an error.
 */
const HEAD_END = '\r\n\r\n';
const MAX_HEAD_BYTES = 16 * 1024;
const LENGTH = /\r\ncontent-length: *(\d{1,9}) *\r\n/i;
const CLOSES = /\r\nconnection: *close *\r\n/i;
const NOTHING: Buffer = Buffer.alloc(0);

export class ResponseParser {
  /** Of the response that `push` completed; so is everything below. */
  status = 0;
  /** The server will close the connection. */
  isLast = false;
  #held = NOTHING;
  #response = NOTHING;
  #bodyStart = 0;

  /**
   * @param chunk read before this returns; what must be kept is copied, so its memory may be used again.
   * @returns true when a response is complete. @throws Error when the bytes are no such response, or more than one.
   */
  push(chunk: Buffer): boolean {
    const bytes = this.#held.byteLength === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const end = this.#parse(bytes);
    if (end > bytes.byteLength) {
      this.#held = bytes === chunk ? Buffer.from(chunk) : bytes;
      return false;
    }
    if (end < bytes.byteLength) throw new Error('the server sent more than one answer to a request');
    this.#held = NOTHING;
    this.#response = bytes;
    return true;
  }

  /** Valid until the next `push`. */
  body(): string {
    return this.#response.toString('latin1', this.#bodyStart);
  }

  /** @returns where the response ends, Infinity while its head is not all there. */
  #parse(bytes: Buffer): number {
    const headEnd = bytes.indexOf(HEAD_END);
    if (headEnd === -1) {
      if (bytes.byteLength > MAX_HEAD_BYTES) throw new Error('the head of an answer does not end');
      return Number.POSITIVE_INFINITY;
    }
    const head = bytes.toString('latin1', 0, headEnd + 2);
    this.status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
    const length = LENGTH.exec(head)?.[1];
    if (!this.status || length === undefined) throw new Error(`not an answer of known length: ${head.slice(0, 60)}`);
    this.isLast = CLOSES.test(head);
    this.#bodyStart = headEnd + HEAD_END.length;
    return this.#bodyStart + Number(length);
  }
}
