import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { dashboards, named, panelExpressions, ruleExpressions } from './support/expressions.ts';
import { TestPrometheus } from './support/prometheus.ts';
import { hasPrometheus } from './support/prometheus-available.ts';
import { selectorsIn } from './support/promql.ts';
import { alerts, keyOf, readRules } from './support/rule-file.ts';
import { Traffic } from './support/traffic.ts';

/** What the traffic breaks: these have something to say. */
const BROKEN = [
  'FlowgateAttemptsFailing warning', // the handler of texts
  'FlowgateDeadLetters warning',
  'FlowgateDecryptionFailing critical', // clients with a strange key
  'FlowgateFlowErrors critical 10%', // about 30 %
  'FlowgateFlowErrors warning 5%',
  'FlowgateFlowThrottled critical',
  'FlowgateFlowUnavailable critical',
  'FlowgateHandlerSlow warning',
  'FlowgateMediaFailing warning', // files that are gone
  'FlowgateMetaAlert critical',
  'FlowgateMetaAlert warning',
  'FlowgateReplyInvalid warning', // the handler of the cart
  'FlowgateShedding warning',
  'FlowgateStateUnavailable critical',
  'FlowgateTenantsUnavailable warning some',
  'FlowgateTokenSignaturesRefused critical',
  'FlowgateWebhooksRefused critical',
];
/** What a busy machine may add. */
const BY_TIMING = /^Flowgate(FlowSlow|QueueWait|EventLoopBlocked|WebhookSlow|CommitSlow|InboxBehind|ForwardingDelay) /;

/** What a rule selects and a service that runs here cannot have. */
const ONLY_ELSEWHERE = new Map([
  ['flowgate_http_server_info{fallback="true"}', 'only where uWebSockets.js has no binary'],
]);

describe.skipIf(!hasPrometheus)('on a service under traffic, scraped by a real Prometheus,', () => {
  let traffic: Traffic;
  let prometheus: TestPrometheus;

  beforeAll(async () => {
    traffic = await Traffic.start();
    prometheus = await TestPrometheus.start(traffic.adminUrls);
    for (const deadLetters of [1, 2]) {
      await traffic.round();
      await eventually(async () => {
        const [dead] = await prometheus.query(
          'max(flowgate_inbox_items{state="dead"}) unless max(flowgate_inbox_items{state=~"waiting|leased"}) > 0',
        );
        expect(dead?.value).toBe(deadLetters);
      });
      await prometheus.caughtUp();
    }
  });
  afterAll(async () => {
    await prometheus?.[Symbol.asyncDispose]();
    await traffic?.[Symbol.asyncDispose]();
  });

  test.each(named(panelExpressions()))('%s has data', async (_, { expr }) => {
    const values = (await prometheus.query(expr)).map(({ value }) => value);
    expect(values.filter(Number.isFinite)).not.toEqual([]);
  });

  test.each(dashboards().map((dashboard) => [dashboard.uid, dashboard] as const))(
    'the variables of %s have values',
    async (_, { templating }) => {
      const queries = templating.list.flatMap(({ name, query }) =>
        name === 'datasource' ? [] : [query as { query: string }],
      );
      expect(queries.length).toBe(2);
      for (const { query } of queries) {
        const [, series = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(query) ?? [];
        expect(await prometheus.labelValues(label, series.replace('$job', '.*')), query).not.toEqual([]);
      }
    },
  );

  test('every rule is loaded and evaluated', async () => {
    const loaded = await prometheus.rules();
    expect(loaded.map(({ name }) => name).sort()).toEqual(
      readRules()
        .map(({ name }) => name)
        .sort(),
    );
    expect(loaded.filter(({ health }) => health !== 'ok')).toEqual([]);
  });

  test.each(named(ruleExpressions()))('%s selects series that exist', async (_, { expr }) => {
    for (const { text } of selectorsIn(expr)) {
      if (!ONLY_ELSEWHERE.has(text)) expect(await prometheus.query(text), text).not.toEqual([]);
    }
  });

  test('alerts have something to say of what is broken, and nothing of what is not', async () => {
    const speaking: string[] = [];
    for (const alert of alerts()) {
      if ((await prometheus.query(alert.expr)).length > 0) speaking.push(keyOf(alert));
    }
    expect(speaking.filter((key) => !BY_TIMING.test(key)).sort()).toEqual(BROKEN);
  });
});
