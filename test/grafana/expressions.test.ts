import { beforeAll, expect, test } from 'vitest';
import { STATUS_BY_CODE } from '../../src/errors.ts';
import { createMetrics } from '../../src/metrics/registry.ts';
import type { SignatureFault } from '../../src/tokens/token-signature.ts';
import { ITEM_STATES } from '../../src/webhooks/inbox.ts';
import { allExpressions, named, ruleExpressions } from './support/expressions.ts';
import { type Selector, selectorsIn } from './support/promql.ts';
import { readRules } from './support/rule-file.ts';

/** Not ours: from Prometheus itself, and from Node's defaults where the system is Linux. */
const FROM_ELSEWHERE = new Set(['up', 'process_open_fds', 'process_max_fds']);

/** The metrics with their types, and for histograms the upper bounds of their buckets. */
const types = new Map<string, string>();
const bounds = new Map<string, Set<string>>();

beforeAll(async () => {
  const metrics = createMetrics();
  metrics.inboxFrom(async () => ({ waiting: 0, leased: 0, done: 0, dead: 0, oldestDueMs: 0 }));
  metrics.flowRequest('booking', 'INIT', 'ok', 1);
  metrics.handler('booking', 'INIT', 1);
  metrics.response('booking', 1);
  metrics.webhook('ok', 1);
  metrics.stateCall('ok', 1);
  metrics.cacheLoad('ok', 1);
  metrics.mediaDownload('ok', 1);
  const text = await metrics.render();
  for (const [, name = '', type = ''] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) types.set(name, type);
  for (const [, name = '', le = ''] of text.matchAll(/^(\w+)_bucket\{.*?le="(.*?)".*?\}/gm)) {
    bounds.set(name, (bounds.get(name) ?? new Set()).add(le));
  }
});

const everySelector = (): { where: string; selector: Selector }[] =>
  allExpressions().flatMap(({ where, expr }) => selectorsIn(expr).map((selector) => ({ where, selector })));

/** The metric a series belongs to: a histogram has three. */
function metricOf(series: string): string {
  if (types.has(series)) return series;
  const histogram = series.replace(/_(bucket|sum|count)$/, '');
  return ['histogram', 'summary'].includes(types.get(histogram) ?? '') ? histogram : series;
}

test.each(named(allExpressions()))('%s parses', (_, { expr }) => {
  expect(selectorsIn(expr).length).toBeGreaterThan(0);
});

test('every metric that a panel or a rule names exists', () => {
  const recorded = new Set(
    readRules()
      .filter(({ kind }) => kind === 'record')
      .map(({ name }) => name),
  );
  const known = (series: string) => recorded.has(series) || FROM_ELSEWHERE.has(series) || types.has(metricOf(series));
  expect(everySelector().filter(({ selector }) => !known(selector.metric))).toEqual([]);
});

test('every recorded series is used by an alert', () => {
  const used = new Set(ruleExpressions().flatMap(({ expr }) => selectorsIn(expr).map(({ metric }) => metric)));
  const recorded = readRules().filter(({ kind }) => kind === 'record');
  expect(recorded.filter(({ name }) => !used.has(name))).toEqual([]);
});

test('every metric of ours is in a panel or a rule', () => {
  const used = new Set(everySelector().map(({ selector }) => metricOf(selector.metric)));
  expect([...types.keys()].filter((name) => name.startsWith('flowgate_') && !used.has(name))).toEqual([]);
});

test('every histogram is asked for buckets that it has', () => {
  for (const { where, selector } of everySelector()) {
    for (const { label, value } of selector.matchers) {
      if (label === 'le') expect(bounds.get(metricOf(selector.metric)), where).toContain(value);
    }
  }
});

test('every outcome and state that is named exists', () => {
  const codes = Object.keys(STATUS_BY_CODE).map((code) => code.toLowerCase());
  const outcomes: Record<string, readonly string[]> = {
    flowgate_flow_request_duration_seconds: ['ok', 'expired', ...codes],
    flowgate_webhook_duration_seconds: ['ok', 'too_much_in_flight', ...codes],
    flowgate_webhook_events_total: ['stored', 'duplicate'],
    flowgate_inbox_attempt_duration_seconds: ['done', 'unhandled', 'retry', 'dead', 'lost'],
    flowgate_state_call_duration_seconds: ['ok', 'failed'],
    flowgate_cache_load_seconds: ['ok', 'failed'],
    flowgate_media_download_duration_seconds: ['ok', 'aborted', ...codes],
  };
  for (const { where, selector } of everySelector()) {
    for (const { label, value } of selector.matchers) {
      if (label === 'outcome')
        expect(outcomes[metricOf(selector.metric)], where).toEqual(expect.arrayContaining(value.split('|')));
      if (label === 'state') expect(ITEM_STATES, where).toEqual(expect.arrayContaining(value.split('|')));
    }
  }
});

test('every fault of a signature that is named exists', () => {
  const faults = ['missing', 'malformed', 'forged', 'expired', 'other_token'] satisfies SignatureFault[];
  const named = everySelector()
    .filter(({ selector }) => selector.metric === 'flowgate_flow_token_refused_total')
    .flatMap(({ selector }) => selector.matchers.filter(({ label }) => label === 'reason'))
    .flatMap(({ value }) => value.split('|'));
  expect(named.length).toBeGreaterThan(0);
  expect(faults.map((fault) => `signature_${fault}`)).toEqual(expect.arrayContaining(named));
});

test('rules and panels mean the same by a failed request', () => {
  const excluded = new Set<string>();
  for (const { selector } of everySelector()) {
    if (!selector.metric.startsWith('flowgate_flow_request_duration_seconds')) continue;
    for (const { label, operator, value } of selector.matchers) {
      if (label === 'outcome' && operator === '!~') excluded.add(value);
    }
  }
  const notOurs = 'client_gone|signature_invalid|body_too_large|body_incomplete|tenant_unavailable';
  expect([...excluded].sort()).toEqual(
    [
      notOurs,
      `ok|expired|${notOurs}`,
      'signature_invalid|body_too_large|body_incomplete|tenant_unavailable|pool_saturated', // latency: who left was waiting until then
    ].sort(),
  );
});
