/** What the service told of the playground's own requests while they ran, by request id. */
import type { RefusedAnswer } from '../flows/guard-reply.ts';
import type { JsonValue } from '../json.ts';
import { setLast } from '../last-used.ts';
import type { Refusal, StageTime } from './api.ts';

/** Each is taken out when its answer is here: only what nobody came back for is left to be pushed out. */
export const MAX_RECORDS = 200;
/** Of what a handler threw. */
export const MAX_MESSAGE_CHARS = 2_000;

export class RequestRecord {
  readonly stages: StageTime[] = [];
  outcome: string | undefined;
  refusal: Refusal | undefined;
  thrown: string | undefined;
  /** For a delivery: of each of its events, whether it was stored. */
  areNew: readonly boolean[] = [];
}

export class RequestRecords {
  readonly #records = new Map<string, RequestRecord>();

  get size(): number {
    return this.#records.size;
  }

  /** Before the request is sent. */
  expect(requestId: string): RequestRecord {
    const record = new RequestRecord();
    setLast(this.#records, requestId, record, MAX_RECORDS);
    return record;
  }

  /** @returns undefined for a request that is none of the playground's. */
  find(requestId: string): RequestRecord | undefined {
    return this.#records.get(requestId);
  }

  forget(requestId: string): void {
    this.#records.delete(requestId);
  }

  /** The answer that was refused first: one of the fallback's comes after it. */
  readonly onViolations = ({ requestId, text, violations }: RefusedAnswer): void => {
    const record = this.find(requestId);
    if (!record || record.refusal) return;
    const told = violations.map(({ screen, key, rule, message }) => ({ screen, key, rule, message }));
    record.refusal = { answer: JSON.parse(text) as JsonValue, violations: told };
  };

  /** The first failure, for the same reason. A refusal is told by itself. */
  readonly onHandlerFailed = (requestId: string, error: unknown): void => {
    const record = this.find(requestId);
    if (record && !record.refusal) record.thrown ??= messageOf(error).slice(0, MAX_MESSAGE_CHARS);
  };
}

/** Anything can be thrown. */
export function messageOf(error: unknown): string {
  try {
    const message = error instanceof Error ? error.message || error.name : error;
    return String(message);
  } catch {
    return 'something that has no text';
  }
}
