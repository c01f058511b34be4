/** From the queue to the keys: what decryption costs, and where requests wait for it. */
import * as units from '@grafana/grafana-foundation-sdk/units';
import { ANY, EVENT_LOOP_DELAY, QUEUE_WAIT } from './limits.ts';
import { COUNTED, FLOW_REQUESTS, increase, mean, orZero, quantile, rate, select, share } from './queries.ts';
import { above, type DashboardSpec } from './spec.ts';

const QUEUE = 'flowgate_decrypt_queue_seconds';
const BATCH = 'flowgate_decrypt_batch_size';
const RSA = 'flowgate_decrypt_rsa_seconds';
const YEAR_SEC = 365 * 24 * 3_600;

export const decrypt: DashboardSpec = {
  uid: 'flowgate-decrypt',
  title: 'Flowgate: decryption',
  description: 'The decrypt queue, its worker threads, what is refused, the event loop, and the private keys.',
  rows: [
    {
      title: 'Do requests wait for a worker?',
      panels: [
        {
          title: 'Wait in the queue',
          kind: 'graph',
          question: 'How long does a request wait for a decrypt worker?',
          action: 'Near MAX_QUEUE_WAIT_MS requests are refused: add cores (WORKERS follows) or processes.',
          unit: units.Seconds,
          limits: QUEUE_WAIT,
          queries: [0.5, 0.9, 0.99].map((q) => ({ expr: quantile(q, QUEUE), legend: `p${q * 100}` })),
        },
        {
          title: 'Queue length',
          kind: 'graph',
          question: 'How many requests wait, at the moment of the scrape?',
          action: 'A standing queue is an overload; a queue that comes and goes is a crowd, and harmless.',
          unit: units.Short,
          queries: [{ expr: select('flowgate_decrypt_queue_length'), legend: '{{instance}}' }],
        },
        {
          title: 'Decrypted per second',
          kind: 'graph',
          question: 'How much does the pool get through?',
          action:
            'Flat while requests rise: this is the capacity. About 4,000 a second and core is what RSA-2048 allows.',
          unit: units.RequestsPerSecond,
          queries: [{ expr: rate(`${QUEUE}_count`, { by: ['instance'] }), legend: '{{instance}}' }],
        },
      ],
    },
    {
      title: 'Is the service beyond its capacity?',
      panels: [
        {
          title: 'Refused',
          kind: 'stat',
          height: 8,
          question: 'How many requests were refused for lack of capacity, in the time shown?',
          action: 'Each is a user who saw an error with a retry button: add cores or processes.',
          unit: units.Short,
          limits: ANY,
          queries: [{ expr: orZero(increase('flowgate_shed_total')), legend: 'refused' }],
        },
        {
          title: 'Refused by reason',
          kind: 'graph',
          question: 'Why are requests refused?',
          action:
            'queue_full: at the door, the pool is full. expired: the deadline passed in the queue, so the pool has become slower.',
          unit: units.RequestsPerSecond,
          width: 10,
          isStacked: true,
          noValue: 'none so far',
          queries: [{ expr: rate('flowgate_shed_total', { by: ['reason'] }), legend: '{{reason}}' }],
        },
        {
          title: 'Share refused',
          kind: 'graph',
          question: 'What share of the requests is refused?',
          action: 'At 5 % Meta raises its first alert.',
          unit: units.PercentUnit,
          width: 10,
          limits: above(0.05, 0.1, 0.5),
          queries: [
            { expr: share(rate('flowgate_shed_total'), rate(FLOW_REQUESTS, { where: COUNTED })), legend: 'refused' },
          ],
        },
      ],
    },
    {
      title: 'What do the workers do?',
      panels: [
        {
          title: 'Time in RSA',
          kind: 'graph',
          question: 'What does one private operation cost here?',
          action:
            '0.25 ms on a fast core. Much more: a throttled or shared CPU, or 4096-bit keys (2048 are enough for Meta).',
          unit: units.Seconds,
          queries: [
            { expr: mean(RSA), legend: 'mean' },
            { expr: quantile(0.99, RSA), legend: 'p99' },
          ],
        },
        {
          title: 'Requests a batch',
          kind: 'graph',
          question: 'How many requests cross to a worker together?',
          action: 'It grows with the backlog. At DECRYPT_BATCH the pool is saturated.',
          unit: units.Short,
          queries: [
            { expr: mean(BATCH), legend: 'mean' },
            { expr: quantile(0.9, BATCH), legend: 'p90' },
          ],
        },
        {
          title: 'Workers busy, estimated',
          kind: 'graph',
          question: "What share of the threads' time goes into RSA?",
          action:
            'Requests times the mean time of a batch, by the number of threads. Above 80 % a crowd begins to wait: add cores or processes.',
          unit: units.PercentUnit,
          limits: above(0.8, 0.95),
          queries: [
            {
              expr: `${rate(`${BATCH}_sum`)} * ${mean(RSA)} / sum(${select('flowgate_decrypt_workers')})`,
              legend: 'busy',
            },
          ],
        },
        {
          title: 'Worker threads',
          kind: 'stat',
          height: 8,
          question: 'How many threads decrypt?',
          action: 'WORKERS sets it; more than there are cores gains nothing.',
          unit: units.Short,
          queries: [{ expr: `sum(${select('flowgate_decrypt_workers')})`, legend: 'threads' }],
        },
        {
          title: 'Decrypted again',
          kind: 'stat',
          height: 8,
          question: 'Did worker threads die, in the time shown?',
          action:
            'Requests of a thread that died are run once more. It should never happen: look for memory limits, and report it with the log.',
          unit: units.Short,
          limits: ANY,
          queries: [{ expr: increase('flowgate_decrypt_retried_total'), legend: 'retried' }],
        },
        {
          title: 'Kept for repeated bodies',
          kind: 'graph',
          question: 'How much ciphertext is kept, to answer a repeated body alike?',
          action: 'Bounded at 8 MiB a process: there is nothing to do.',
          unit: units.BytesIEC,
          queries: [{ expr: select('flowgate_reply_memory_bytes'), legend: '{{instance}}' }],
        },
        {
          title: 'Event-loop delay',
          kind: 'graph',
          question: 'Is the main thread free while the workers decrypt?',
          action:
            'High while the workers are idle: a handler blocks it. High with them: more cores, or a greater WORKER_NICENESS.',
          unit: units.Seconds,
          limits: EVENT_LOOP_DELAY,
          queries: [
            {
              expr: select('flowgate_event_loop_delay_seconds', 'percentile="99"'),
              legend: '{{instance}} p99',
            },
            {
              expr: select('flowgate_event_loop_delay_seconds', 'percentile="100"'),
              legend: '{{instance}} longest',
            },
          ],
        },
      ],
    },
    {
      title: 'Do the keys fit?',
      panels: [
        {
          title: 'Opened by key',
          kind: 'graph',
          question: 'Which private key do clients encrypt for?',
          action: 'After a rotation the newest takes over. An older one that opens nothing for days can be removed.',
          unit: units.RequestsPerSecond,
          isStacked: true,
          queries: [{ expr: rate('flowgate_key_hits_total', { by: ['fingerprint'] }), legend: '{{fingerprint}}' }],
        },
        {
          title: 'Not opened by any key',
          kind: 'graph',
          question: 'Do clients use a public key that is not ours?',
          action:
            'flowgate keys status compares what Meta holds with what is loaded. Each client tries once more with a fresh key, then shows an error.',
          unit: units.RequestsPerSecond,
          noValue: 'none so far',
          queries: [
            { expr: rate(FLOW_REQUESTS, { by: ['flow'], where: ['outcome="decryption_failed"'] }), legend: '{{flow}}' },
          ],
        },
        {
          title: 'Age of keys',
          kind: 'stat',
          question: 'How old are the keys, by their files? Position 1 is the newest.',
          action: 'Rotate once a year, and whenever somebody who has seen a key leaves: flowgate keys rotate.',
          unit: units.DurationSeconds,
          width: 8,
          limits: above(YEAR_SEC),
          noValue: 'keys given as text have no age',
          queries: [
            {
              expr: `${select('flowgate_key_age_seconds')} * on (job, instance, fingerprint) group_left (position) ${select('flowgate_key_info')}`,
              legend: '{{position}}: {{fingerprint}} on {{instance}}',
            },
          ],
        },
      ],
    },
  ],
};
