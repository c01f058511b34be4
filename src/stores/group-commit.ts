/**
 * Calls to the thread that owns the inbox file, gathered into groups.
 *
 * While the thread brings one group to the disk, the next gathers here. Alone, a call costs a sync of the disk; a crowd
 * shares one (bench/webhook-intake.ts).
 */
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { FlowgateError } from '../errors.ts';
import { INBOX_TIMEOUT_MS } from '../webhooks/inbox.ts';
import type { CallArguments, CallName, CallResult, GroupReply, OpenReply, ThreadData } from './sqlite-thread.ts';

/** A larger group makes its first caller wait for its last: 256 rows take the thread about 6 ms. */
const MAX_GROUP_CALLS = 256;
/** Text that may wait for the disk. Beyond it the disk is slower than Meta, and Meta is told to come back. */
const MAX_WAITING_CHARS = 64 * 1024 * 1024;

export interface GroupCommitOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Called for each group that was written, with what the transaction took. */
  readonly onCommit?: (calls: number, busyMs: number) => void;
}

export class GroupCommit {
  readonly #worker: Worker;
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
  static async start(data: ThreadData, options: GroupCommitOptions): Promise<GroupCommit | string> {
    const worker = new Worker(createRequire(import.meta.url).resolve('#sqlite-thread'), { workerData: data });
    const exited = new Promise((resolve) => worker.once('exit', resolve));
    const opened = await new Promise<OpenReply>((resolve) => {
      worker.once('message', resolve);
      worker.once('error', (error) => resolve({ ok: false, reason: error.name }));
    });
    if (opened.ok) return new GroupCommit(worker, options);
    await exited; // with it goes the hold on the file
    return opened.reason;
  }

  private constructor(worker: Worker, options: GroupCommitOptions) {
    this.#worker = worker;
    this.#options = options;
    this.#exited = new Promise((resolve) => worker.once('exit', () => resolve()));
    worker.removeAllListeners('error');
    worker.on('message', (reply: GroupReply) => this.#finish(reply));
    worker.on('error', (error) => this.#die(error.name));
  }

  /**
   * Resolves when the call's effect is on the disk. Rejects with `INBOX_UNAVAILABLE` when it could not be written, or was
   * not within `INBOX_TIMEOUT_MS`: then it may be written still.
   *
   * @param chars the text the call carries, for the bound on what waits.
   */
  call<K extends CallName>(chars: number, name: K, ...args: CallArguments<K>): Promise<CallResult<K>> {
    if (this.#refusal) return Promise.reject(unavailable(this.#refusal));
    if (this.#waitingChars + chars > MAX_WAITING_CHARS) return Promise.reject(unavailable('TOO_MUCH_WAITS'));
    return new Promise((resolve, reject) => {
      const enqueuedAtMs = this.#options.clock.nowMs();
      this.#waiting.push({ message: [name, ...args], chars, enqueuedAtMs, resolve: resolve as never, reject });
      this.#waitingChars += chars;
      if (this.#inFlight.length === 0) this.#send();
    });
  }

  /** Ends the thread once it has written what it was given, or after `INBOX_TIMEOUT_MS`: a disk may never answer. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#refusal = 'CLOSED';
    const cancel = this.#options.clock.after(INBOX_TIMEOUT_MS, () => void this.#worker.terminate());
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
    const group = this.#waiting.splice(0, MAX_GROUP_CALLS);
    const [oldest] = group;
    if (!oldest) return;
    for (const { chars } of group) this.#waitingChars -= chars;
    this.#inFlight = group;
    const { clock } = this.#options;
    const leftMs = oldest.enqueuedAtMs + INBOX_TIMEOUT_MS - clock.nowMs();
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
      rejectAll(group, reply.reason);
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
    rejectAll([...this.#inFlight, ...this.#waiting], reason);
    this.#waiting = [];
    this.#waitingChars = 0;
    this.#note(reason);
  }

  /** One line when it begins to fail and one when it works again, however many calls are concerned. */
  #note(reason: string | undefined): void {
    if ((reason !== undefined) === this.#isFailing) return;
    this.#isFailing = reason !== undefined;
    const { log } = this.#options;
    if (this.#isFailing) log.error({ code: 'INBOX_UNAVAILABLE', reason }, 'the inbox file cannot be written');
    else log.info('the inbox file can be written again');
  }
}

interface Call {
  readonly message: readonly [CallName, ...unknown[]];
  readonly chars: number;
  readonly enqueuedAtMs: number;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: FlowgateError) => void;
}

function rejectAll(calls: readonly Call[], reason: string): void {
  const error = unavailable(reason);
  for (const { reject } of calls) reject(error);
}

function unavailable(reason: string): FlowgateError {
  return new FlowgateError('INBOX_UNAVAILABLE', `the inbox file cannot be used now (${reason})`);
}
