/** The page: which Flow is played, the phone, and what stands beside it. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { AppReport, FlowReport } from '../api.ts';
import { Inbox } from './inbox/inbox.tsx';
import { Inspector } from './inspector/inspector.tsx';
import { Phone } from './phone/phone.tsx';
import { AppFailurePage, FlowProblemsPage, NoFlowsPage, Warnings } from './problems.tsx';
import { ApiClient } from './session/api-client.ts';
import { usePolling } from './session/polling.ts';
import { Session } from './session/session.ts';
import type { SessionState } from './session/session-state.ts';
import { Switches } from './switches/switches.tsx';
import { TabList, TabPanel } from './tabs.tsx';
import { useIsWide } from './use-is-wide.ts';

const api = new ApiClient();

export function App() {
  const { report, isLost } = useAppReport();
  const [wanted, choose] = useState(() => decodeURIComponent(location.hash.slice(1)));
  const flow = report?.flows.find(({ name }) => name === wanted) ?? report?.flows[0];
  const open = (name: string) => {
    choose(name);
    location.hash = encodeURIComponent(name);
  };
  return (
    <div class="page">
      <header class="page-bar">
        <h1>
          Flowgate <span>playground</span>
        </h1>
        {report && flow && <FlowChoice flows={report.flows} chosen={flow.name} onChoose={open} />}
        <p class={isLost ? 'connection lost' : 'connection'} role="status">
          {isLost ? 'The server does not answer. Waiting for it…' : (report?.publicUrl ?? 'Connecting…')}
        </p>
      </header>
      {report && <Main report={report} flow={flow} />}
    </div>
  );
}

function Main({ report, flow }: { readonly report: AppReport; readonly flow: FlowReport | undefined }) {
  if (report.failure) return <AppFailurePage failure={report.failure} />;
  if (!flow) return <NoFlowsPage />;
  return <Playable key={`${report.bootId} ${flow.name}`} app={report} report={flow} />;
}

/** What outlives a restart of the app: the timeline, and what was switched. */
let kept: SessionState | undefined;

interface PlayedProps {
  readonly app: AppReport;
  readonly report: FlowReport;
}

/** A Flow that cannot be played says so first; who wants to see it all the same may. */
function Playable({ app, report }: PlayedProps) {
  const [isAnyway, playAnyway] = useState(false);
  const isBroken = report.problems.some(({ severity }) => severity === 'error');
  if (isBroken && !isAnyway) {
    return <FlowProblemsPage report={report} onPlayAnyway={report.json && (() => playAnyway(true))} />;
  }
  return <Playground app={app} report={report} />;
}

const TABS = [
  { id: 'phone', label: 'Phone' },
  { id: 'requests', label: 'Requests' },
  { id: 'inbox', label: 'Inbox' },
  { id: 'switches', label: 'Switches' },
] as const;

type Tab = (typeof TABS)[number]['id'];

function Playground({ app, report }: PlayedProps) {
  const session = useSession(app, report);
  usePolling(useCallback(() => session.collect(), [session]));
  const isWide = useIsWide();
  const [chosen, choose] = useState<Tab>('phone');
  const tab = isWide && chosen === 'phone' ? 'requests' : chosen;
  const tabs = isWide ? TABS.filter(({ id }) => id !== 'phone') : TABS;
  const phone = (
    <Phone session={session} uploads={api} sendsToPhone={app.sendsToPhone} onShowInbox={() => choose('inbox')} />
  );
  return (
    <main class={isWide ? 'wide' : 'narrow'}>
      {isWide && phone}
      <div class="beside">
        <TabList<Tab> tabs={tabs} chosen={tab} onChoose={choose} />
        <TabPanel id={tab}>
          {tab === 'phone' && phone}
          {tab === 'requests' && <Inspector session={session} />}
          {tab === 'inbox' && <Inbox session={session} api={api} />}
          {tab === 'switches' && <Switches session={session} onSent={() => !isWide && choose('phone')} />}
          {report.problems.length > 0 && tab === 'requests' && <Warnings problems={report.problems} />}
        </TabPanel>
      </div>
    </main>
  );
}

function useSession(app: AppReport, report: FlowReport): Session {
  const session = useMemo(() => {
    const timing = {
      now: () => performance.now(),
      pause: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
    };
    const options = { app, api, timing, randomToken: () => crypto.randomUUID() };
    return new Session(report, options, kept?.chosen === report.name ? kept : undefined);
  }, [app, report]);
  useEffect(() => {
    session.sendFlowMessage().catch(() => session.sendFlowMessage({ kind: 'random' }));
    return session.store.subscribe(() => {
      kept = session.store.value;
    });
  }, [session]);
  return session;
}

/** The report changes only with the app: a poll that finds the same one changes nothing. */
function useAppReport() {
  const [report, setReport] = useState<AppReport>();
  const [isLost, setLost] = useState(false);
  const seen = useRef('');
  const poll = useCallback(async () => {
    try {
      const found = await api.app();
      const text = `${found.bootId} ${found.failure?.details ?? ''}`;
      if (seen.current !== text) setReport(found);
      seen.current = text;
      setLost(false);
    } catch {
      setLost(true);
    }
  }, []);
  usePolling(poll);
  return { report, isLost };
}

interface FlowChoiceProps {
  readonly flows: readonly FlowReport[];
  readonly chosen: string;
  onChoose(name: string): void;
}

function FlowChoice({ flows, chosen, onChoose }: FlowChoiceProps) {
  return (
    <div class="flow-choice">
      <label for="flow-choice">Flow</label>{' '}
      <select id="flow-choice" value={chosen} onChange={(event) => onChoose(event.currentTarget.value)}>
        {flows.map(({ name }) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}
