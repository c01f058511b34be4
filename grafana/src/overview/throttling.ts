/** Is Meta about to throttle us? Our own figures over Meta's windows, and what Meta says itself. */
import * as units from '@grafana/grafana-foundation-sdk/units';
import { META_AVAILABILITY, META_ERRORS, META_LATENCY } from '../limits.ts';
import {
  COUNTED,
  FAILED,
  FLOW_REQUEST,
  FLOW_REQUESTS,
  HALF_HOUR,
  NOT_OURS,
  quantile,
  rate,
  select,
  share,
  WAITED,
} from '../queries.ts';
import type { RowSpec } from '../spec.ts';

/** A ping is counted as one only once it is decrypted: what fails before that fails pings like everything else. */
const UNAVAILABLE = ['action=~"none|ping"', `outcome!~"ok|expired|${NOT_OURS}"`];

export const throttling: RowSpec = {
  title: 'Is Meta about to throttle us?',
  panels: [
    {
      title: 'Error rate, as Meta counts it',
      kind: 'graph',
      question: "How near is each Flow to Meta's 5, 10 and 50 %, over its 30 minutes?",
      action: 'Above 5 % Meta warns, and may throttle the Flow next: fix or roll back what fails before it does.',
      unit: units.PercentUnit,
      limits: META_ERRORS,
      queries: [
        {
          expr: share(
            rate(FLOW_REQUESTS, { by: ['flow'], where: FAILED, over: HALF_HOUR }),
            rate(FLOW_REQUESTS, { by: ['flow'], where: COUNTED, over: HALF_HOUR }),
          ),
          legend: '{{flow}}',
        },
      ],
    },
    {
      title: 'p90, as Meta counts it',
      kind: 'graph',
      question: "How near is each Flow to Meta's 1, 5 and 7 s, over its 30 minutes?",
      action: 'Meta also counts the way through the internet and your proxy: stay well below.',
      unit: units.Seconds,
      limits: META_LATENCY,
      queries: [
        { expr: quantile(0.9, FLOW_REQUEST, { by: ['flow'], where: WAITED, over: HALF_HOUR }), legend: '{{flow}}' },
      ],
    },
    {
      title: 'Availability, estimated',
      kind: 'graph',
      question: "Would Meta's pings be answered? Below 90 % over 10 minutes it raises an alert.",
      action:
        'An estimate: what fails before it is decrypted fails pings too. A service that cannot be reached shows nothing here: watch the ping rate.',
      unit: units.PercentUnit,
      limits: META_AVAILABILITY,
      queries: [
        {
          expr: `1 - ${share(
            rate(FLOW_REQUESTS, { by: ['flow'], where: UNAVAILABLE, over: '10m' }),
            rate(FLOW_REQUESTS, { by: ['flow'], where: [`outcome!~"${NOT_OURS}"`], over: '10m' }),
          )}`,
          legend: '{{flow}}',
        },
      ],
    },
    {
      title: 'Client error rate',
      kind: 'graph',
      question: "How near is each Flow to Meta's 5, 10 and 50 %, over its 60 minutes?",
      action: 'Check the answers against the published Flow JSON: pass it to app.flow, so that the compiler does.',
      unit: units.PercentUnit,
      limits: META_ERRORS,
      queries: [
        {
          expr: share(
            rate('flowgate_flow_client_errors_total', { by: ['flow'], over: '1h' }),
            rate(FLOW_REQUESTS, { by: ['flow'], where: COUNTED, over: '1h' }),
          ),
          legend: '{{flow}}',
        },
      ],
    },
    {
      title: "Meta's alerts",
      kind: 'states',
      question: 'What does Meta hold against a Flow?',
      action:
        'As told by its webhooks since the start of a process. Act on active ones at once: throttling is the next step.',
      unit: units.Short,
      names: { 0: { text: 'over', colour: 'green' }, 1: { text: 'active', colour: 'red' } },
      noValue: 'none since the start',
      queries: [
        {
          expr: `max by (flow_id, alert, threshold) (${select('flowgate_meta_flow_alert')})`,
          legend: '{{flow_id}} {{alert}} {{threshold}}',
        },
      ],
    },
    {
      title: 'Status of Flows',
      kind: 'states',
      question: 'Has Meta throttled or blocked a Flow?',
      action:
        'Throttled: 10 messages an hour. Blocked: it cannot be opened. Meta steps back by itself as the endpoint recovers.',
      unit: units.Short,
      names: {
        0: { text: 'draft or deprecated', colour: 'text' },
        1: { text: 'published', colour: 'green' },
        2: { text: 'throttled', colour: 'orange' },
        3: { text: 'blocked', colour: 'red' },
      },
      noValue: 'no change since the start',
      queries: [
        {
          expr: `max by (flow_id) (${[
            `0 * ${select('flowgate_meta_flow_status', 'status=~"DRAFT|DEPRECATED"')}`,
            select('flowgate_meta_flow_status', 'status="PUBLISHED"'),
            `2 * ${select('flowgate_meta_flow_status', 'status="THROTTLED"')}`,
            `3 * ${select('flowgate_meta_flow_status', 'status="BLOCKED"')}`,
          ].join(' or ')})`,
          legend: '{{flow_id}}',
        },
      ],
    },
    {
      title: 'What Meta measured',
      kind: 'stat',
      question: "What did Meta's last alert say: a p90 in milliseconds, or an error rate or availability in percent?",
      action: 'Compare with our own figures above: a p90 much higher than ours is spent between Meta and us.',
      unit: units.Number,
      width: 24,
      noValue: 'none since the start',
      queries: [
        {
          expr: `max by (flow_id, alert) (${select('flowgate_meta_flow_alert_value')})`,
          legend: '{{flow_id}} {{alert}}',
        },
      ],
    },
  ],
};
