/**
 * Calls to the thread that owns a file, of the inbox or of the state, gathered into groups.
 *
 * While the thread brings one group to the disk, the next gathers here. Alone, a call costs a sync of the disk; a crowd
 * shares one (bench/webhook-intake.ts).
 */
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { type ErrorCode, FlowgateError } from '../errors.ts';
import { STATE_TIMEOUT_MS } from '../state/state-store.ts';
import { INBOX_TIMEOUT_MS } from '../webhooks/inbox.ts';
import type { CallArguments, CallResult, Calls, FileKind, GroupReply, OpenReply, ThreadData } from './sqlite-thread.ts';

interface Limits {
  readonly code: ErrorCode;
  readonly timeoutMs: number;
  /** A larger group makes its first caller wait for its last: 256 rows of the inbox take the thread about 6 ms. */
  readonly maxGroupCalls: number;
  /** Text that may wait for the disk. Beyond it the disk is slower than Meta, and Meta is told to come back. */
  readonly maxWaitingChars: number;
}

const MIB = 1024 * 1024;
const LIMITS: Readonly<Record<FileKind, Limits>> = {
  inbox: { code: 'INBOX_UNAVAILABLE', timeoutMs: INBOX_TIMEOUT_MS, maxGroupCalls: 256, maxWaitingChars: 64 * MIB },
  // A record may be a hundred times an event, and a group of them is read into memory at once.
  state: { code: 'STATE_UNAVAILABLE', timeoutMs: STATE_TIMEOUT_MS, maxGroupCalls: 32, maxWaitingChars: 16 * MIB },
};

export interface GroupCommitOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Called for each group that was written, with what the transaction took. */
  readonly onCommit?: (calls: number, busyMs: number) => void;
}

export class GroupCommit<Kind extends FileKind = 'inbox'> {
  readonly #worker: Worker;
  readonly #kind: FileKind;
  readonly #limits: Limits;
  readonly #options: GroupCommitOptions;
  readonly #exited: Promise<void>;
  #waiting: Call[] = [];
  #waitingChars = 0;
  #inFlight: readonly Call[] = [];
  #cancelTimeout = () => {};
  /** Why no call is taken, while none is. */
  #refusal: 'STALLED' | 'CLOSED' | 'THREAD_DIED' | undefined;
  #isFailing = false;
  #onIdle = () => {};
  #closed: Promise<void> | undefined;

  /** Starts the thread and opens the file. @returns the reason, SQLite's code or `NEWER_SCHEMA`, when that fails. */
  static async start<Kind extends FileKind = 'inbox'>(
    data: ThreadData<Kind>,
    options: GroupCommitOptions,
  ): Promise<GroupCommit<Kind> | string> {
    const worker = new Worker(createRequire(import.meta.url).resolve('#sqlite-thread'), { workerData: data });
    const exited = new Promise((resolve) => worker.once('exit', resolve));
    const opened = await new Promise<OpenReply>((resolve) => {
      worker.once('message', resolve);
      worker.once('error', (error) => resolve({ ok: false, reason: error.name }));
    });
    if (opened.ok) return new GroupCommit<Kind>(worker, data.kind ?? 'inbox', options);
    await exited; // with it goes the hold on the file
    return opened.reason;
  }

  private constructor(worker: Worker, kind: FileKind, options: GroupCommitOptions) {
    this.#worker = worker;
    this.#kind = kind;
    this.#limits = LIMITS[kind];
    this.#options = options;
    this.#exited = new Promise((resolve) => worker.once('exit', () => resolve()));
    worker.removeAllListeners('error');
    worker.on('message', (reply: GroupReply) => this.#finish(reply));
    worker.on('error', (error) => this.#die(error.name));
  }

  /**
   * Resolves when the call's effect is on the disk. Rejects with `INBOX_UNAVAILABLE`, or `STATE_UNAVAILABLE`, when it could
   * not be written, or was not in the time that the inbox, or the state, gives it: then it may be written still.
   *
   * @param chars the text the call carries, for the bound on what waits.
   */
  call<Name extends keyof Calls<Kind> & string>(
    chars: number,
    name: Name,
    ...args: CallArguments<Calls<Kind>[Name]>
  ): Promise<CallResult<Calls<Kind>[Name]>> {
    if (this.#refusal) return Promise.reject(this.#unavailable(this.#refusal));
    if (this.#waitingChars + chars > this.#limits.maxWaitingChars) {
      return Promise.reject(this.#unavailable('TOO_MUCH_WAITS'));
    }
    return new Promise((resolve, reject) => {
      const enqueuedAtMs = this.#options.clock.nowMs();
      this.#waiting.push({ message: [name, ...args], chars, enqueuedAtMs, resolve: resolve as never, reject });
      this.#waitingChars += chars;
      if (this.#inFlight.length === 0) this.#send();
    });
  }

  /** Ends the thread once it has written what it was given, or after the time a call has: a disk may never answer. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#refusal = 'CLOSED';
    const cancel = this.#options.clock.after(this.#limits.timeoutMs, () => void this.#worker.terminate());
    if (this.#inFlight.length > 0) {
      const idle = new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
      await Promise.race([idle, this.#exited]);
    }
    this.#worker.postMessage('close');
    await this.#exited;
    cancel();
  }

  #send(): void {
    const group = this.#waiting.splice(0, this.#limits.maxGroupCalls);
    const [oldest] = group;
    if (!oldest) return;
    for (const { chars } of group) this.#waitingChars -= chars;
    this.#inFlight = group;
    const { clock } = this.#options;
    const leftMs = oldest.enqueuedAtMs + this.#limits.timeoutMs - clock.nowMs();
    this.#cancelTimeout = clock.after(Math.max(0, leftMs), () => this.#stall());
    this.#worker.postMessage(group.map(({ message }) => message));
  }

  #finish(reply: GroupReply): void {
    const group = this.#inFlight;
    this.#cancelTimeout();
    this.#inFlight = [];
    if (this.#refusal === 'STALLED') this.#refusal = undefined;
    if (reply.ok) {
      this.#options.onCommit?.(group.length, reply.busyMs);
      for (const [i, { resolve }] of group.entries()) resolve(reply.results[i]);
    } else {
      this.#rejectAll(group, reply.reason);
    }
    this.#note(reply.ok ? undefined : reply.reason);
    this.#send();
    if (this.#inFlight.length === 0) this.#onIdle();
  }

  /** The disk hangs. Nobody waits for it any longer, and nobody new begins to until it answers. */
  #stall(): void {
    this.#refusal ??= 'STALLED';
    this.#rejectEverything('STALLED');
  }

  #die(reason: string): void {
    this.#cancelTimeout();
    this.#refusal = 'THREAD_DIED';
    this.#rejectEverything(reason);
    this.#inFlight = [];
    this.#onIdle();
  }

  #rejectEverything(reason: string): void {
    this.#rejectAll([...this.#inFlight, ...this.#waiting], reason);
    this.#waiting = [];
    this.#waitingChars = 0;
    this.#note(reason);
  }

  /** One line when it begins to fail and one when it works again, however many calls are concerned. */
  #note(reason: string | undefined): void {
    if ((reason !== undefined) === this.#isFailing) return;
    this.#isFailing = reason !== undefined;
    const { log } = this.#options;
    if (this.#isFailing) log.error({ code: this.#limits.code, reason }, `the ${this.#kind} file cannot be written`);
    else log.info(`the ${this.#kind} file can be written again`);
  }

  #rejectAll(calls: readonly Call[], reason: string): void {
    const error = this.#unavailable(reason);
    for (const { reject } of calls) reject(error);
  }

  #unavailable(reason: string): FlowgateError {
    return new FlowgateError(this.#limits.code, `the ${this.#kind} file cannot be used now (${reason})`);
  }
}

interface Call {
  readonly message: readonly [name: string, ...args: unknown[]];
  readonly chars: number;
  readonly enqueuedAtMs: number;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: FlowgateError) => void;
}
