/**
 * Times the stages of the playground's requests where they happen, and passes every event on to the app's own tracer.
 *
 * Stages do not overlap: a handler's ends where the guard's begins. What a handler does after its deadline belongs to
 * none, as the fallback's has begun.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '../clock.ts';
import { requestIdOf } from '../http/request-id.ts';
import type { HttpRequest } from '../http/server.ts';
import type { AttemptTrace, DeliveryTrace, FlowTrace, Tracing } from '../tracing/tracing.ts';
import type { Stage } from './api.ts';
import { RequestRecord, type RequestRecords } from './request-records.ts';

/** @param own the app's tracer, where it has one. */
export function stageTracing(records: RequestRecords, clock: Clock, own: Tracing | undefined): Tracing {
  return {
    flowRequest(flow, request) {
      const record = records.find(requestIdOf(request)) ?? new RequestRecord();
      return new StagedTrace(record, request.receivedAtMs, clock, own?.flowRequest(flow, request));
    },
    delivery(request: HttpRequest) {
      const record = records.find(requestIdOf(request)) ?? new RequestRecord();
      return recordedDelivery(record, own?.delivery(request));
    },
    attempt: (type, attempt, cause) => own?.attempt(type, attempt, cause) ?? UNTRACED,
  };
}

const UNTRACED: AttemptTrace = { traceparent: undefined, run: (work) => work(), end() {} };

function recordedDelivery(record: RequestRecord, own: DeliveryTrace | undefined): DeliveryTrace {
  return {
    traceparent: own?.traceparent,
    run: (work) => (own ? own.run(work) : work()),
    append: (engine, work) => (own ? own.append(engine, work) : work()),
    stored(events, areNew) {
      record.areNew = areNew;
      own?.stored(events, areNew);
    },
    end(outcome, status) {
      record.outcome = outcome;
      own?.end(outcome, status);
    },
  };
}

/** Tells in whose work the guard is asked. */
const running = new AsyncLocalStorage<object>();

class StagedTrace implements FlowTrace {
  readonly traceparent: string | undefined;
  readonly #record: RequestRecord;
  readonly #receivedAtMs: number;
  readonly #clock: Clock;
  readonly #own: FlowTrace | undefined;
  /** The handler or the fallback, whichever began last. */
  #work: object | undefined;
  #open: { readonly stage: Stage; readonly startMs: number } | undefined;

  constructor(record: RequestRecord, receivedAtMs: number, clock: Clock, own: FlowTrace | undefined) {
    this.traceparent = own?.traceparent;
    this.#record = record;
    this.#receivedAtMs = receivedAtMs;
    this.#clock = clock;
    this.#own = own;
  }

  run<T>(work: () => T): T {
    return this.#own ? this.#own.run(work) : work();
  }

  unwrapped(enqueuedAtMs: number, startedMs: number, endedMs: number, batchSize: number): void {
    this.#add('queue', enqueuedAtMs, startedMs);
    this.#add('rsa', startedMs, endedMs);
    this.#own?.unwrapped(enqueuedAtMs, startedMs, endedMs, batchSize);
  }

  unwrapFailed(enqueuedAtMs: number, startedMs: number, endedMs: number): void {
    this.#add('queue', enqueuedAtMs, startedMs);
    this.#add('rsa', startedMs, endedMs);
    this.#own?.unwrapFailed(enqueuedAtMs, startedMs, endedMs);
  }

  dropped(enqueuedAtMs: number, droppedMs: number, reason: string): void {
    this.#add('queue', enqueuedAtMs, droppedMs);
    this.#own?.dropped(enqueuedAtMs, droppedMs, reason);
  }

  handler<T>(screen: string, work: () => Promise<T>): Promise<T> {
    return this.#runApp('handler', work, (run) => (this.#own ? this.#own.handler(screen, run) : run()));
  }

  fallback<T>(work: () => Promise<T>): Promise<T> {
    return this.#runApp('fallback', work, (run) => (this.#own ? this.#own.fallback(run) : run()));
  }

  guard<T>(work: () => T): T {
    const check = () => (this.#own ? this.#own.guard(work) : work());
    if (!this.#open || running.getStore() !== this.#work) return check();
    this.#close();
    this.#begin('guard');
    try {
      return check();
    } finally {
      this.#close();
    }
  }

  handlerFailed(code: string): void {
    this.#end();
    this.#own?.handlerFailed(code);
  }

  seal<T>(work: () => T): T {
    this.#begin('seal');
    try {
      return this.#own ? this.#own.seal(work) : work();
    } finally {
      this.#close();
    }
  }

  end(action: string, outcome: string, status: number): void {
    this.#record.outcome = outcome;
    this.#own?.end(action, outcome, status);
  }

  #runApp<T>(stage: Stage, work: () => Promise<T>, trace: (run: () => Promise<T>) => Promise<T>): Promise<T> {
    const own = {};
    this.#work = own;
    this.#begin(stage);
    const end = () => this.#work === own && this.#end();
    const done = trace(() => running.run(own, work));
    done.then(end, end);
    return done;
  }

  #begin(stage: Stage): void {
    this.#open = { stage, startMs: this.#clock.nowMs() };
  }

  #close(): void {
    if (this.#open) this.#add(this.#open.stage, this.#open.startMs, this.#clock.nowMs());
    this.#open = undefined;
  }

  /** Of what the app does. */
  #end(): void {
    this.#work = undefined;
    this.#close();
  }

  #add(stage: Stage, startMs: number, endMs: number): void {
    const stages = this.#record.stages;
    stages.push({ stage, startMs: startMs - this.#receivedAtMs, durationMs: endMs - startMs });
  }
}
