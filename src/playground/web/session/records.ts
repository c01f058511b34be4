/** What the inspector shows of each request. */
import type { JsonObject } from '../../../json.ts';
import type { ExchangeReport, StageTime } from '../../api.ts';
import type { Attempt, Trace } from '../wire/client.ts';

export interface Recorded {
  readonly id: number;
  readonly flow: string;
  readonly kind: 'phone' | 'notification' | 'replayed' | 'edited';
  /** Since the page was opened. */
  readonly startMs: number;
  readonly endMs: number | undefined;
  readonly request: JsonObject;
  readonly trace: Trace;
  /** What the phone made of it: `shows DETAILS`. */
  readonly verdict: string | undefined;
}

export const NO_TRACE: Trace = { attempts: [], answer: undefined, ending: undefined, isLate: false };

export function lastAttempt({ trace }: Recorded): Attempt | undefined {
  return trace.attempts.at(-1);
}

export function lastReport(record: Recorded): ExchangeReport | undefined {
  return lastAttempt(record)?.report;
}

/** Newest last; the oldest go first. */
export const MAX_RECORDS = 200;

/** `network` is what no stage covers: HTTP, and waiting for the event loop. */
export type BarStage = StageTime['stage'] | 'network' | 'added';

export interface BarPart {
  readonly stage: BarStage;
  readonly ms: number;
}

/** The parts of one attempt, as long as they took; stages that overlap (a fallback in its handler) count once. */
export function barOf({ report, addedMs }: Attempt): BarPart[] {
  const parts: BarPart[] = addedMs > 0 ? [{ stage: 'added', ms: addedMs }] : [];
  if (!report) return parts;
  const stages = [...report.stages].sort((a, b) => a.startMs - b.startMs);
  let coveredMs = 0;
  let endMs = 0;
  for (const { stage, startMs, durationMs } of stages) {
    const ms = Math.max(0, startMs + durationMs - Math.max(startMs, endMs));
    endMs = Math.max(endMs, startMs + durationMs);
    coveredMs += ms;
    if (ms > 0) parts.push({ stage, ms });
  }
  const restMs = report.tookMs - coveredMs;
  return restMs > 0 ? [...parts, { stage: 'network', ms: restMs }] : parts;
}

/** From the endpoint's first byte to its last, and what the switch added: without the page's own work. */
export function wireMs(record: Recorded): number {
  const attempt = lastAttempt(record);
  return attempt ? barOf(attempt).reduce((sum, { ms }) => sum + ms, 0) : 0;
}

const WORDS: Readonly<Record<BarStage, string>> = {
  added: 'slow network',
  queue: 'queue',
  rsa: 'RSA',
  handler: 'handler',
  fallback: 'fallback',
  guard: 'guard',
  seal: 'seal',
  network: 'network',
};

export function stageWord(stage: BarStage): string {
  return WORDS[stage];
}

export function formatMs(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms >= 100) return `${Math.round(ms)} ms`;
  return `${ms.toFixed(ms >= 10 ? 1 : 2)} ms`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} kB` : `${(bytes / 1024 / 1024).toFixed(2)} MB`;
}
