/** What can go wrong between a phone and its endpoint, to be tried. */
import { useState } from 'preact/hooks';
import type { TokenChoice } from '../inspector/copy-as-test.ts';
import type { Session } from '../session/session.ts';
import { useStore } from '../session/use-store.ts';
import { deadToken } from './dead-token.ts';

const DELAYS = [
  { ms: 0, label: 'none' },
  { ms: 500, label: '0.5 s' },
  { ms: 2_000, label: '2 s' },
  { ms: 9_000, label: '9 s, just in time' },
  { ms: 11_000, label: '11 s, too late' },
] as const;

export function Switches({ session, onSent }: { readonly session: Session; onSent(): void }) {
  const { conditions, hasRetiredKey, apiVersion } = useStore(session.store);
  return (
    <div class="switches">
      <label class="switch">
        <span>
          Slow network<small>The page waits before each request.</small>
        </span>
        <select
          value={conditions.delayMs}
          onChange={(event) => session.setConditions({ delayMs: Number(event.currentTarget.value) })}
        >
          {DELAYS.map(({ ms, label }) => (
            <option key={ms} value={ms}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <Toggle
        label="Endpoint down"
        hint="Nothing is sent, and the phone hears nothing."
        isOn={conditions.isDown}
        onChange={(isDown) => session.setConditions({ isDown })}
      />
      <Toggle
        label="Rotated key"
        hint="The phone has an old public key, until a 421 makes it fetch the new one."
        isOn={hasRetiredKey}
        onChange={(isOn) => session.setRetiredKey(isOn)}
      />
      <label class="switch">
        <span>
          Data API<small>What requests call themselves, from the next one on.</small>
        </span>
        <select value={apiVersion} onChange={(event) => session.setApiVersion(event.currentTarget.value)}>
          <option value="3.0">3.0</option>
          <option value="4.0">4.0</option>
        </select>
      </label>
      <Tokens session={session} onSent={onSent} />
    </div>
  );
}

interface ToggleProps {
  readonly label: string;
  readonly hint: string;
  readonly isOn: boolean;
  onChange(isOn: boolean): void;
}

function Toggle({ label, hint, isOn, onChange }: ToggleProps) {
  return (
    <label class="switch">
      <span>
        {label}
        <small>{hint}</small>
      </span>
      <input
        type="checkbox"
        role="switch"
        aria-checked={isOn}
        checked={isOn}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
    </label>
  );
}

const KINDS = [
  { kind: 'random', label: 'Random' },
  { kind: 'minted', label: 'Minted by the app' },
  { kind: 'dead', label: 'Dead: looks minted, and is not' },
  { kind: 'custom', label: 'Your own' },
] as const;

/** A token belongs to a message, so another one needs another message. */
function Tokens({ session, onSent }: { readonly session: Session; onSent(): void }) {
  const { chosen } = useStore(session.store);
  const [kind, setKind] = useState<TokenChoice['kind']>('random');
  const [user, setUser] = useState('ada');
  const [token, setToken] = useState('');
  const [problem, setProblem] = useState<string>();
  const send = async () => {
    try {
      await session.sendFlowMessage(choiceOf(kind, user, token, chosen));
      setProblem(undefined);
      onSent();
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  const isReady = (kind !== 'custom' || token !== '') && (kind !== 'minted' || user !== '');
  return (
    <fieldset class="tokens">
      <legend>Flow token of the next message</legend>
      {KINDS.map((choice) => (
        <label key={choice.kind}>
          <input type="radio" name="token-kind" checked={kind === choice.kind} onChange={() => setKind(choice.kind)} />{' '}
          {choice.label}
        </label>
      ))}
      {kind === 'minted' && (
        <label class="token-field">
          For the user{' '}
          <input type="text" value={user} maxLength={200} onInput={(event) => setUser(event.currentTarget.value)} />
        </label>
      )}
      {kind === 'custom' && (
        <label class="token-field">
          Token{' '}
          <input type="text" value={token} maxLength={1_000} onInput={(event) => setToken(event.currentTarget.value)} />
        </label>
      )}
      <button type="button" disabled={!isReady} onClick={() => void send()}>
        Send the Flow’s message
      </button>
      <p class="field-error" role="status">
        {problem}
      </p>
    </fieldset>
  );
}

function choiceOf(kind: TokenChoice['kind'], user: string, token: string, flow: string): TokenChoice {
  if (kind === 'minted') return { kind, user };
  if (kind === 'dead') return { kind, token: deadToken(flow) };
  return kind === 'custom' ? { kind, token } : { kind: 'random' };
}
