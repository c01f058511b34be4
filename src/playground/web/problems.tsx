/** Pages for what cannot be played: they say what is wrong and where. */
import type { AppFailure, FlowProblem, FlowReport } from '../api.ts';

export function AppFailurePage({ failure }: { readonly failure: AppFailure }) {
  return (
    <main class="problem-page" data-problem="app">
      <h2>The app does not load</h2>
      <p>
        <code>{failure.file}</code>
      </p>
      <p class="problem-message" role="alert">
        {failure.message}
      </p>
      <pre>{failure.details}</pre>
      <p class="fine">Mend it and save: the page goes on by itself.</p>
    </main>
  );
}

interface FlowProblemsPageProps {
  readonly report: FlowReport;
  /** Undefined when there is nothing to play. */
  readonly onPlayAnyway: (() => void) | undefined;
}

export function FlowProblemsPage({ report, onPlayAnyway }: FlowProblemsPageProps) {
  return (
    <main class="problem-page" data-problem="flow">
      <h2>
        The Flow JSON of <code>{report.name}</code> is not right
      </h2>
      <ProblemList problems={report.problems} />
      <p class="fine">Mend it and save: the page goes on by itself.</p>
      {onPlayAnyway && (
        <button type="button" onClick={onPlayAnyway}>
          Play it anyway
        </button>
      )}
    </main>
  );
}

export function NoFlowsPage() {
  return (
    <main class="problem-page">
      <h2>The app has no Flow</h2>
      <p>
        Add one with <code>app.flow(name, …)</code> and save: the page goes on by itself.
      </p>
    </main>
  );
}

export function Warnings({ problems }: { readonly problems: readonly FlowProblem[] }) {
  return (
    <details class="warnings">
      <summary>
        {problems.length} {problems.length === 1 ? 'remark' : 'remarks'} on the Flow JSON
      </summary>
      <ProblemList problems={problems} />
    </details>
  );
}

/** More than anyone reads at once. */
const MAX_SHOWN = 100;

function ProblemList({ problems }: { readonly problems: readonly FlowProblem[] }) {
  return (
    <ul class="problems">
      {problems.slice(0, MAX_SHOWN).map(({ severity, where, rule, message }, index) => (
        <li key={index} class={severity}>
          <strong>{where}</strong> <span>{message}</span> <code>{rule}</code>
        </li>
      ))}
      {problems.length > MAX_SHOWN && <li>and {problems.length - MAX_SHOWN} more</li>}
    </ul>
  );
}
