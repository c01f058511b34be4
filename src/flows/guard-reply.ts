/** What becomes of an answer that breaks the Flow JSON: reported, refused, or an error that tells its author. */
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { ReplyGuardMode } from '../config/settings.ts';
import { FlowgateError } from '../errors.ts';
import type { AnswerMetrics } from '../metrics/answer-metrics.ts';
import type { FlowTrace } from '../tracing/tracing.ts';
import type { FlowDefinition } from './flow-definition.ts';
import type { FlowJson } from './flow-json.ts';
import { checkReply, checkSize, type Violation } from './guard/reply-guard.ts';
import type { RenderedAnswer, ShownScreen } from './reply.ts';
import type { RequestContext } from './request-context.ts';

/** An answer that broke the Flow JSON, for whoever shows it to its author. */
export interface RefusedAnswer {
  readonly requestId: string;
  /** The plaintext. */
  readonly text: string;
  readonly violations: readonly Violation[];
}

export interface GuardDeps {
  readonly replyGuard: ReplyGuardMode;
  readonly violationLog: ViolationLog;
  readonly metrics: Pick<AnswerMetrics, 'replyViolation'>;
  /** Development shows it. */
  readonly onViolations?: ((refused: RefusedAnswer) => void) | undefined;
}

/** The settings' mode is for Flows that do not say, but for the one of development and tests, which only `off` escapes. */
export function guardModeOf({ guard }: FlowDefinition, { replyGuard }: GuardDeps): ReplyGuardMode {
  return replyGuard === 'error' && guard !== 'off' ? 'error' : (guard ?? replyGuard);
}

/** @throws FlowgateError `REPLY_INVALID`, naming screen, key and rule, unless the mode is to report. */
export function guardReply(
  flow: FlowDefinition,
  rendered: RenderedAnswer,
  context: RequestContext,
  deps: GuardDeps,
  trace?: FlowTrace,
): void {
  const mode = guardModeOf(flow, deps);
  if (mode === 'off') return;
  const check = () => violationsOf(flow, rendered, context);
  const found = trace ? trace.guard(check) : check();
  if (found.length === 0) return;
  for (const { screen, rule } of found) deps.metrics.replyViolation(flow.name, screen, rule);
  deps.onViolations?.({ requestId: context.requestId, text: rendered.text, violations: found });
  const violations = mode === 'error' ? found : withKnownKeys(found, flow.json);
  if (mode === 'report') deps.violationLog.note(flow.name, violations, context.requestId);
  else
    throw new FlowgateError(
      'REPLY_INVALID',
      `the answer does not fit the Flow JSON: ${describeViolations(violations)}`,
    );
}

function violationsOf({ compiledGuard }: FlowDefinition, answer: RenderedAnswer, context: RequestContext) {
  const { action, currentScreen } = context;
  const { text, shown = shownIn(answer) } = answer;
  if (!shown || !compiledGuard) {
    const tooLarge = checkSize(text, shown?.screen);
    return tooLarge ? [tooLarge] : [];
  }
  const check = (what: ShownScreen) => checkReply(compiledGuard, { action, currentScreen, ...what }, text);
  try {
    return check(shown);
  } catch {
    return check(JSON.parse(text) as ShownScreen); // a getter threw that did not when the text was made
  }
}

/** In an answer that was kept as text. */
function shownIn({ kind, text }: RenderedAnswer): ShownScreen | undefined {
  return kind === 'screen' ? (JSON.parse(text) as ShownScreen) : undefined;
}

/** In production, a key that the Flow JSON does not have is not told: a handler may have made it from a user's data. */
function withKnownKeys(violations: readonly Violation[], json: FlowJson | undefined): Violation[] {
  const known = namesIn(json);
  const hide = (part: string, dot: string, name: string) => (known.has(name) ? part : `${dot}?`);
  return violations.map((violation) => ({ ...violation, key: violation.key.replaceAll(/(^|\.)([\w-]+)/g, hide) }));
}

const namesByJson = new WeakMap<FlowJson, ReadonlySet<string>>();

/** All keys, those of the declared data among them. */
function namesIn(json: FlowJson | undefined): ReadonlySet<string> {
  const known = json && namesByJson.get(json);
  if (known) return known;
  const names = new Set<string>();
  JSON.stringify(json, (key, value: unknown) => {
    names.add(key);
    return value;
  });
  if (json) namesByJson.set(json, names);
  return names;
}

const DESCRIBED = 5;

/** Screen, key, what is wrong and by which rule; the first five of them. */
export function describeViolations(violations: readonly Violation[]): string {
  const told = violations.slice(0, DESCRIBED).map(({ screen, key, rule, message }) => {
    return `${screen}${key && `, ${key}`}: ${message} (${rule})`;
  });
  const more = violations.length - told.length;
  return told.join('; ') + (more > 0 ? `; and ${more} more` : '');
}

const SILENT_MS = 60_000;
/** Of screens, keys and rules. A key may hold an index, so there may be many. */
const MAX_REMEMBERED = 1_000;

/** One line a minute for each screen, key and rule: an answer that is wrong is wrong for every user. */
export class ViolationLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #silentUntilMs = new Map<string, number>();

  constructor({ log, clock }: { readonly log: Logger; readonly clock: Clock }) {
    this.#log = log;
    this.#clock = clock;
  }

  note(flow: string, violations: readonly Violation[], requestId: string): void {
    const nowMs = this.#clock.nowMs();
    for (const { screen, key, rule, message } of violations) {
      const id = `${flow} ${screen} ${key} ${rule}`;
      if (nowMs < (this.#silentUntilMs.get(id) ?? 0)) continue;
      if (this.#silentUntilMs.size >= MAX_REMEMBERED) this.#silentUntilMs.clear();
      this.#silentUntilMs.set(id, nowMs + SILENT_MS);
      this.#log.warn({ code: 'REPLY_INVALID', flow, screen, key, rule, requestId }, message);
    }
  }
}
