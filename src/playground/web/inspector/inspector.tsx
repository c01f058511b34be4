/** The timeline of requests, and all that is known of the one that is looked at. */
import { useState } from 'preact/hooks';
import { lastReport, type Recorded } from '../session/records.ts';
import type { Session } from '../session/session.ts';
import { useStore } from '../session/use-store.ts';
import { toTest } from './copy-as-test.ts';
import { CopyButton } from './copy-button.tsx';
import { Details } from './details.tsx';
import { Timeline } from './timeline.tsx';

export function Inspector({ session }: { readonly session: Session }) {
  const { records, steps, phone, apiVersion } = useStore(session.store);
  const [chosen, choose] = useState<number>();
  const record = records.find(({ id }) => id === chosen) ?? records.findLast(({ kind }) => kind !== 'notification');
  const test = () => toTest({ flow: phone.flow.name, apiVersion, steps });
  return (
    <div class="inspector">
      <div class="toolbar">
        <span class="count">{countText(records)}</span>
        <CopyButton text={test} isDisabled={steps.length === 0}>
          Copy as a test
        </CopyButton>
        <button type="button" disabled={records.length === 0} onClick={() => session.clearRecords()}>
          Clear
        </button>
      </div>
      {records.length === 0 ? (
        <p class="empty">Open the Flow on the phone: every request shows here, decrypted, with what it took.</p>
      ) : (
        <Timeline records={records} chosen={record?.id} onChoose={choose} />
      )}
      {record && (
        <Details key={record.id} record={record} onResend={(payload) => void session.resend(record, payload)} />
      )}
    </div>
  );
}

function countText(records: readonly Recorded[]): string {
  const refused = records.filter((record) => lastReport(record)?.refusal).length;
  const count = `${records.length} ${records.length === 1 ? 'request' : 'requests'}`;
  return refused === 0 ? count : `${count}, ${refused} with guard violations`;
}
