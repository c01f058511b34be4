/**
 * One request and its one answer: what both HTTP servers share.
 *
 * A server extends this with how bytes come in and go out. Here live the rules: the handler runs once, exactly one
 * answer is sent or none (the client left), and an answer always comes, because a timer of our own gives it in the end.
 */
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { codeOf, FlowgateError, STATUS_BY_CODE, stackOf, statusOf } from '../errors.ts';
import { type HeaderSource, requestIdOf } from './request-id.ts';
import type { HttpReply, HttpRequest, HttpServerOptions } from './server.ts';

export abstract class Exchange implements HttpRequest {
  abstract readonly method: string;
  abstract readonly path: string;
  abstract readonly query: string;
  readonly receivedAtMs: number;
  aborted = false;

  #answered = false;
  #body: BodyInProgress | undefined;
  #abortListeners: (() => void)[] | undefined;
  readonly #options: HttpServerOptions;
  readonly #inFlight: InFlight;
  readonly #cancelTimeout: () => void;

  constructor(options: HttpServerOptions, inFlight: InFlight) {
    this.#options = options;
    this.#inFlight = inFlight;
    inFlight.enter();
    this.receivedAtMs = options.clock.nowMs();
    this.#cancelTimeout = options.clock.after(options.exchangeTimeoutMs, () => this.#timeOut());
  }

  abstract header(name: string): string | undefined;
  /** Makes the body arrive at `receive`. */
  protected abstract readBody(): void;
  /**
   * Writes the answer, then closes the connection if told to; called at most once, never after an abort.
   * @param onSent to be called once, when closing the server would no longer cut the answer off.
   */
  protected abstract send(reply: HttpReply, close: boolean, onSent: () => void): void;

  body(maxBytes: number): Promise<Buffer> {
    if ((declaredLength(this.header('content-length')) ?? 0) > maxBytes) return Promise.reject(tooLarge(maxBytes));
    return new Promise((resolve, reject) => {
      this.#body = { maxBytes, chunks: [], bytes: 0, resolve, reject };
      this.readBody();
    });
  }

  onAbort(listener: () => void): void {
    if (this.#answered) return;
    if (this.aborted) listener();
    else if (this.#abortListeners) this.#abortListeners.push(listener);
    else this.#abortListeners = [listener];
  }

  /** Runs the handler and answers with what it returns. Never throws, never rejects. */
  async run(): Promise<void> {
    try {
      this.#answer(await this.#options.handler(this));
    } catch (error) {
      this.#answer(replyOf(error, this.#options.log, this));
    }
  }

  /** The server calls this with each piece of the body, which must be a copy the exchange may keep. */
  protected receive(chunk: Buffer, isLast: boolean): void {
    const body = this.#body;
    if (!body) return;
    body.bytes += chunk.byteLength;
    if (body.bytes > body.maxBytes) {
      this.#body = undefined;
      body.reject(tooLarge(body.maxBytes));
      return;
    }
    if (!isLast) {
      body.chunks.push(chunk);
      return;
    }
    this.#body = undefined;
    body.resolve(body.chunks.length === 0 ? chunk : Buffer.concat([...body.chunks, chunk], body.bytes));
  }

  /** The server calls this when the client is gone. */
  protected abort(): void {
    if (this.aborted || this.#answered) return;
    this.aborted = true;
    this.#cancelTimeout();
    this.#dropBody();
    for (const listener of this.#abortListeners ?? []) listener();
    this.#inFlight.leave();
  }

  #answer(reply: HttpReply): void {
    if (this.aborted || this.#answered) return;
    this.#answered = true;
    this.#cancelTimeout();
    this.#dropBody();
    this.send(reply, reply.close === true || this.#inFlight.draining, () => this.#inFlight.leave());
  }

  #timeOut(): void {
    const { log } = this.#options;
    const error = this.#body
      ? new FlowgateError('BODY_INCOMPLETE', 'the body did not arrive in time')
      : new FlowgateError('EXCHANGE_TIMEOUT', 'a handler gave no answer in time');
    this.#body?.reject(error); // so that who waits for it counts what it was
    if (!this.#body) log.error({ code: 'EXCHANGE_TIMEOUT', requestId: requestIdOf(this) }, error.message);
    this.#answer(replyOf(error, log, this));
  }

  /** Ends a wait for bytes that will not come. */
  #dropBody(): void {
    this.#body?.reject(new FlowgateError('CLIENT_GONE', 'the body ended early'));
    this.#body = undefined;
  }
}

interface BodyInProgress {
  readonly maxBytes: number;
  readonly chunks: Buffer[];
  bytes: number;
  readonly resolve: (body: Buffer) => void;
  readonly reject: (error: FlowgateError) => void;
}

/** Counts the exchanges that still owe an answer, and tells when there are none. */
export class InFlight {
  /** True once the server is closing: every answer from now on closes its connection. */
  draining = false;
  #count = 0;
  #onEmpty: (() => void) | undefined;

  enter(): void {
    this.#count += 1;
  }

  leave(): void {
    this.#count -= 1;
    if (this.#count === 0) this.#onEmpty?.();
  }

  /** Resolves when nothing is in flight, or after `graceMs`. */
  drain(graceMs: number, clock: Clock): Promise<void> {
    this.draining = true;
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = clock.after(graceMs, resolve);
      this.#onEmpty = () => {
        cancel();
        resolve();
      };
    });
  }
}

/** For a request beyond capacity. Made once: at five times the capacity it is the answer to most of them. */
export const COME_BACK: HttpReply = { status: STATUS_BY_CODE.POOL_SATURATED, headers: { 'Retry-After': '1' } };

/** Bodiless: why it failed is for the log, not for the client. A defect is logged here, with where it came from. */
export function replyOf(error: unknown, log: Logger, request: HeaderSource): HttpReply {
  const code = codeOf(error);
  if (code === 'INTERNAL') {
    log.error({ code, requestId: requestIdOf(request), stack: stackOf(error) }, 'a request failed on a defect');
  }
  const close = code === 'BODY_TOO_LARGE' || code === 'BODY_INCOMPLETE' || code === 'EXCHANGE_TIMEOUT';
  if (code === 'POOL_SATURATED' || code === 'DEADLINE_EXPIRED') return COME_BACK;
  return { status: statusOf(error), close };
}

/** `content-length` as a number, or undefined when absent or not a plain decimal. */
export function declaredLength(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}

export function tooLarge(maxBytes: number): FlowgateError {
  return new FlowgateError('BODY_TOO_LARGE', `the body is larger than ${maxBytes} bytes`);
}
