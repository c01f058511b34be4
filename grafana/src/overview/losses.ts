/** Are we losing anything: requests, webhooks, events? */
import * as units from '@grafana/grafana-foundation-sdk/units';
import { ANY, META_ERRORS, OLDEST_DUE } from '../limits.ts';
import {
  COUNTED,
  FAILED,
  FLOW_REQUESTS,
  HALF_HOUR,
  increase,
  NOT_OUR_WEBHOOKS,
  NOT_OURS,
  orZero,
  rate,
  select,
  share,
} from '../queries.ts';
import type { RowSpec } from '../spec.ts';

const WEBHOOKS = 'flowgate_webhook_duration_seconds_count';
const REFUSED_WEBHOOK = `outcome!~"ok|${NOT_OUR_WEBHOOKS}"`;

export const losses: RowSpec = {
  title: 'Are we losing anything?',
  panels: [
    {
      title: 'Failed requests',
      kind: 'stat',
      question: 'What share of all requests fails, over the half hour that Meta looks at?',
      action:
        "Coloured at Meta's thresholds of 5, 10 and 50 %. See below by which outcome, and the status table in the README for what it means.",
      unit: units.PercentUnit,
      limits: META_ERRORS,
      queries: [
        {
          expr: share(
            rate(FLOW_REQUESTS, { where: FAILED, over: HALF_HOUR }),
            rate(FLOW_REQUESTS, { where: COUNTED, over: HALF_HOUR }),
          ),
          legend: 'failed',
        },
      ],
    },
    {
      title: 'Refused beyond capacity',
      kind: 'stat',
      question: 'How many users were told to come back, in the time shown?',
      action: 'More cores or more processes; the decryption dashboard says whether RSA or the event loop is the limit.',
      unit: units.Short,
      limits: ANY,
      queries: [{ expr: orZero(increase('flowgate_shed_total')), legend: 'refused' }],
    },
    {
      title: 'Webhooks refused',
      kind: 'stat',
      question: 'How many signed deliveries could not be taken, in the time shown?',
      action: 'Nothing is lost yet: Meta delivers again for up to 7 days. Mend the store (disk, Redis) before that.',
      unit: units.Short,
      limits: ANY,
      queries: [{ expr: orZero(increase(WEBHOOKS, { where: [REFUSED_WEBHOOK] })), legend: 'refused' }],
    },
    {
      title: 'Oldest due event',
      kind: 'stat',
      question: 'Do the handlers keep up with the inbox?',
      action:
        'See the webhooks dashboard: handlers fail, are slow, or are too few (INBOX_CONCURRENCY, processes of the role worker).',
      unit: units.DurationSeconds,
      limits: OLDEST_DUE,
      queries: [{ expr: `max(${select('flowgate_inbox_oldest_due_seconds')})`, legend: 'oldest' }],
    },
    {
      title: 'Dead letters',
      kind: 'stat',
      question: 'How many events and jobs were given up?',
      action: 'flowgate inbox list says why; after the fix flowgate inbox replay --all.',
      unit: units.Short,
      limits: ANY,
      queries: [{ expr: `max(${select('flowgate_inbox_items', 'state="dead"')})`, legend: 'dead' }],
    },
    {
      title: 'Key files refused',
      kind: 'stat',
      question: 'Are there newer keys that cannot be used?',
      action: 'The keys loaded before go on serving, but the next start fails: the log says which file and why.',
      unit: units.Short,
      limits: ANY,
      names: { 0: { text: 'no', colour: 'green' }, 1: { text: 'yes', colour: 'red' } },
      queries: [{ expr: `max(${select('flowgate_key_problem')})`, legend: 'problem' }],
    },
    {
      title: 'Failed requests by outcome',
      kind: 'graph',
      question: 'What goes wrong for users?',
      action:
        'Each outcome is an error code in lower case: the status table in the README says what it means, the log where.',
      unit: units.RequestsPerSecond,
      isStacked: true,
      noValue: 'none so far',
      queries: [
        { expr: rate(FLOW_REQUESTS, { by: ['flow', 'outcome'], where: FAILED }), legend: '{{flow}} {{outcome}}' },
      ],
    },
    {
      title: 'Not our failures',
      kind: 'graph',
      question: 'What is refused without being counted against us?',
      action:
        'signature_invalid and nothing that succeeds: APP_SECRET is not the secret of the app connected to the Flow. Otherwise somebody has found the URL.',
      unit: units.RequestsPerSecond,
      isStacked: true,
      noValue: 'none so far',
      queries: [
        { expr: rate(FLOW_REQUESTS, { by: ['outcome'], where: [`outcome=~"${NOT_OURS}"`] }), legend: '{{outcome}}' },
      ],
    },
    {
      title: 'Answers that clients could not use',
      kind: 'graph',
      question: 'Which of our answers does WhatsApp refuse?',
      action:
        'invalid-screen-transition: the routing model; payload-schema-error: the data of the screen. The line CLIENT_ERROR in the log names the screen.',
      unit: units.OpsPerSecond,
      isStacked: true,
      noValue: 'none so far',
      queries: [
        { expr: rate('flowgate_flow_client_errors_total', { by: ['flow', 'key'] }), legend: '{{flow}} {{key}}' },
      ],
    },
  ],
};
