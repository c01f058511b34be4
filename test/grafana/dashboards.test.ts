import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { generatedFiles } from '../../grafana/src/files.ts';
import { dashboards, panelsOf } from './support/expressions.ts';

const all = dashboards();

test.each([...generatedFiles()])('grafana/%s is what `npm run grafana` writes', (_, { url, text }) => {
  expect(readFileSync(url, 'utf8')).toBe(text);
});

test('the uids of the dashboards are those that links and bookmarks know', () => {
  expect(all.map(({ uid }) => uid)).toEqual(['flowgate-overview', 'flowgate-decrypt', 'flowgate-webhooks']);
});

describe.each(all.map((dashboard) => [dashboard.uid, dashboard] as const))('the dashboard %s', (_, dashboard) => {
  const panels = panelsOf(dashboard);

  test('says in each panel what it shows, in which unit, and what to do', () => {
    for (const { title, description = '', fieldConfig, targets } of panels) {
      expect(title).toMatch(/^\S/);
      const [question = '', action = ''] = description.split('\n\n');
      expect(question, title).toMatch(/\?/);
      expect(action.length, title).toBeGreaterThan(20);
      expect(fieldConfig.defaults.unit, title).toMatch(/^\w+$/);
      for (const { legendFormat } of targets) expect(legendFormat, title).not.toBe('');
    }
  });

  test('names no panel twice, and gives each an id of its own', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const titles = dashboard.panels.map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
    for (const { targets } of panels) expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
  });

  test('fills the width of each line and puts nothing on top of another panel', () => {
    const byPlace = [...dashboard.panels].sort((a, b) => a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x);
    let [x, y, height] = [0, 0, 0];
    for (const { title, gridPos } of byPlace) {
      if (x === 24) [x, y, height] = [0, y + height, 0];
      expect({ x: gridPos.x, y: gridPos.y }, title).toEqual({ x, y });
      x += gridPos.w;
      height = Math.max(height, gridPos.h);
    }
    expect(x).toBe(24);
  });

  test('asks the chosen data source, jobs and instances, and nothing else', () => {
    expect(dashboard.templating.list.map(({ name }) => name)).toEqual(['datasource', 'job', 'instance']);
    for (const { title, datasource, targets } of panels) {
      expect(datasource, title).toEqual({ type: 'prometheus', uid: '$datasource' });
      for (const { expr } of targets) {
        const [selectors, chosen] = [/[a-z_]+\{/g, /job=~"\$job", instance=~"\$instance"\}/g];
        expect(expr.match(chosen)?.length, expr).toBe(expr.match(selectors)?.length);
      }
    }
  });

  test('needs no newer Grafana than 10', () => {
    expect(dashboard.schemaVersion).toBe(39);
  });
});

test("panels are coloured at Meta's own limits", () => {
  const limitsOf = (title: string) =>
    all
      .flatMap(panelsOf)
      .find((panel) => panel.title === title)
      ?.fieldConfig.defaults.thresholds?.steps.map(({ value }) => value);
  expect(limitsOf('p90, as Meta counts it')).toEqual([null, 1, 5, 7]);
  expect(limitsOf('Error rate, as Meta counts it')).toEqual([null, 0.05, 0.1, 0.5]);
  expect(limitsOf('Availability, estimated')).toEqual([null, 0.9]);
  expect(limitsOf('Client error rate')).toEqual([null, 0.05, 0.1, 0.5]);
  expect(limitsOf('Time to the acknowledgement')).toEqual([null, 0.25, 1]);
});
