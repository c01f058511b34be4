/** A Flow on the phone: its bar, its screen, its footer, and whatever lies over them. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { formatVersion, NEWEST } from '../../../flows/guard/versions.ts';
import type { JsonValue } from '../../../json.ts';
import type { Kit } from '../components/kit.ts';
import { NodeView } from '../components/registry.tsx';
import { Sheet, SheetPlace } from '../components/sheet.tsx';
import type { Flow } from '../flow/flow.ts';
import type { PhoneState } from '../flow/phone-state.ts';
import { type View, viewOf } from '../flow/view.ts';
import type { Session } from '../session/session.ts';
import { Ending, Failure } from './endings.tsx';
import { PlainScreen } from './plain-screen.tsx';
import { type Uploads, upload } from './uploads.ts';

interface FlowViewProps {
  readonly session: Session;
  readonly phone: PhoneState;
  readonly uploads: Uploads;
}

export function FlowView({ session, phone, uploads }: FlowViewProps) {
  const view = viewOf(phone);
  const isBusy = phone.pending !== undefined;
  const heading = useRef<HTMLHeadingElement>(null);
  const [sheetPlace, setSheetPlace] = useState<HTMLElement | null>(null);
  const place = phone.failure ? 'failure' : (view?.frame.id ?? phone.stage);
  useEffect(() => heading.current?.focus({ preventScroll: true }), [place]);
  const canGoBack = phone.frames.length > 1 || (phone.failure !== undefined && view !== undefined);
  const title =
    phone.failure && !view ? 'Something went wrong' : (view?.screen?.title ?? view?.frame.screen ?? phone.flow.name);
  return (
    <section
      class="flow"
      aria-label={`Flow ${phone.flow.name}`}
      data-screen={view?.frame.screen}
      data-stage={phone.stage}
    >
      <SheetPlace.Provider value={sheetPlace}>
        <header class="flow-bar">
          {canGoBack && (
            <button
              type="button"
              class="icon-button"
              aria-label="Back"
              disabled={isBusy}
              onClick={() => session.dispatch({ type: 'back' })}
            >
              ←
            </button>
          )}
          <h2 ref={heading} tabIndex={-1}>
            {title}
          </h2>
          <button type="button" class="icon-button" aria-label="Close the Flow" onClick={() => session.leaveFlow()}>
            ✕
          </button>
        </header>
        <Progress isBusy={isBusy} />
        <Content session={session} phone={phone} view={view} uploads={uploads} />
        <Snackbar text={phone.snackbar} onDismiss={() => session.dispatch({ type: 'dismiss' })} />
        {phone.url !== undefined && (
          <Sheet title="Opens in the browser" onClose={() => session.dispatch({ type: 'dismiss' })}>
            <p class="sheet-text">A real phone would open this address. The playground only shows it.</p>
            <p class="address">{phone.url}</p>
          </Sheet>
        )}
      </SheetPlace.Provider>
      <div ref={setSheetPlace} />
    </section>
  );
}

function Content({ session, phone, view, uploads }: FlowViewProps & { readonly view: View | undefined }) {
  if (phone.failure) return <Failure failure={phone.failure} onRetry={() => session.dispatch({ type: 'retry' })} />;
  if (phone.stage !== 'open') return <Ending phone={phone} onLeave={() => session.leaveFlow()} />;
  if (!view) return <div class="flow-body" />;
  if (!view.screen)
    return (
      <PlainScreen key={view.frame.id} view={view} onSubmit={(data) => session.dispatch({ type: 'submit', data })} />
    );
  return <Screen key={view.frame.id} session={session} phone={phone} view={view} uploads={uploads} />;
}

function Screen({ session, phone, view, uploads }: FlowViewProps & { readonly view: View }) {
  const body = useRef<HTMLDivElement>(null);
  const kit = useMemo(() => kitOf(session, uploads, view, phone), [session, uploads, view, phone]);
  const { isTried } = view.frame;
  useEffect(() => {
    if (isTried) body.current?.querySelector<HTMLElement>('[aria-invalid=true], [data-invalid=true]')?.focus();
  }, [isTried]);
  const footer = view.nodes.filter(({ type, unknown }) => type === 'Footer' && unknown === undefined);
  const rest = view.nodes.filter((node) => !footer.includes(node));
  return (
    <>
      <div class="flow-body" ref={body} aria-busy={kit.isBusy}>
        <UnknownVersion flow={phone.flow} />
        {rest.map((node) => (
          <NodeView key={node.key} node={node} kit={kit} />
        ))}
        {view.nodes.length === 0 && <p class="empty">This screen shows nothing.</p>}
      </div>
      {footer.map((node) => (
        <NodeView key={node.key} node={node} kit={kit} />
      ))}
      <p class="managed">Managed by the business</p>
    </>
  );
}

/** Newer ones are drawn as far as they are known. */
function UnknownVersion({ flow }: { readonly flow: Flow }) {
  if (flow.version > 0 && flow.version <= NEWEST) return null;
  return (
    <section class="unknown" data-unknown="version" aria-label="Unknown version">
      <strong>Flow JSON {flow.versionText}</strong>
      <span>The playground knows versions up to {formatVersion(NEWEST)}: a real phone may show this otherwise.</span>
    </section>
  );
}

function kitOf(session: Session, uploads: Uploads, view: View, phone: PhoneState): Kit {
  return {
    view,
    version: phone.flow.version,
    isBusy: phone.pending !== undefined,
    change: (name: string, value: JsonValue | undefined, option?: string) =>
      session.dispatch({ type: 'change', name, value, ...(option !== undefined && { option }) }),
    press: (action: JsonValue | undefined, isFooter = false) => session.dispatch({ type: 'press', action, isFooter }),
    upload: async (file: File) => {
      const uploaded = await upload(file, uploads);
      session.uploaded(uploaded.media, uploaded.info);
      return uploaded;
    },
  };
}

function Progress({ isBusy }: { readonly isBusy: boolean }) {
  return (
    <div class={isBusy ? 'progress on' : 'progress'} role="status">
      {isBusy && <span class="visually-hidden">Loading</span>}
    </div>
  );
}

function Snackbar({ text, onDismiss }: { readonly text: string | undefined; onDismiss(): void }) {
  return (
    <div class="snackbar-place" role="alert">
      {text !== undefined && (
        <div class="snackbar">
          <span>{text}</span>
          <button type="button" onClick={onDismiss}>
            OK
          </button>
        </div>
      )}
    </div>
  );
}
