/** Are users waiting? Are we losing anything? Is Meta about to throttle us? */
import * as units from '@grafana/grafana-foundation-sdk/units';
import {
  ANY,
  EVENT_LOOP_DELAY,
  META_ANSWER_BYTES,
  META_AVAILABILITY,
  META_ERRORS,
  META_LATENCY,
  OLDEST_DUE,
  SLOW_HANDLER,
} from './limits.ts';
import {
  COUNTED,
  FAILED,
  increase,
  NOT_OUR_WEBHOOKS,
  NOT_OURS,
  orZero,
  quantile,
  rate,
  select,
  share,
  WAITED,
} from './queries.ts';
import { above, below, type DashboardSpec } from './spec.ts';

const REQUESTS = 'flowgate_flow_request_duration_seconds_count';
const LATENCY = 'flowgate_flow_request_duration_seconds';
const HANDLER = 'flowgate_handler_duration_seconds';
const WEBHOOKS = 'flowgate_webhook_duration_seconds_count';
const REFUSED_WEBHOOK = `outcome!~"ok|${NOT_OUR_WEBHOOKS}"`;

const DAY_SEC = 24 * 3_600;

/** Meta's window for the alerts about an endpoint's errors and latency. */
const HALF_HOUR = '30m';

/** A ping is counted as one only once it is decrypted: what fails before that fails pings like everything else. */
const UNAVAILABLE = ['action=~"none|ping"', `outcome!~"ok|expired|${NOT_OURS}"`];

export const overview: DashboardSpec = {
  uid: 'flowgate-overview',
  title: 'Flowgate: overview',
  description: 'Are users waiting? Are we losing anything? Is Meta about to throttle us?',
  rows: [
    {
      title: 'Are users waiting?',
      panels: [
        {
          title: 'p90 of the slowest Flow',
          kind: 'stat',
          height: 8,
          question: 'How long does one in ten users of the slowest Flow wait, over the half hour that Meta looks at?',
          action:
            "Coloured at Meta's thresholds of 1, 5 and 7 s. Above 1 s: see below which Flow, and whether its handler or the decrypt queue takes the time.",
          unit: units.Seconds,
          limits: META_LATENCY,
          queries: [
            { expr: `max(${quantile(0.9, LATENCY, { by: ['flow'], where: WAITED, over: HALF_HOUR })})`, legend: 'p90' },
          ],
        },
        {
          title: 'Time to an answer',
          kind: 'graph',
          question: 'How long do users look at the spinner?',
          action:
            'p50 rises too: the service is busy, see the decryption dashboard. Only p99 rises: one handler or one Flow, see below which.',
          unit: units.Seconds,
          width: 10,
          limits: META_LATENCY,
          queries: [0.5, 0.9, 0.99].map((q) => ({
            expr: quantile(q, LATENCY, { where: WAITED }),
            legend: `p${q * 100}`,
          })),
        },
        {
          title: 'Requests per second',
          kind: 'graph',
          question: 'How much comes in, and of what kind?',
          action:
            'A drop to nothing while messages are still sent means that Meta does not reach us: look at the proxy, DNS and the certificate.',
          unit: units.RequestsPerSecond,
          width: 10,
          queries: [{ expr: rate(REQUESTS, { by: ['action'] }), legend: '{{action}}' }],
        },
        {
          title: 'p90 by Flow',
          kind: 'graph',
          question: 'Which Flow keeps users waiting?',
          action: 'Find its slowest screen in the next panel.',
          width: 6,
          unit: units.Seconds,
          limits: META_LATENCY,
          queries: [{ expr: quantile(0.9, LATENCY, { by: ['flow'], where: WAITED }), legend: '{{flow}}' }],
        },
        {
          title: 'p90 of handlers',
          kind: 'graph',
          question: 'Which handler of the app takes the time?',
          action: 'Cache what it fetches, move work to a job with c.defer, and pass c.signal to what it waits for.',
          width: 6,
          unit: units.Seconds,
          limits: SLOW_HANDLER,
          queries: [{ expr: quantile(0.9, HANDLER, { by: ['flow', 'screen'] }), legend: '{{flow}} {{screen}}' }],
        },
        {
          title: 'Slow handlers',
          kind: 'graph',
          question: 'How often does a handler take longer than 500 ms?',
          action: 'Each of them is a line HANDLER_SLOW in the log, with its Flow, screen and time.',
          width: 6,
          unit: units.OpsPerSecond,
          isStacked: true,
          noValue: 'none so far',
          queries: [
            { expr: rate('flowgate_handler_slow_total', { by: ['flow', 'screen'] }), legend: '{{flow}} {{screen}}' },
          ],
        },
        {
          title: 'p99 of answer sizes',
          kind: 'graph',
          question: 'Do answers come near the 1 MB that Meta takes?',
          action: 'Send smaller images (300 kB at most) or fewer rows.',
          width: 6,
          unit: units.BytesIEC,
          limits: META_ANSWER_BYTES,
          queries: [{ expr: quantile(0.99, 'flowgate_flow_response_bytes', { by: ['flow'] }), legend: '{{flow}}' }],
        },
      ],
    },
    {
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
                rate(REQUESTS, { where: FAILED, over: HALF_HOUR }),
                rate(REQUESTS, { where: COUNTED, over: HALF_HOUR }),
              ),
              legend: 'failed',
            },
          ],
        },
        {
          title: 'Refused beyond capacity',
          kind: 'stat',
          question: 'How many users were told to come back, in the time shown?',
          action:
            'More cores or more processes; the decryption dashboard says whether RSA or the event loop is the limit.',
          unit: units.Short,
          limits: ANY,
          queries: [{ expr: orZero(increase('flowgate_shed_total')), legend: 'refused' }],
        },
        {
          title: 'Webhooks refused',
          kind: 'stat',
          question: 'How many signed deliveries could not be taken, in the time shown?',
          action:
            'Nothing is lost yet: Meta delivers again for up to 7 days. Mend the store (disk, Redis) before that.',
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
            { expr: rate(REQUESTS, { by: ['flow', 'outcome'], where: FAILED }), legend: '{{flow}} {{outcome}}' },
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
            { expr: rate(REQUESTS, { by: ['outcome'], where: [`outcome=~"${NOT_OURS}"`] }), legend: '{{outcome}}' },
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
    },
    {
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
                rate(REQUESTS, { by: ['flow'], where: FAILED, over: HALF_HOUR }),
                rate(REQUESTS, { by: ['flow'], where: COUNTED, over: HALF_HOUR }),
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
            { expr: quantile(0.9, LATENCY, { by: ['flow'], where: WAITED, over: HALF_HOUR }), legend: '{{flow}}' },
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
                rate(REQUESTS, { by: ['flow'], where: UNAVAILABLE, over: '10m' }),
                rate(REQUESTS, { by: ['flow'], where: [`outcome!~"${NOT_OURS}"`], over: '10m' }),
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
                rate(REQUESTS, { by: ['flow'], where: COUNTED, over: '1h' }),
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
          question:
            "What did Meta's last alert say: a p90 in milliseconds, or an error rate or availability in percent?",
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
    },
    {
      title: 'Is the process well?',
      panels: [
        {
          title: 'Processes up',
          kind: 'stat',
          width: 6,
          question: 'How many of the processes does Prometheus reach?',
          action: 'Fewer than were started: see why it ended, or whether its admin port can be reached.',
          unit: units.Short,
          limits: below(1),
          queries: [{ expr: `sum(${select('up')})`, legend: 'up' }],
        },
        {
          title: 'Restarts',
          kind: 'stat',
          width: 6,
          question: 'How often did a process start, in the time shown?',
          action:
            "More than you deployed: look for the last log line before each, and for the kernel's out-of-memory killer.",
          unit: units.Short,
          limits: above(3),
          queries: [{ expr: `sum(changes(${select('process_start_time_seconds')}[$__range]))`, legend: 'restarts' }],
        },
        {
          title: 'HTTP servers',
          kind: 'stat',
          width: 6,
          question: 'Does uWebSockets.js serve, or its slower twin because the binary did not load?',
          action: 'node (fallback): README, uWebSockets.js, says which systems have a binary.',
          unit: units.Short,
          queries: [
            {
              expr: `sum by (server, fallback) (${select('flowgate_http_server_info')})`,
              legend: '{{server}} (fallback: {{fallback}})',
            },
          ],
        },
        {
          title: 'Certificate',
          kind: 'stat',
          width: 6,
          question: 'How long is the TLS certificate of the process still valid?',
          action:
            'Put the new one in place of the old: it is read again without a restart. Behind a TLS proxy there is no figure here.',
          unit: units.DurationSeconds,
          limits: below(3 * DAY_SEC, 14 * DAY_SEC),
          noValue: 'no TLS here',
          queries: [
            {
              expr: `min(${select('flowgate_tls_certificate_expiry_timestamp_seconds')}) - time()`,
              legend: 'left',
            },
          ],
        },
        {
          title: 'Event-loop delay',
          kind: 'graph',
          width: 6,
          question: 'Is the main thread free to answer?',
          action: 'Something blocks it: a handler that computes, a huge JSON, or too many requests for one process.',
          unit: units.Seconds,
          limits: EVENT_LOOP_DELAY,
          queries: [
            {
              expr: `max by (percentile) (${select('flowgate_event_loop_delay_seconds', 'percentile=~"50|99"')})`,
              legend: 'p{{percentile}}',
            },
          ],
        },
        {
          title: 'CPU',
          kind: 'graph',
          width: 6,
          question: 'How many cores does each process use?',
          action: 'At the number of its cores it is at its limit: add cores or processes.',
          unit: units.Short,
          queries: [{ expr: rate('process_cpu_seconds_total', { by: ['instance'] }), legend: '{{instance}}' }],
        },
        {
          title: 'Event-loop utilisation',
          kind: 'graph',
          width: 6,
          question: 'How much of its one main thread does each process use?',
          action: 'Near 100 % it cannot take more, however many cores there are: run another process.',
          unit: units.PercentUnit,
          limits: above(0.7, 0.9),
          queries: [{ expr: select('flowgate_event_loop_utilization_ratio'), legend: '{{instance}}' }],
        },
        {
          title: 'Memory',
          kind: 'graph',
          width: 6,
          question: 'Does the memory of a process grow without end?',
          action:
            'About 200 MB under load is usual. Steady growth is a leak: take a heap snapshot before you restart it.',
          unit: units.BytesIEC,
          queries: [{ expr: select('process_resident_memory_bytes'), legend: '{{instance}}' }],
        },
        {
          title: 'Open files',
          kind: 'graph',
          width: 12,
          question: 'How near is a process to its limit of open files? Each connection is one.',
          action: 'Raise the limit (ulimit -n, LimitNOFILE). A count that only grows is a leak in a handler.',
          unit: units.PercentUnit,
          limits: above(0.6, 0.8),
          queries: [{ expr: `${select('process_open_fds')} / ${select('process_max_fds')}`, legend: '{{instance}}' }],
        },
        {
          title: 'Garbage collection',
          kind: 'graph',
          width: 12,
          question: 'What share of the time does each process collect garbage?',
          action: 'Above 10 % it is short of memory: raise --max-old-space-size, or find what handlers keep.',
          unit: units.PercentUnit,
          limits: above(0.1),
          queries: [{ expr: rate('nodejs_gc_duration_seconds_sum', { by: ['instance'] }), legend: '{{instance}}' }],
        },
      ],
    },
  ],
};
