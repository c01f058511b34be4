/** One tenant among many: what it asks for, and what it gets. Empty where the app has none. */
import * as units from '@grafana/grafana-foundation-sdk/units';
import { META_ERRORS, META_LATENCY, SLOW_HANDLER } from '../limits.ts';
import { COUNTED, FAILED, FLOW_REQUEST, FLOW_REQUESTS, quantile, rate, share, WAITED } from '../queries.ts';
import type { RowSpec } from '../spec.ts';

const HANDLER = 'flowgate_handler_duration_seconds';
const BY_TENANT = { by: ['tenant'] };
/** The business of the settings has no name. */
const NAMED = 'tenant!=""';
const NONE = 'no tenants';

export const tenants: RowSpec = {
  title: 'Which tenant has trouble?',
  panels: [
    {
      title: 'Requests by tenant',
      kind: 'graph',
      width: 8,
      question: 'Whose requests come in?',
      action: 'Click a tenant in the legend to see it alone. The first hundred have a name here, later ones are other.',
      unit: units.RequestsPerSecond,
      isStacked: true,
      noValue: NONE,
      queries: [{ expr: rate(FLOW_REQUESTS, { ...BY_TENANT, where: [NAMED] }), legend: '{{tenant}}' }],
    },
    {
      title: 'p90 by tenant',
      kind: 'graph',
      width: 8,
      question: 'Whose users wait?',
      action: 'One tenant alone: what its handlers ask for it. All of them: see the rows above.',
      unit: units.Seconds,
      limits: META_LATENCY,
      noValue: NONE,
      queries: [
        { expr: quantile(0.9, FLOW_REQUEST, { ...BY_TENANT, where: [...WAITED, NAMED] }), legend: '{{tenant}}' },
      ],
    },
    {
      title: 'Handler time by tenant',
      kind: 'graph',
      width: 8,
      question: 'Whose handlers take long, and are what its users wait for?',
      action:
        'p90 of the handlers alone, beside that of whole requests. Near it: what they ask for this tenant. Far below it: the queue, for all tenants alike.',
      unit: units.Seconds,
      limits: SLOW_HANDLER,
      noValue: NONE,
      queries: [{ expr: quantile(0.9, HANDLER, { ...BY_TENANT, where: [NAMED] }), legend: '{{tenant}}' }],
    },
    {
      title: 'Errors by tenant',
      kind: 'graph',
      width: 12,
      question: 'What share of its requests fails?',
      action:
        'One tenant alone: its data, or its key (DECRYPTION_FAILED in the log names it). What is not signed with its secret is not counted: FlowgateSignaturesRefused watches that.',
      unit: units.PercentUnit,
      limits: META_ERRORS,
      noValue: NONE,
      queries: [
        {
          expr: share(
            rate(FLOW_REQUESTS, { ...BY_TENANT, where: [...FAILED, NAMED] }),
            rate(FLOW_REQUESTS, { ...BY_TENANT, where: [...COUNTED, NAMED] }),
          ),
          legend: '{{tenant}}',
        },
      ],
    },
    {
      title: 'Tenants not to be had',
      kind: 'graph',
      width: 12,
      question: 'Are requests refused because the credentials of their tenant could not be looked up?',
      action:
        'TENANT_UNAVAILABLE in the log says why, or that too many lookups came to nothing: then somebody makes up names. Tenants that are known go on.',
      unit: units.RequestsPerSecond,
      noValue: 'none so far',
      queries: [
        {
          expr: rate(FLOW_REQUESTS, { by: ['flow'], where: ['outcome="tenant_unavailable"'] }),
          legend: '{{flow}}',
        },
      ],
    },
  ],
};
