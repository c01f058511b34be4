/** The real SDK, registered for the whole test process, and what it recorded. */
import {
  context,
  propagation,
  type SpanContext,
  SpanStatusCode,
  type TextMapPropagator,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { parseTraceparent } from '../../src/tracing/traceparent.ts';
import { eventually } from '../support/eventually.ts';

/** `traceparent` alone, as far as a test needs it. */
const propagator: TextMapPropagator = {
  extract(parent, carrier, getter) {
    const header = getter.get(carrier, 'Traceparent');
    const remote = parseTraceparent(typeof header === 'string' ? header : undefined);
    return remote ? trace.setSpanContext(parent, remote) : parent;
  },
  inject() {},
  fields: () => ['traceparent'],
};

const exporter = new InMemorySpanExporter();

/** To be called when Flowgate is imported already: as late as an app may do it. */
export function registerSdk(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(propagator);
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
}

export const resetSpans = (): void => exporter.reset();
export const endedSpans = (): readonly ReadableSpan[] => exporter.getFinishedSpans();

/** The only span of this name, once it has ended. */
export async function spanNamed(name: string): Promise<ReadableSpan> {
  const [span] = await spansNamed(name, 1);
  return span as ReadableSpan;
}

/** All spans of this name, once so many have ended. */
export const spansNamed = (name: string, count: number): Promise<readonly ReadableSpan[]> =>
  eventually(() => {
    const spans = endedSpans().filter((candidate) => candidate.name === name);
    if (spans.length === count) return spans;
    throw new Error(`${spans.length} spans ${name} among ${endedSpans().map((span) => span.name)}`);
  });

export const childrenOf = (parent: ReadableSpan): readonly ReadableSpan[] =>
  endedSpans().filter((span) => span.parentSpanContext?.spanId === parent.spanContext().spanId);

export const statusOf = ({ status }: ReadableSpan): string =>
  status.code === SpanStatusCode.ERROR ? `error: ${status.message}` : 'unset';

/** Epoch ms. */
export const startOf = ({ startTime: [seconds, nanos] }: ReadableSpan): number => seconds * 1e3 + nanos / 1e6;
export const endOf = ({ endTime: [seconds, nanos] }: ReadableSpan): number => seconds * 1e3 + nanos / 1e6;

/** What a span links to, by the ids alone. */
export const linksOf = ({ links }: ReadableSpan): object[] => links.map((link) => idsOf(link.context));
export const idsOf = ({ traceId, spanId }: SpanContext): object => ({ traceId, spanId });

/** All that an exporter would send of what ended. */
export const everythingSaid = (): string =>
  JSON.stringify(
    endedSpans().map(({ name, attributes, events, links, status }) => ({ name, attributes, events, links, status })),
  );
