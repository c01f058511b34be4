/** Are users waiting, and for what? */
import * as units from '@grafana/grafana-foundation-sdk/units';
import { META_ANSWER_BYTES, META_LATENCY, SLOW_HANDLER } from '../limits.ts';
import { FLOW_REQUEST, FLOW_REQUESTS, HALF_HOUR, quantile, rate, WAITED } from '../queries.ts';
import type { RowSpec } from '../spec.ts';

const HANDLER = 'flowgate_handler_duration_seconds';

export const waiting: RowSpec = {
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
        {
          expr: `max(${quantile(0.9, FLOW_REQUEST, { by: ['flow'], where: WAITED, over: HALF_HOUR })})`,
          legend: 'p90',
        },
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
        expr: quantile(q, FLOW_REQUEST, { where: WAITED }),
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
      queries: [{ expr: rate(FLOW_REQUESTS, { by: ['action'] }), legend: '{{action}}' }],
    },
    {
      title: 'p90 by Flow',
      kind: 'graph',
      question: 'Which Flow keeps users waiting?',
      action: 'Find its slowest screen in the next panel.',
      width: 6,
      unit: units.Seconds,
      limits: META_LATENCY,
      queries: [{ expr: quantile(0.9, FLOW_REQUEST, { by: ['flow'], where: WAITED }), legend: '{{flow}}' }],
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
};
