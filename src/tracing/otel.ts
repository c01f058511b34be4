/**
 * Traces through OpenTelemetry's API, and the only file that knows it. The SDK is the app's own.
 *
 * The spans of one request count their times from one reading of the wall clock, so that they nest exactly. A failure is
 * told by its code: a message or a stack may quote what a user wrote.
 */
import {
  type Attributes,
  type Context,
  context as contexts,
  isSpanContextValid,
  type Link,
  ProxyTracer,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { Clock } from '../clock.ts';
import { codeOf } from '../errors.ts';
import type { HttpRequest } from '../http/server.ts';
import { formatTraceparent, parseTraceparent } from './traceparent.ts';
import type { AttemptTrace, DeliveryTrace, FlowTrace, Tracing } from './tracing.ts';

/** @returns undefined when no SDK is registered by now: then nothing is traced, and nothing paid for it. */
export function createTracing(clock: Clock): Tracing | undefined {
  const tracer = trace.getTracer('flowgate');
  if (tracer instanceof ProxyTracer) return undefined; // the API's stand-in, until somebody registers a provider
  return {
    flowRequest: (flow, request) => new FlowSpan(tracer, clock, flow, request),
    delivery: (request) => new DeliverySpan(tracer, clock, request),
    attempt: (type, attempt, cause) => new AttemptSpan(tracer, clock, type, attempt, cause),
  };
}

interface SpanStart {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: Attributes;
  readonly parent: Context;
  readonly startedMs: number;
  readonly links?: Link[];
}

/** A span with children. */
class OpenSpan {
  protected readonly span: Span;
  readonly #tracer: Tracer;
  readonly #clock: Clock;
  /** From the service's monotonic clock to the epoch. */
  readonly #offsetMs: number;
  readonly #context: Context;

  constructor(tracer: Tracer, clock: Clock, { name, kind, attributes, parent, startedMs, links = [] }: SpanStart) {
    this.#tracer = tracer;
    this.#clock = clock;
    this.#offsetMs = clock.epochMs() - clock.nowMs();
    this.span = tracer.startSpan(name, { kind, attributes, links, startTime: startedMs + this.#offsetMs }, parent);
    this.#context = trace.setSpan(parent, this.span);
  }

  get traceparent(): string | undefined {
    const spanContext = this.span.spanContext();
    return isSpanContextValid(spanContext) ? formatTraceparent(spanContext) : undefined;
  }

  run<T>(work: () => T): T {
    return contexts.with(this.#context, work);
  }

  /** Of a span that is not sampled it is that span itself: no sampler is asked about each of its parts. */
  protected child(name: string, attributes: Attributes, startedMs = this.#clock.nowMs()): Span {
    if (!this.span.isRecording()) return this.span;
    const startTime = startedMs + this.#offsetMs;
    return this.#tracer.startSpan(name, { kind: SpanKind.INTERNAL, attributes, startTime }, this.#context);
  }

  protected runIn<T>(child: Span, work: () => T): T {
    return contexts.with(trace.setSpan(this.#context, child), work);
  }

  /** Once: a handler may come to its end after it was given up. */
  protected endSpan(span: Span, failure?: string, endedMs = this.#clock.nowMs()): void {
    if (!span.isRecording()) return;
    if (failure !== undefined) {
      span.setAttribute('error.type', failure);
      span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
    }
    span.end(endedMs + this.#offsetMs);
  }

  /** As OpenTelemetry wants it of servers: what the client did wrong is no error of ours. */
  protected endHttp(outcome: string, status: number): void {
    const isAnswered = outcome !== 'client_gone';
    this.span.setAttribute('flowgate.outcome', outcome);
    if (isAnswered) this.span.setAttribute('http.response.status_code', status);
    this.endSpan(this.span, isAnswered && status >= 500 ? outcome : undefined);
  }
}

class FlowSpan extends OpenSpan implements FlowTrace {
  readonly #flow: string;
  #handler: Span | undefined;

  constructor(tracer: Tracer, clock: Clock, flow: string, request: HttpRequest) {
    super(tracer, clock, serverSpan(request, `/flows/${flow}`, { 'flowgate.flow': flow }));
    this.#flow = flow;
  }

  unwrapped(enqueuedAtMs: number, startedMs: number, endedMs: number, batchSize: number): void {
    this.endSpan(this.child('decrypt.queue', {}, enqueuedAtMs), undefined, startedMs);
    this.endSpan(this.child('decrypt.rsa', { 'flowgate.batch_size': batchSize }, startedMs), undefined, endedMs);
  }

  unwrapFailed(enqueuedAtMs: number, startedMs: number, endedMs: number): void {
    this.endSpan(this.child('decrypt.queue', {}, enqueuedAtMs), undefined, startedMs);
    this.endSpan(this.child('decrypt.rsa', {}, startedMs), 'pool_failed', endedMs);
  }

  dropped(enqueuedAtMs: number, droppedMs: number, reason: string): void {
    this.endSpan(this.child('decrypt.queue', {}, enqueuedAtMs), reason, droppedMs);
  }

  handler<T>(screen: string, work: () => Promise<T>): Promise<T> {
    return this.#runApp(this.child('handler', { 'flowgate.flow': this.#flow, 'flowgate.screen': screen }), work);
  }

  fallback<T>(work: () => Promise<T>): Promise<T> {
    return this.#runApp(this.child('fallback', { 'flowgate.flow': this.#flow }), work);
  }

  #runApp<T>(span: Span, work: () => Promise<T>): Promise<T> {
    this.#handler = span;
    const done = this.runIn(span, work);
    done.then(
      () => this.endSpan(span),
      () => {}, // `handlerFailed` comes, with the code
    );
    return done;
  }

  /** No span of its own: it is short, and in that of the handler. */
  guard<T>(work: () => T): T {
    return work();
  }

  handlerFailed(code: string): void {
    if (this.#handler) this.endSpan(this.#handler, code.toLowerCase());
  }

  seal<T>(work: () => T): T {
    const span = this.child('seal', {});
    const sealed = work();
    this.endSpan(span);
    return sealed;
  }

  end(action: string, outcome: string, status: number): void {
    this.span.setAttribute('flowgate.action', action);
    this.endHttp(outcome, status);
  }
}

class DeliverySpan extends OpenSpan implements DeliveryTrace {
  constructor(tracer: Tracer, clock: Clock, request: HttpRequest) {
    super(tracer, clock, serverSpan(request, '/webhook', {}));
  }

  async append<T>(engine: string, work: () => Promise<T>): Promise<T> {
    const span = this.child('inbox.append', { 'flowgate.engine': engine });
    try {
      const stored = await this.runIn(span, work);
      this.endSpan(span);
      return stored;
    } catch (error) {
      this.endSpan(span, codeOf(error).toLowerCase());
      throw error;
    }
  }

  stored(events: number, isNew: readonly boolean[]): void {
    const stored = isNew.filter(Boolean).length;
    const duplicates = events - stored;
    this.span.setAttributes({
      'flowgate.events': events,
      'flowgate.stored': stored,
      'flowgate.duplicates': duplicates,
    });
  }

  end(outcome: string, status: number): void {
    this.endHttp(outcome, status);
  }
}

class AttemptSpan extends OpenSpan implements AttemptTrace {
  constructor(tracer: Tracer, clock: Clock, type: string, attempt: number, cause: string | undefined) {
    const origin = parseTraceparent(cause);
    super(tracer, clock, {
      name: `attempt ${type}`,
      kind: SpanKind.CONSUMER,
      attributes: { 'flowgate.type': type, 'flowgate.attempt': attempt },
      parent: ROOT_CONTEXT, // not a child: it may come days later, and a delivery has a thousand of them
      startedMs: clock.nowMs(),
      links: origin ? [{ context: origin }] : [],
    });
  }

  end(outcome: string, code: string | undefined): void {
    this.span.setAttribute('flowgate.outcome', outcome);
    const isFailure = outcome === 'retry' || outcome === 'dead' || outcome === 'lost';
    this.endSpan(this.span, isFailure ? (code?.toLowerCase() ?? outcome) : undefined);
  }
}

const HEADERS: TextMapGetter<HttpRequest> = {
  get: (request, name) => request.header(name.toLowerCase()),
  keys: () => [],
};

/** A span that is active already is the parent: a host that is traced itself, and calls `app.fetch`. */
function serverSpan(request: HttpRequest, route: string, attributes: Attributes): SpanStart {
  const active = contexts.active();
  return {
    name: `POST ${route}`,
    kind: SpanKind.SERVER,
    attributes: { 'http.request.method': 'POST', 'http.route': route, ...attributes },
    parent: trace.getSpanContext(active) ? active : propagation.extract(active, request, HEADERS),
    startedMs: request.receivedAtMs,
  };
}
