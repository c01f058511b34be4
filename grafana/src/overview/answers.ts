/** What stands around the handlers: the reply guard, tokens, kept answers, sessions and their store, the cache, picked files. */
import * as units from '@grafana/grafana-foundation-sdk/units';
import { ANY, CACHE_LOAD, DOWNLOAD, STATE_CALL, STATE_FAILURES } from '../limits.ts';
import { increase, orZero, quantile, rate, share } from '../queries.ts';
import type { RowSpec } from '../spec.ts';

const STATE = 'flowgate_state_call_duration_seconds';
const LOADS = 'flowgate_cache_load_seconds';
const DOWNLOADS = 'flowgate_media_download_duration_seconds';

export const answers: RowSpec = {
  title: 'Do answers fit, and is there what handlers need?',
  panels: [
    {
      title: 'Answers that break the Flow JSON',
      kind: 'graph',
      question: 'Which answers does the Flow JSON not allow, before any client says so?',
      action:
        'A line REPLY_INVALID in the log says which key of the screen, and what is wrong with it. Mend the handler, or deploy the Flow JSON that is published.',
      unit: units.OpsPerSecond,
      isStacked: true,
      noValue: 'none so far',
      queries: [
        {
          expr: rate('flowgate_reply_violations_total', { by: ['flow', 'screen', 'rule'] }),
          legend: '{{flow}} {{screen}} {{rule}}',
        },
      ],
    },
    {
      title: 'Refused flow tokens',
      kind: 'graph',
      question: 'Whose messages can no longer be used, and why?',
      action:
        'unknown: expired, revoked, or the store lost it. used: completed before. app: checkToken said so. signature_*: not what Meta signed with the app secret.',
      unit: units.RequestsPerSecond,
      isStacked: true,
      noValue: 'none so far',
      queries: [
        { expr: rate('flowgate_flow_token_refused_total', { by: ['flow', 'reason'] }), legend: '{{flow}} {{reason}}' },
      ],
    },
    {
      title: 'Repeated submits',
      kind: 'graph',
      question: 'How often did a submit come again, and ran nothing?',
      action:
        'They are answered as before, and that is what once is for. Many of them: users press again because the first answer is slow.',
      unit: units.OpsPerSecond,
      isStacked: true,
      noValue: 'none so far',
      queries: [
        { expr: rate('flowgate_submit_repeated_total', { by: ['flow', 'screen'] }), legend: '{{flow}} {{screen}}' },
      ],
    },
    {
      title: 'Time of a state call',
      kind: 'graph',
      question: 'How long do sessions, flow tokens and kept answers keep users waiting?',
      action: 'At 250 ms a call has failed. Look at the disk of DATA_DIR, or at the latency of Redis.',
      unit: units.Seconds,
      limits: STATE_CALL,
      noValue: 'no session or token so far',
      queries: [0.5, 0.99].map((q) => ({ expr: quantile(q, STATE), legend: `p${q * 100}` })),
    },
    {
      title: 'Failed state calls',
      kind: 'graph',
      question: 'Can sessions, flow tokens and kept answers be read and written?',
      action:
        'Their requests get the fallback, or an error. state_unavailable in the log has the reason: the disk of DATA_DIR, or Redis.',
      unit: units.PercentUnit,
      limits: STATE_FAILURES,
      noValue: 'no session or token so far',
      queries: [
        {
          expr: share(rate(`${STATE}_count`, { where: ['outcome="failed"'] }), rate(`${STATE}_count`)),
          legend: 'failed',
        },
      ],
    },
    {
      title: 'Answers not shared',
      kind: 'stat',
      height: 8,
      width: 8,
      question: 'How many answers could not be told to the other processes, in the time shown?',
      action:
        'With Redis only. A body that comes again to another process meanwhile runs its handler again: look at the latency of Redis.',
      unit: units.Short,
      limits: ANY,
      queries: [{ expr: orZero(increase('flowgate_reply_not_shared_total')), legend: 'not shared' }],
    },
    {
      title: 'Answers of the cache',
      kind: 'graph',
      question: 'Does the cache help, and does anybody get an old value or none from it?',
      action:
        'Mostly loaded: give it a longer ttl, or keys that more users share. stale: a source fails, or takes over 250 ms. failed: a source fails and nothing is kept; with a grace it is kept longer.',
      unit: units.OpsPerSecond,
      isStacked: true,
      noValue: 'nothing cached so far',
      queries: [{ expr: rate('flowgate_cache_requests_total', { by: ['outcome'] }), legend: '{{outcome}}' }],
    },
    {
      title: 'Failed loads',
      kind: 'graph',
      question: 'Do the sources of cached values fail?',
      action:
        'Handlers get the error where no old value is left, so users the fallback: look at the service that is asked. One that has not answered after 30 s has failed.',
      unit: units.PercentUnit,
      limits: ANY,
      noValue: 'nothing loaded so far',
      queries: [
        {
          expr: share(rate(`${LOADS}_count`, { where: ['outcome="failed"'] }), rate(`${LOADS}_count`)),
          legend: 'failed',
        },
      ],
    },
    {
      title: 'Time of a load',
      kind: 'graph',
      question: 'How long do the sources of cached values take?',
      action:
        'Who waits is whoever finds nothing kept. A grace lets them have the old value after 250 ms, while the source goes on.',
      unit: units.Seconds,
      limits: CACHE_LOAD,
      noValue: 'nothing loaded so far',
      queries: [0.5, 0.9].map((q) => ({ expr: quantile(q, LOADS), legend: `p${q * 100}` })),
    },
    {
      title: 'Downloads of files',
      kind: 'graph',
      width: 12,
      question: 'Do the files that users picked or sent come?',
      action:
        "media_unavailable: Meta's CDN, or the way to it; a proxy needs MEDIA_HOSTS. aborted: the handler ended first, or its user left. media_invalid: not the file that was described.",
      unit: units.OpsPerSecond,
      isStacked: true,
      noValue: 'none so far',
      queries: [{ expr: rate(`${DOWNLOADS}_count`, { by: ['outcome'] }), legend: '{{outcome}}' }],
    },
    {
      title: 'Time of a download',
      kind: 'graph',
      width: 12,
      question: 'How long does a file take, with its wait for a turn?',
      action:
        'Eight are downloaded at a time. A Flow has 8 s in all: leave files to a job or to the completed Flow where they take longer.',
      unit: units.Seconds,
      limits: DOWNLOAD,
      noValue: 'none so far',
      queries: [{ expr: quantile(0.9, DOWNLOADS), legend: 'p90' }],
    },
  ],
};
