/**
 * Lines about refusals that anybody can cause, or that come in crowds: at most one a minute for each code.
 *
 * Without a line a wrong `APP_SECRET` would show in the metrics alone; with one for each refusal a forger could fill the disk.
 */
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { ErrorCode } from '../errors.ts';
import { type HeaderSource, requestIdOf } from './request-id.ts';

export const SILENT_MS = 60_000;

/** Whatever is not here is logged where it happens, each time, or is nobody's failure. */
const TOLD: ReadonlySet<ErrorCode> = new Set([
  'SIGNATURE_INVALID',
  'WEBHOOK_SIGNATURE_INVALID',
  'VERIFY_TOKEN_INVALID',
  'BODY_TOO_LARGE',
  'BODY_INCOMPLETE',
  'POOL_SATURATED',
  'DEADLINE_EXPIRED',
  'INBOX_UNAVAILABLE',
  'INBOX_FULL',
  'TENANT_UNKNOWN',
  'TENANT_UNAVAILABLE',
]);

/** Of one path. It never holds more than one entry for each code. */
export class RefusalLog {
  readonly #path: string;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #byCode = new Map<ErrorCode, { count: number; silentUntilMs: number }>();

  constructor(path: string, { log, clock }: { readonly log: Logger; readonly clock: Clock }) {
    this.#path = path;
    this.#log = log;
    this.#clock = clock;
  }

  /**
   * Writes a line, or counts for the next one: `count` is how many there were since the last line, this one included.
   * @param why a sentence of ours, with nothing of the request in it.
   */
  note(code: ErrorCode, why: string, request: HeaderSource): void {
    if (!TOLD.has(code)) return;
    const nowMs = this.#clock.nowMs();
    const entry = this.#byCode.get(code) ?? { count: 0, silentUntilMs: nowMs };
    this.#byCode.set(code, entry);
    entry.count += 1;
    if (nowMs < entry.silentUntilMs) return;
    const { count } = entry;
    this.#log.warn({ code, path: this.#path, requestId: requestIdOf(request), count }, why);
    entry.count = 0;
    entry.silentUntilMs = nowMs + SILENT_MS;
  }
}
