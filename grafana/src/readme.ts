/** The tables of `grafana/README.md` that tell each panel's question and query: written between two markers. */
import { forReaders } from './queries.ts';
import type { DashboardSpec, PanelSpec } from './spec.ts';

const BEGIN = '<!-- panels: written by `npm run grafana` -->';
const END = '<!-- end of panels -->';

/** @throws TypeError when the README has lost its markers. */
export function withPanelTables(readme: string, dashboards: readonly DashboardSpec[]): string {
  const from = readme.indexOf(BEGIN);
  const to = readme.indexOf(END);
  if (from === -1 || to < from) throw new TypeError(`grafana/README.md needs the lines ${BEGIN} and ${END}`);
  return [readme.slice(0, from + BEGIN.length), ...dashboards.map(tableOf), readme.slice(to)].join('\n\n');
}

/** The README as people wrote it. */
export const withoutPanelTables = (readme: string): string =>
  readme.slice(0, readme.indexOf(BEGIN)) + readme.slice(readme.indexOf(END));

function tableOf({ title, rows }: DashboardSpec): string {
  const panels = rows.flatMap((row) => row.panels);
  return [`### ${title}`, '', '| panel | question | query |', '|---|---|---|', ...panels.map(rowOf)].join('\n');
}

function rowOf({ title, question, queries }: PanelSpec): string {
  const exprs = queries.map(({ expr }) => `\`${forReaders(expr).replaceAll('|', '\\|')}\``);
  return `| ${title} | ${question} | ${exprs.join('<br>')} |`;
}
