/** The other half: what was delivered, what the inbox holds of it, and alerts to send by hand. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { InboxItem } from '../../api.ts';
import type { ApiClient } from '../session/api-client.ts';
import { usePolling } from '../session/polling.ts';
import type { Session } from '../session/session.ts';
import { useStore } from '../session/use-store.ts';
import { Alerts } from './alerts.tsx';
import { Deliveries } from './deliveries.tsx';
import { dueText, rowsOf } from './inbox-tree.ts';

export function Inbox({ session, api }: { readonly session: Session; readonly api: ApiClient }) {
  const { webhooks } = useStore(session.store);
  const { items, problem, refresh } = useInbox(api);
  const delivered = webhooks.length;
  useEffect(() => {
    if (delivered > 0) void refresh();
  }, [delivered, refresh]);
  const act = (id: string, action: 'replay' | 'purge') => void api.actOnItem(id, action).then(refresh, refresh);
  return (
    <div class="inbox">
      <Alerts onSend={(alert, isActive) => void session.sendAlert(alert, isActive)} />
      <h2>Inbox</h2>
      {problem !== undefined && <p class="field-error">{problem}</p>}
      {items.length === 0 ? (
        <p class="empty">Nothing yet: complete a Flow, write a message or send an alert.</p>
      ) : (
        <ul class="items">
          {rowsOf(items).map(({ item, jobs }) => (
            <li key={item.id}>
              <Item item={item} onAct={act} />
              {jobs.length > 0 && (
                <ul>
                  {jobs.map((job) => (
                    <li key={job.id}>
                      <Item item={job} onAct={act} />
                    </li>
                  ))}
                </ul>
              )}
            </li>
          ))}
        </ul>
      )}
      <Deliveries webhooks={webhooks} />
    </div>
  );
}

function useInbox(api: ApiClient) {
  const [items, setItems] = useState<readonly InboxItem[]>([]);
  const [problem, setProblem] = useState<string>();
  const refresh = useCallback(async () => {
    try {
      setItems((await api.inbox()).items);
      setProblem(undefined);
    } catch (error) {
      setProblem((error as Error).message);
    }
  }, [api]);
  usePolling(refresh);
  return { items, problem, refresh };
}

interface ItemProps {
  readonly item: InboxItem;
  onAct(id: string, action: 'replay' | 'purge'): void;
}

function Item({ item, onAct }: ItemProps) {
  const { id, kind, type, state, attempts, dueAtMs, error } = item;
  return (
    <article class={`item state-${state}`} data-state={state} aria-label={`${kind} ${type}`}>
      <span class="item-kind">{kind}</span>
      <strong>{type}</strong>
      <span class={`state ${state}`}>{WORDS[state]}</span>
      <span class="item-attempts">
        {attempts} {attempts === 1 ? 'attempt' : 'attempts'}
      </span>
      <span class="item-due">{state === 'waiting' ? dueText(dueAtMs, Date.now()) : ''}</span>
      <code class="item-id">{id}</code>
      {error !== undefined && <ItemError error={error} />}
      {state === 'dead' && (
        <span class="item-actions">
          <button type="button" onClick={() => onAct(id, 'replay')}>
            Replay
          </button>
          <button type="button" onClick={() => onAct(id, 'purge')}>
            Purge
          </button>
        </span>
      )}
    </article>
  );
}

/** The first line says what; the rest is where. */
function ItemError({ error }: { readonly error: string }) {
  const [what = '', ...where] = error.split('\n');
  if (where.length === 0) return <p class="item-error">{what}</p>;
  return (
    <details class="item-error">
      <summary>{what}</summary>
      <pre>{where.join('\n')}</pre>
    </details>
  );
}

const WORDS = { waiting: 'waiting', leased: 'running', done: 'done', dead: 'dead letter' } as const;
