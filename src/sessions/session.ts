/**
 * What a handler keeps between the screens of one Flow.
 *
 * A session belongs to one flow token. It is read when it is asked for, and not at all by handlers that do not ask.
 * Every call rejects with `STATE_UNAVAILABLE` when its store is away; an `update` may then have been kept or not.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Duration } from '../duration.ts';
import { FlowgateError } from '../errors.ts';
import { stateKey } from '../state/state-key.ts';
import type { StateStore } from '../state/state-store.ts';
import { fromSessionText, toSessionText } from './session-json.ts';

/** Of one flow token. */
export interface Session<T> {
  /**
   * @returns undefined where nothing was kept, or it has expired. Rejects with `SESSION_INVALID` when what was kept does
   *   not fit the schema any more.
   */
  get(): Promise<T | undefined>;
  /**
   * Keeps `value` instead of what was there. Rejects with `SESSION_INVALID` for what does not fit the schema or JSON,
   * and with `SESSION_TOO_LARGE` beyond 64 KiB; nothing is kept then.
   */
  set(value: T): Promise<void>;
  /**
   * Keeps what `change` makes of what is there, and returns it. When another request wrote in between, `change` is
   * called again with what that one kept: it must be safe to call more than once. Nothing is kept when it throws.
   * Rejects as `get` and `set` do, and with `SESSION_CONFLICT` when another was faster ten times.
   */
  update(change: (current: T | undefined) => T | Promise<T>): Promise<T>;
  /** Forgets it. */
  delete(): Promise<void>;
}

/** Meta's advice for the life of a flow token: two or three days. */
export const DEFAULT_SESSION_TTL: Duration = '3d';
export const MAX_SESSION_TTL: Duration = '30d';
const MAX_TRIES = 10;

export interface SessionInput<T> {
  readonly state: StateStore;
  readonly flow: string;
  readonly token: string | undefined;
  /** Must accept its own output: that is what is kept, and validated again when it is read. */
  readonly schema: StandardSchemaV1<unknown, T>;
  /** Begins anew with each write. */
  readonly ttlMs: number;
  /** Whoever asks: `update` does not try again once its signal has fired. */
  readonly request: { readonly signal: AbortSignal };
}

/** Checks nothing yet, so that making one costs a handler nothing: a missing token is told by the first call. */
export function createSession<T>(input: SessionInput<T>): Session<T> {
  return new StoredSession(input);
}

class StoredSession<T> implements Session<T> {
  readonly #input: SessionInput<T>;

  constructor(input: SessionInput<T>) {
    this.#input = input;
  }

  async get(): Promise<T | undefined> {
    return (await this.#read(this.#key())).value;
  }

  async set(value: T): Promise<void> {
    const key = this.#key();
    const { text } = await this.#prepare(value);
    const { state, ttlMs } = this.#input;
    await state.put(key, { value: text, ttlMs });
  }

  /** Tries again without a pause: each conflict means that another write went through, so they come to an end. */
  async update(change: (current: T | undefined) => T | Promise<T>): Promise<T> {
    const key = this.#key();
    const { state, ttlMs, request } = this.#input;
    for (let tries = 1; ; tries++) {
      const { value, version } = await this.#read(key);
      const { output, text } = await this.#prepare(await change(value));
      if ((await state.put(key, { value: text, ttlMs, ifVersion: version })) !== undefined) return output;
      if (tries === MAX_TRIES) break;
      request.signal.throwIfAborted();
    }
    throw new FlowgateError('SESSION_CONFLICT', `the session changed under each of ${MAX_TRIES} tries to update it`);
  }

  async delete(): Promise<void> {
    await this.#input.state.delete(this.#key());
  }

  /** A session under a token that many users share would show one user the data of another. */
  #key(): string {
    const { flow, token } = this.#input;
    if (token !== undefined && token !== 'unused') return stateKey('session', flow, token);
    const fix = 'send the Flow with a flow_token of its own, as app.tokens.mint makes them';
    throw new FlowgateError('SESSION_INVALID', `the request has no flow token to keep a session under: ${fix}`);
  }

  async #read(key: string): Promise<{ readonly value: T | undefined; readonly version: number }> {
    const record = await this.#input.state.get(key);
    if (!record) return { value: undefined, version: 0 };
    let kept: unknown;
    try {
      kept = fromSessionText(record.value);
    } catch {
      throw misfit(undefined); // its message would quote the text
    }
    return { value: await this.#validate(kept, misfit), version: record.version };
  }

  async #prepare(value: unknown): Promise<{ readonly output: T; readonly text: string }> {
    const output = await this.#validate(value, unfit);
    return { output, text: toSessionText(output) };
  }

  /** @param refuse makes the error for a value that does not fit. */
  async #validate(value: unknown, refuse: (cause: Error) => FlowgateError): Promise<T> {
    let issues: string;
    try {
      const result = await this.#input.schema['~standard'].validate(value);
      if (!result.issues) return result.value;
      issues = result.issues.map(({ message }) => message).join('; ');
    } catch (cause) {
      throw new FlowgateError('SESSION_INVALID', 'the schema of the session threw', { cause });
    }
    throw refuse(new TypeError(issues));
  }
}

/** Issues may quote what the user typed, so they go into the cause, whose message is logged only where that is asked for. */
function unfit(cause: Error): FlowgateError {
  return new FlowgateError('SESSION_INVALID', 'the value does not fit the schema of the session', { cause });
}

function misfit(cause: Error | undefined): FlowgateError {
  const fix = 'delete or set it, or let the schema accept what it put out before';
  return new FlowgateError('SESSION_INVALID', `the session that was kept does not fit its schema: ${fix}`, { cause });
}
