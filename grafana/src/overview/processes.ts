/** Are the processes well? */
import * as units from '@grafana/grafana-foundation-sdk/units';
import { EVENT_LOOP_DELAY } from '../limits.ts';
import { rate, select } from '../queries.ts';
import { above, below, type RowSpec } from '../spec.ts';

const DAY_SEC = 24 * 3_600;

export const processes: RowSpec = {
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
      action: 'About 200 MB under load is usual. Steady growth is a leak: take a heap snapshot before you restart it.',
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
};
