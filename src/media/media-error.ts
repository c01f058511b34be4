/**
 * How a file can fail to come: told by status and code alone.
 *
 * A link to a picked file opens it to whoever has the keys, and Node's errors quote hosts and paths: no text of theirs is
 * kept, as message, cause or property.
 */
import { FlowgateError } from '../errors.ts';

interface Circumstances {
  readonly status?: number | undefined;
  readonly isTransient: boolean;
}

/** `MEDIA_UNAVAILABLE`: the file could not be downloaded. */
export class MediaUnavailableError extends FlowgateError {
  /** Of the HTTP reply; absent when none came, or when it is not what failed. */
  readonly status: number | undefined;
  /** The same download may succeed later. */
  readonly isTransient: boolean;

  constructor(message: string, { status, isTransient }: Circumstances) {
    super('MEDIA_UNAVAILABLE', message);
    this.status = status;
    this.isTransient = isTransient;
  }
}

/** What an operating system, Node's HTTP parser and OpenSSL call a cause. */
const SYSTEM_CODE = /^[A-Z][A-Z0-9_]{2,60}$/;

/** It is not what was described: another try would bring the same. */
export function invalid(message: string): FlowgateError {
  return new FlowgateError('MEDIA_INVALID', message);
}

/** Announced, or found by counting. */
export function tooLarge(): FlowgateError {
  return invalid('the file is over the size limit (option maxBytes)');
}

/** No request is made, or none that follows. */
export function refusedHost(reason: string): MediaUnavailableError {
  return new MediaUnavailableError(`the file is not downloaded: ${reason}`, { isTransient: false });
}

/** The host answered, without the file. */
export function badStatus(status: number): MediaUnavailableError {
  const isTransient = status === 408 || status === 429 || status >= 500;
  const isGone = status === 403 || status === 404 || status === 410;
  const hint = isGone ? ': the link is dead, as one to a picked file is after 20 days' : '';
  return new MediaUnavailableError(`the host of the file answered ${status}${hint}`, { status, isTransient });
}

/** Later may be better: a timeout, a full disk, too many downloads. */
export function unavailable(reason: string): MediaUnavailableError {
  return new MediaUnavailableError(reason, { isTransient: true });
}

/** Whatever a socket, the DNS or the HTTP parser fails with. */
export function unreached(error: unknown): FlowgateError {
  if (error instanceof FlowgateError) return error;
  return unavailable(`the file could not be downloaded (${systemCode(error) ?? 'no reason given'})`);
}

export function systemCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' && SYSTEM_CODE.test(code) ? code : undefined;
}
