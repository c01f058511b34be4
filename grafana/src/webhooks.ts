/** From a delivery of Meta's to its handler: acknowledged in time, stored, handled, or given up. */
import * as units from '@grafana/grafana-foundation-sdk/units';
import {
  ANY,
  COMMIT,
  FORWARDING_DELAY,
  GRAPH_TURN,
  META_ACKNOWLEDGEMENT,
  META_LATE_ACKNOWLEDGEMENTS,
  OLDEST_DUE,
} from './limits.ts';
import { mean, quantile, rate, select, share } from './queries.ts';
import { above, type DashboardSpec } from './spec.ts';

const WEBHOOK = 'flowgate_webhook_duration_seconds';
const EVENTS = 'flowgate_webhook_events_total';
const FORWARDING = 'flowgate_webhook_forwarding_delay_seconds';
const ATTEMPT = 'flowgate_inbox_attempt_duration_seconds';
const TURN = 'flowgate_graph_turn_wait_seconds';
const ACKNOWLEDGED = ['outcome="ok"'];

export const webhooks: DashboardSpec = {
  uid: 'flowgate-webhooks',
  title: 'Flowgate: webhooks',
  description: 'Deliveries and their acknowledgement, events, the inbox, what handlers make of it, and what they send.',
  rows: [
    {
      title: 'Are deliveries acknowledged in time?',
      panels: [
        {
          title: 'Time to the acknowledgement',
          kind: 'graph',
          question:
            'Does Meta get its 200 in time? It asks for a median of 250 ms, and fewer than one in a hundred above 1 s.',
          action: 'A webhook is acknowledged when it is stored: look at the time of a commit below, or at Redis.',
          unit: units.Seconds,
          limits: META_ACKNOWLEDGEMENT,
          queries: [0.5, 0.99].map((q) => ({
            expr: quantile(q, WEBHOOK, { where: ACKNOWLEDGED }),
            legend: `p${q * 100}`,
          })),
        },
        {
          title: 'Acknowledged after 1 s',
          kind: 'graph',
          question: 'What share of deliveries is acknowledged too late for Meta?',
          action:
            'Meta asks for fewer than 1 %. What it takes for failed it delivers again, which makes a slow store slower.',
          unit: units.PercentUnit,
          limits: META_LATE_ACKNOWLEDGEMENTS,
          queries: [
            {
              expr: `1 - ${rate(`${WEBHOOK}_bucket`, { where: [...ACKNOWLEDGED, 'le="1"'] })} / ${rate(`${WEBHOOK}_count`, { where: ACKNOWLEDGED })}`,
              legend: 'late',
            },
          ],
        },
        {
          title: 'Deliveries by outcome',
          kind: 'graph',
          question: 'What is acknowledged, and what is refused?',
          action:
            "inbox_unavailable: disk or Redis. inbox_full: handlers are down. webhook_signature_invalid and no ok: the app secret is another app's.",
          unit: units.RequestsPerSecond,
          isStacked: true,
          queries: [{ expr: rate(`${WEBHOOK}_count`, { by: ['outcome'] }), legend: '{{outcome}}' }],
        },
      ],
    },
    {
      title: 'What comes in?',
      panels: [
        {
          title: 'New events',
          kind: 'graph',
          question: 'What kinds of events come in?',
          action: 'unknown: Meta sends something that this version has no name for; handlers can see its raw form.',
          unit: units.OpsPerSecond,
          isStacked: true,
          queries: [{ expr: rate(EVENTS, { by: ['type'], where: ['outcome="stored"'] }), legend: '{{type}}' }],
        },
        {
          title: 'Delivered again',
          kind: 'graph',
          question: 'What share of the events has been delivered before?',
          action:
            'They are recognised and dropped. Many of them: our acknowledgements were late or lost, some minutes ago.',
          unit: units.PercentUnit,
          limits: above(0.1, 0.5),
          queries: [
            { expr: share(rate(EVENTS, { where: ['outcome="duplicate"'] }), rate(EVENTS)), legend: 'duplicates' },
          ],
        },
        {
          title: 'Forwarding delay',
          kind: 'graph',
          question: 'Does something between Meta and us hold webhooks back?',
          action:
            "By Meta's timestamps, in whole seconds. High after an outage of ours: Meta delivers again. High without one: the provider or proxy in between, or a clock.",
          unit: units.Seconds,
          limits: FORWARDING_DELAY,
          queries: [0.5, 0.9].map((q) => ({
            expr: quantile(q, FORWARDING, { by: ['kind'] }),
            legend: `{{kind}} p${q * 100}`,
          })),
        },
        {
          title: 'Delay of completed Flows',
          kind: 'graph',
          question: 'How late do we hear that somebody has completed a Flow?',
          action: 'As above; the user has seen the success screen by then and waits for your message.',
          unit: units.Seconds,
          width: 24,
          limits: FORWARDING_DELAY,
          noValue: 'none so far',
          queries: [
            { expr: quantile(0.9, FORWARDING, { by: ['flow'], where: ['flow!="none"'] }), legend: '{{flow}} p90' },
          ],
        },
      ],
    },
    {
      title: 'Does the inbox keep up?',
      panels: [
        {
          title: 'Oldest due',
          kind: 'graph',
          question: 'How long has the oldest event or job waited that could have been handled?',
          action:
            'It rises: handlers fail or are slow (see below), or are too few: INBOX_CONCURRENCY, or more processes of the role worker.',
          unit: units.Seconds,
          limits: OLDEST_DUE,
          queries: [{ expr: select('flowgate_inbox_oldest_due_seconds'), legend: '{{instance}}' }],
        },
        {
          title: 'Waiting and in work',
          kind: 'graph',
          question: 'How much waits to be handled, and how much is being handled?',
          action:
            'In work at INBOX_CONCURRENCY and waiting rises: raise it, if the handlers wait rather than compute. At a million waiting, webhooks are refused.',
          unit: units.Short,
          queries: [
            {
              expr: `max by (state) (${select('flowgate_inbox_items', 'state=~"waiting|leased"')})`,
              legend: '{{state}}',
            },
          ],
        },
        {
          title: 'Dead letters',
          kind: 'graph',
          question: 'What was given up, and waits for a decision?',
          action: 'flowgate inbox list says why; then flowgate inbox replay, or purge.',
          unit: units.Short,
          limits: ANY,
          queries: [{ expr: select('flowgate_inbox_items', 'state="dead"'), legend: '{{instance}}' }],
        },
        {
          title: 'Ids kept',
          kind: 'graph',
          question: 'How many finished events are remembered, to recognise duplicates?',
          action: 'Kept for 8 days, about 150 bytes each: plan the disk, or the memory of Redis, by it.',
          unit: units.Short,
          queries: [{ expr: select('flowgate_inbox_items', 'state="done"'), legend: '{{instance}}' }],
        },
        {
          title: 'Time of a commit',
          kind: 'graph',
          question: 'How slow is the disk? One commit is one sync. Embedded store only.',
          action: 'Above 25 ms acknowledgements suffer: move DATA_DIR to a local SSD, away from other writers.',
          unit: units.Seconds,
          limits: COMMIT,
          noValue: 'the inbox is in Redis',
          queries: [0.5, 0.99].map((q) => ({
            expr: quantile(q, 'flowgate_inbox_commit_seconds'),
            legend: `p${q * 100}`,
          })),
        },
        {
          title: 'Calls a commit',
          kind: 'graph',
          question: 'How many calls share one sync of the disk?',
          action: 'It grows with the load, and that is how one disk carries it: there is nothing to do.',
          unit: units.Short,
          noValue: 'the inbox is in Redis',
          queries: [{ expr: mean('flowgate_inbox_commit_calls'), legend: 'mean' }],
        },
      ],
    },
    {
      title: 'What do handlers make of it?',
      panels: [
        {
          title: 'Attempts by outcome',
          kind: 'graph',
          question: 'How do attempts end?',
          action:
            'retry and dead: the handler fails, the log says where. lost: it outlived its lease; shorten it or split it into jobs. unhandled: no handler for that event.',
          unit: units.OpsPerSecond,
          isStacked: true,
          queries: [{ expr: rate(`${ATTEMPT}_count`, { by: ['outcome'] }), legend: '{{outcome}}' }],
        },
        {
          title: 'Failed attempts by type',
          kind: 'graph',
          question: 'Which handler or job fails?',
          action:
            "flowgate inbox show gives the stack of one of them. A Graph API that refuses says so there, with Meta's code.",
          unit: units.PercentUnit,
          limits: above(0.1, 0.5),
          queries: [
            {
              expr: share(
                rate(`${ATTEMPT}_count`, { by: ['type'], where: ['outcome=~"retry|dead|lost"'] }),
                rate(`${ATTEMPT}_count`, { by: ['type'] }),
              ),
              legend: '{{type}}',
            },
          ],
        },
        {
          title: 'Time of an attempt',
          kind: 'graph',
          question: 'What do handlers and jobs take?',
          action:
            'Long ones hold a place of INBOX_CONCURRENCY each. Past deadlineMs (30 s by default) an attempt has failed.',
          unit: units.Seconds,
          queries: [{ expr: quantile(0.9, ATTEMPT, { by: ['type'] }), legend: '{{type}} p90' }],
        },
      ],
    },
    {
      title: 'Does Meta take what handlers send?',
      panels: [
        {
          title: 'Calls made again',
          kind: 'graph',
          question: 'Which calls to the Graph API failed, and were made again?',
          action:
            "A number is Meta's code: 130429 and 131056, too many messages: see the next panels. Without one: how the call failed on its way.",
          unit: units.OpsPerSecond,
          isStacked: true,
          noValue: 'none so far',
          queries: [{ expr: rate('flowgate_graph_retries_total', { by: ['reason'] }), legend: '{{reason}}' }],
        },
        {
          title: 'Messages that waited',
          kind: 'graph',
          question: 'How many messages had to wait for their turn?',
          action:
            'More are sent than GRAPH_MESSAGES_PER_SECOND lets go, or one user gets more than 45 at once: neither is an error until it goes on.',
          unit: units.OpsPerSecond,
          noValue: 'none so far',
          queries: [{ expr: rate(`${TURN}_count`, { by: ['instance'] }), legend: '{{instance}}' }],
        },
        {
          title: 'Wait for a turn',
          kind: 'graph',
          question: 'How long did those wait that had to?',
          action:
            'Above 20 s a message is given up for this attempt. Ask Meta for a higher throughput, then raise GRAPH_MESSAGES_PER_SECOND; or spread what is sent.',
          unit: units.Seconds,
          limits: GRAPH_TURN,
          noValue: 'none so far',
          queries: [0.5, 0.9].map((q) => ({ expr: quantile(q, TURN), legend: `p${q * 100}` })),
        },
      ],
    },
  ],
};
