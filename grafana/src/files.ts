/** Every file that is generated here, as text by its path: `npm run grafana` writes them, a test compares. */
import { readFileSync } from 'node:fs';
import { buildDashboard } from './build.ts';
import { decrypt } from './decrypt.ts';
import { overview } from './overview.ts';
import { withPanelTables } from './readme.ts';
import type { DashboardSpec } from './spec.ts';
import { webhooks } from './webhooks.ts';

export const DASHBOARDS: readonly DashboardSpec[] = [overview, decrypt, webhooks];
const README = new URL('../README.md', import.meta.url);

export function generatedFiles(): ReadonlyMap<string, { readonly url: URL; readonly text: string }> {
  const files = DASHBOARDS.map((spec) => {
    const path = `dashboards/${spec.uid.slice('flowgate-'.length)}.json`;
    return [path, `${JSON.stringify(buildDashboard(spec), null, 2)}\n`] as const;
  });
  const readme = ['README.md', withPanelTables(readFileSync(README, 'utf8'), DASHBOARDS)] as const;
  return new Map(
    [...files, readme].map(([path, text]) => [path, { url: new URL(`../${path}`, import.meta.url), text }]),
  );
}
