/** PromQL for the panels: over the jobs and instances that are chosen at the top of a dashboard. */

/** Goes into every selector. */
const CHOSEN = ['job=~"$job"', 'instance=~"$instance"'];
const CHOSEN_TEXT = new RegExp(`(, )?${CHOSEN.join(', ').replaceAll('$', '\\$')}`, 'g');

/**
 * What may go wrong without being our failure: the client left, or somebody sent what is not signed with our app secret,
 * too long, or never finished, or named a tenant whose credentials could not be had. Anybody who finds the URL can cause
 * these; `FlowgateSignaturesRefused` and `FlowgateTenantsUnavailable` watch for the case that they are ours all the same.
 */
export const NOT_OURS = 'client_gone|signature_invalid|body_too_large|body_incomplete|tenant_unavailable';
/** The same for webhooks. */
export const NOT_OUR_WEBHOOKS =
  'client_gone|webhook_signature_invalid|body_too_large|body_incomplete|tenant_unavailable';
/** 427 is an answer: the app says that the flow token is dead. */
export const ANSWERED = 'ok|expired';

/** Requests that somebody waits for: no pings, no error notifications. */
const USER = 'action!~"ping|error"';
/** Those that tell how well we do. What was never decrypted has the action `none`, and may have been a ping: it counts. */
export const COUNTED = [USER, `outcome!~"${NOT_OURS}"`];
export const FAILED = [USER, `outcome!~"${ANSWERED}|${NOT_OURS}"`];
/**
 * Those that were waited for. Who left was waiting until then. A refusal for lack of capacity takes no time: counted in,
 * an overload would look fast.
 */
export const WAITED = [
  USER,
  'outcome!~"signature_invalid|body_too_large|body_incomplete|tenant_unavailable|pool_saturated"',
];

export const FLOW_REQUEST = 'flowgate_flow_request_duration_seconds';
export const FLOW_REQUESTS = `${FLOW_REQUEST}_count`;

/** Meta's window for the alerts about an endpoint's errors and latency. */
export const HALF_HOUR = '30m';

export interface Sum {
  readonly by?: readonly string[];
  /** Label matchers: `outcome="ok"`. */
  readonly where?: readonly string[];
  /** By default what fits the scrape interval and the zoom. */
  readonly over?: string;
}

export const select = (metric: string, ...where: readonly string[]): string =>
  `${metric}{${[...where, ...CHOSEN].join(', ')}}`;

export function rate(metric: string, { by = [], where = [], over = '$__rate_interval' }: Sum = {}): string {
  return sum(by, `rate(${select(metric, ...where)}[${over}])`);
}

export function increase(metric: string, { by = [], where = [], over = '$__range' }: Sum = {}): string {
  return sum(by, `increase(${select(metric, ...where)}[${over}])`);
}

/** Of a histogram. */
export function quantile(q: number, metric: string, { by = [], ...rest }: Sum = {}): string {
  return `histogram_quantile(${q}, ${rate(`${metric}_bucket`, { by: [...by, 'le'], ...rest })})`;
}

/** Of a histogram: the mean of what was observed. */
export function mean(metric: string, of: Sum = {}): string {
  return `${rate(`${metric}_sum`, of)} / ${rate(`${metric}_count`, of)}`;
}

/** A part of a whole that has series, where the part may have none yet: that is 0 and not a gap. */
export const share = (part: string, whole: string): string => `(${part} or 0 * ${whole}) / ${whole}`;

/** For a figure that is 0 until its first series. */
export const orZero = (expr: string): string => `${expr} or vector(0)`;

/** As it reads without what every selector has. */
export const forReaders = (expr: string): string => expr.replace(CHOSEN_TEXT, '').replaceAll('{}', '');

function sum(by: readonly string[], expr: string): string {
  return by.length === 0 ? `sum(${expr})` : `sum by (${by.join(', ')}) (${expr})`;
}
