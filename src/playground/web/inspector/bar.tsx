/** Where the time of a request went: a bar for the eye, a sentence for everyone. */
import { barOf, formatMs, stageWord } from '../session/records.ts';
import type { Attempt } from '../wire/client.ts';

interface BarProps {
  readonly attempt: Attempt | undefined;
  /** What fills the width. */
  readonly longestMs: number;
}

export function Bar({ attempt, longestMs }: BarProps) {
  const parts = attempt ? barOf(attempt) : [];
  return (
    <span class="bar" role="img" aria-label={sentenceOf(attempt)}>
      {parts.map(({ stage, ms }) => (
        <span key={stage} class={`part stage-${stage}`} style={{ width: `${(ms / longestMs) * 100}%` }} />
      ))}
    </span>
  );
}

function sentenceOf(attempt: Attempt | undefined): string {
  const parts = attempt ? barOf(attempt) : [];
  if (parts.length === 0) return 'No stage times';
  return parts.map(({ stage, ms }) => `${stageWord(stage)} ${formatMs(ms)}`).join(', ');
}

export function StageTable({ attempt }: { readonly attempt: Attempt }) {
  const parts = barOf(attempt);
  const totalMs = parts.reduce((sum, { ms }) => sum + ms, 0);
  return (
    <table class="stages">
      <caption class="visually-hidden">Stages of the request</caption>
      <tbody>
        {parts.map(({ stage, ms }) => (
          <tr key={stage}>
            <th scope="row">
              <span class={`swatch stage-${stage}`} aria-hidden="true" /> {stageWord(stage)}
            </th>
            <td>{formatMs(ms)}</td>
            <td>{totalMs > 0 ? `${Math.round((ms / totalMs) * 100)} %` : ''}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
