/** What stands around the handlers of path 1: the reply guard, flow tokens, kept answers, their store, picked media. */
import { Counter, Histogram, type Registry } from 'prom-client';

/** A store that takes longer than 250 ms has failed: a user waits. */
const STATE_SECONDS = [0.0001, 0.0005, 0.001, 0.005, 0.025, 0.1, 0.25];
/** Picked files have up to 25 MiB. */
const MEDIA_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export interface AnswerMetrics {
  /** An answer broke a rule of the Flow JSON. @param screen of the Flow JSON, or `other`. */
  replyViolation(flow: string, screen: string, rule: string): void;
  /** A request with a flow token that is not, or no longer, good: 427. */
  tokenRefused(flow: string, reason: string): void;
  /** A submit that came again, and got its answer without its handler. */
  submitRepeated(flow: string, screen: string): void;
  /** One call to the store of sessions, tokens and kept answers. @param outcome `ok` or `failed`. */
  stateCall(outcome: 'ok' | 'failed', durationMs: number): void;
  /** An answer that could not be shared with the other processes: for this body they know nothing of it. */
  replyNotShared(): void;
  /** @param outcome `ok`, or an error code in lower case. */
  mediaDownload(outcome: string, durationMs: number): void;
}

export function createAnswerMetrics(registry: Registry): AnswerMetrics {
  const registers = [registry];
  const violations = new Counter({
    name: 'flowgate_reply_violations_total',
    help: 'Rules of the Flow JSON that answers broke.',
    labelNames: ['flow', 'screen', 'rule'],
    registers,
  });
  const tokens = new Counter({
    name: 'flowgate_flow_token_refused_total',
    help: 'Requests answered 427 because of their flow token.',
    labelNames: ['flow', 'reason'],
    registers,
  });
  const repeated = new Counter({
    name: 'flowgate_submit_repeated_total',
    help: 'Submits that came again and got the answer they had.',
    labelNames: ['flow', 'screen'],
    registers,
  });
  const stateSeconds = new Histogram({
    name: 'flowgate_state_call_duration_seconds',
    help: 'Calls to the store of sessions, flow tokens and kept answers.',
    labelNames: ['outcome'],
    buckets: STATE_SECONDS,
    registers,
  });
  const notShared = new Counter({
    name: 'flowgate_reply_not_shared_total',
    help: 'Answers that could not be kept in Redis for the other processes.',
    registers,
  });
  const mediaSeconds = new Histogram({
    name: 'flowgate_media_download_duration_seconds',
    help: 'Downloads of picked files, until they are checked.',
    labelNames: ['outcome'],
    buckets: MEDIA_SECONDS,
    registers,
  });
  return {
    replyViolation: (flow, screen, rule) => violations.inc({ flow, screen, rule }),
    tokenRefused: (flow, reason) => tokens.inc({ flow, reason }),
    submitRepeated: (flow, screen) => repeated.inc({ flow, screen }),
    stateCall: (outcome, durationMs) => stateSeconds.observe({ outcome }, durationMs / 1000),
    replyNotShared: () => notShared.inc(),
    mediaDownload: (outcome, durationMs) => mediaSeconds.observe({ outcome }, durationMs / 1000),
  };
}
