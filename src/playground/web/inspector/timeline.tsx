/** One row a request: what it asked, what came, how long it took and on what. */
import { useEffect, useRef } from 'preact/hooks';
import { formatBytes, formatMs, lastAttempt, lastReport, type Recorded, wireMs } from '../session/records.ts';
import { Bar } from './bar.tsx';

interface TimelineProps {
  readonly records: readonly Recorded[];
  readonly chosen: number | undefined;
  onChoose(id: number): void;
}

export function Timeline({ records, chosen, onChoose }: TimelineProps) {
  const list = useRef<HTMLOListElement>(null);
  const longestMs = Math.max(1, ...records.map(wireMs));
  const count = records.length;
  useEffect(() => {
    if (list.current) list.current.scrollTop = count * 1_000;
  }, [count]);
  return (
    <ol class="timeline" aria-label="Requests" ref={list}>
      {records.map((record) => (
        <li key={record.id}>
          <button
            type="button"
            class={`row kind-${record.kind}`}
            aria-pressed={record.id === chosen}
            onClick={() => onChoose(record.id)}
          >
            <Status record={record} />
            <span class="row-what">
              <strong>{actionOf(record)}</strong> <span>{String(record.request['screen'] ?? '')}</span>
            </span>
            <span class="row-verdict">{verdictOf(record)}</span>
            <span class="row-size">{sizesOf(record)}</span>
            <span class="row-time">{record.endMs === undefined ? '…' : formatMs(wireMs(record))}</span>
            <Bar attempt={lastAttempt(record)} longestMs={longestMs} />
          </button>
        </li>
      ))}
    </ol>
  );
}

export function Status({ record }: { readonly record: Recorded }) {
  const attempts = record.trace.attempts.map(({ status }) => status);
  const last = attempts.at(-1);
  if (record.endMs === undefined && last !== 200) return <span class="status waiting">…</span>;
  const isGood = last === 200 && !record.trace.isLate && !lastReport(record)?.refusal;
  return (
    <span class={isGood ? 'status good' : last === 200 || last === 421 || last === 427 ? 'status warn' : 'status bad'}>
      {attempts.length === 0 ? 'late' : attempts.map((status) => (status === 0 ? 'down' : status)).join(' → ')}
    </span>
  );
}

const KINDS = { phone: '', notification: 'error notice', replayed: 'replayed', edited: 'edited' } as const;

function actionOf({ kind, request }: Recorded): string {
  const word = KINDS[kind];
  return word === 'error notice' ? word : [String(request['action'] ?? '?'), word].filter(Boolean).join(' · ');
}

function verdictOf({ verdict, trace, endMs }: Recorded): string {
  if (endMs === undefined) return 'running';
  if (trace.isLate) return 'answered too late';
  return verdict ?? trace.ending ?? 'no answer yet';
}

function sizesOf(record: Recorded): string {
  const report = lastReport(record);
  return report ? `${formatBytes(report.requestBytes)} ↑ ${formatBytes(report.responseBytes)} ↓` : '';
}
