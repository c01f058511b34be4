/** One request: its stages, what it said and what came back, what the guard found, and sending it again. */
import { useState } from 'preact/hooks';
import { isObject, type JsonObject, type JsonValue } from '../../../json.ts';
import type { ExchangeReport, Refusal } from '../../api.ts';
import { formatMs, lastAttempt, lastReport, type Recorded } from '../session/records.ts';
import type { Attempt } from '../wire/client.ts';
import { StageTable } from './bar.tsx';
import { CopyButton } from './copy-button.tsx';
import { JsonEditor, parseObject } from './json-editor.tsx';
import { type Mark, Tree } from './tree.tsx';

interface DetailsProps {
  readonly record: Recorded;
  onResend(payload?: JsonObject): void;
}

export function Details({ record, onResend }: DetailsProps) {
  const [edited, edit] = useState<string>();
  const { trace, request } = record;
  const report = lastReport(record);
  const attempt = lastAttempt(record);
  const parsed = edited === undefined ? undefined : parseObject(edited);
  return (
    <section class="details" aria-label="Request">
      <div class="toolbar">
        <button type="button" onClick={() => onResend()}>
          Replay
        </button>
        <button
          type="button"
          aria-expanded={edited !== undefined}
          onClick={() => edit(edited === undefined ? JSON.stringify(request, null, 2) : undefined)}
        >
          Edit and resend
        </button>
        <CopyButton text={() => JSON.stringify({ request, answer: trace.answer }, null, 2)}>Copy JSON</CopyButton>
      </div>
      {edited !== undefined && (
        <div class="resend">
          <JsonEditor label="Payload" text={edited} rows={12} onChange={edit} />
          <button type="button" class="primary small" disabled={!parsed} onClick={() => parsed && onResend(parsed)}>
            Send
          </button>
        </div>
      )}
      <Outcome record={record} report={report} />
      {attempt && <Stages attempt={attempt} record={record} />}
      {report?.refusal && <GuardReport refusal={report.refusal} answer={trace.answer} />}
      <h2>Request</h2>
      <Tree label="Decrypted request" value={request} />
      <h2>Answer</h2>
      {trace.answer === undefined ? (
        <p class="empty">{record.endMs === undefined ? 'Not here yet.' : 'Nothing that opens.'}</p>
      ) : (
        <Tree label="Decrypted answer" value={trace.answer} marks={marksOf(trace.answer, report?.refusal)} />
      )}
    </section>
  );
}

function Outcome({ record, report }: { readonly record: Recorded; readonly report: ExchangeReport | undefined }) {
  return (
    <dl class="facts">
      {record.verdict !== undefined && <Fact name="On the phone" value={record.verdict} />}
      {report?.outcome !== undefined && <Fact name="Outcome" value={report.outcome} />}
      {report?.thrown !== undefined && <Fact name="The handler threw" value={report.thrown} isBad={true} />}
      {record.trace.isLate && (
        <Fact name="Too late" value="The answer came when the phone had given up." isBad={true} />
      )}
    </dl>
  );
}

function Fact({
  name,
  value,
  isBad = false,
}: {
  readonly name: string;
  readonly value: string;
  readonly isBad?: boolean;
}) {
  return (
    <div class={isBad ? 'fact bad' : 'fact'}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Stages({ attempt, record }: { readonly attempt: Attempt; readonly record: Recorded }) {
  const { report, sealMs } = attempt;
  const { startMs, endMs, trace } = record;
  const count = trace.attempts.length;
  return (
    <>
      <StageTable attempt={attempt} />
      <p class="fine">
        {report && `${formatMs(report.tookMs)} at the endpoint`}
        {endMs !== undefined &&
          `, ${formatMs(endMs - startMs)} on the phone with its own cryptography (sealing ${formatMs(sealMs)})`}
        .{count > 1 && ` Of ${count} attempts, these are the stages of the last.`}
      </p>
    </>
  );
}

/** Violations name keys of the data; the answer has them under `data`. */
function marksOf(answer: JsonValue, refusal: Refusal | undefined): Mark[] {
  if (!refusal || !isObject(answer) || JSON.stringify(answer) !== JSON.stringify(refusal.answer)) return [];
  return toMarks(refusal);
}

function toMarks({ violations }: Refusal): Mark[] {
  return violations.map(({ key, rule, message }) => ({
    path: key === '' ? 'screen' : `data.${key}`,
    message: `${rule}: ${message}`,
  }));
}

function GuardReport({ refusal, answer }: { readonly refusal: Refusal; readonly answer: JsonValue | undefined }) {
  const isAnswer = JSON.stringify(answer) === JSON.stringify(refusal.answer);
  return (
    <section class="guard" aria-label="Guard violations">
      <h2>The reply guard found</h2>
      <ul class="guard-list">
        {refusal.violations.map(({ screen, key, rule, message }) => (
          <li key={`${screen}.${key}.${rule}`}>
            <code>{[screen, key].filter(Boolean).join('.')}</code>{' '}
            <span class="violation">{`${rule}: ${message}`}</span>
          </li>
        ))}
      </ul>
      {!isAnswer && (
        <>
          <p class="fine">What the handler answered, and the phone never saw:</p>
          <Tree label="Refused answer" value={refusal.answer} marks={toMarks(refusal)} />
        </>
      )}
    </section>
  );
}
