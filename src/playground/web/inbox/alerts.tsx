/** Flow alerts, as Meta sends them. */
import { useState } from 'preact/hooks';
import { ALERTS, type AlertName } from '../../api.ts';

export function Alerts({ onSend }: { onSend(alert: AlertName, isActive: boolean): void }) {
  const [alert, choose] = useState<AlertName>(ALERTS[0]);
  return (
    <div class="toolbar">
      <label>
        Flow alert{' '}
        <select
          value={alert}
          onChange={(event) => choose(ALERTS.find((name) => name === event.currentTarget.value) ?? ALERTS[0])}
        >
          {ALERTS.map((name) => (
            <option key={name} value={name}>
              {name.replaceAll('_', ' ')}
            </option>
          ))}
        </select>
      </label>
      <button type="button" onClick={() => onSend(alert, true)}>
        Send as active
      </button>
      <button type="button" onClick={() => onSend(alert, false)}>
        Send as over
      </button>
    </div>
  );
}
