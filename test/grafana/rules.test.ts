import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createApp } from '../../src/index.ts';
import { startTestService } from '../support/service.ts';
import { hasPrometheus } from './support/prometheus-available.ts';
import { alerts, keyOf, RULE_FILE, readRules } from './support/rule-file.ts';

const TESTS = 'grafana/rules/tests';
const readme = readFileSync('grafana/README.md', 'utf8');

test.each(alerts().map((alert) => [keyOf(alert), alert] as const))(
  '%s says what is wrong and what to do',
  (_, alert) => {
    const { name, labels, annotations } = alert;
    expect(labels['severity']).toMatch(/^(critical|warning)$/);
    expect(Object.keys(annotations)).toEqual(['summary', 'description', 'runbook']);
    expect(annotations['summary']?.length).toBeGreaterThan(20);
    expect(annotations['description']).toMatch(/\.$/);
    expect(annotations['runbook']).toBe(`grafana/README.md#${name.toLowerCase()}`);
  },
);

test('the runbook has every alert, and no other', () => {
  const headings = [...readme.matchAll(/^### (Flowgate\w+)$/gm)].map(([, name]) => name);
  expect(headings.sort()).toEqual([...new Set(alerts().map(({ name }) => name))].sort());
});

test('links in grafana/README.md lead to headings that are there', () => {
  const anchors = new Set(
    [...readme.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading.toLowerCase().replaceAll(' ', '-')),
  );
  const links = [...readme.matchAll(/\]\(#([\w-]+)\)/g)].map(([, anchor]) => anchor);
  expect(links.filter((anchor) => !anchors.has(anchor ?? ''))).toEqual([]);
});

test('every alert has a unit test in which it fires, and one in which it stays silent', () => {
  const fired = new Set<string>();
  const silent = new Set<string>();
  for (const file of readdirSync(TESTS)) {
    const cases = readFileSync(`${TESTS}/${file}`, 'utf8')
      .split(/^ {6}- eval_time: .*\n/m)
      .slice(1);
    for (const text of cases) {
      const [, name = ''] = /alertname: (\w+)/.exec(text) ?? [];
      if (/exp_alerts: \[\]/.test(text)) silent.add(name);
      for (const [, labels = ''] of text.matchAll(/exp_labels: \{(.*)\}/g))
        fired.add(keyOf({ name, labels: toMap(labels) }));
    }
  }
  for (const alert of alerts()) {
    // Of Meta's own alerts the threshold is a label of the series, and not of the rule.
    const isOurs = alert.name !== 'FlowgateMetaAlert';
    const key = keyOf(alert);
    expect(
      [...fired].some((other) => (isOurs ? other === key : other.startsWith(key))),
      `${key} fires`,
    ).toBe(true);
    expect(silent, `${alert.name} stays silent`).toContain(alert.name);
  }
});

describe.skipIf(!hasPrometheus)('promtool', () => {
  test('finds nothing wrong with prometheus.yml and its rules', () => {
    expect(promtool('check', 'config', 'grafana/prometheus.yml')).toMatchObject({ status: 0 });
    const checked = promtool('check', 'rules', '--lint=all', '--lint-fatal', RULE_FILE);
    expect(checked).toMatchObject({ status: 0 });
    expect(checked.stdout).toContain(`${readRules().length} rules found`);
  });

  test.each(readdirSync(TESTS))('passes %s', (file) => {
    const { status, stdout, stderr } = promtool('test', 'rules', `${TESTS}/${file}`);
    expect(`${stdout}${stderr}`).toMatch(/SUCCESS\s*$/);
    expect(status).toBe(0);
  });

  test('finds nothing wrong with any metric', async () => {
    const app = createApp();
    app.flow('demo').init((c) => c.screen('A'));
    await using service = await startTestService(app);
    const metrics = await (await fetch(`${service.adminUrl}/metrics`)).text();
    expect(promtool('check', 'metrics', { input: metrics })).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });
});

function promtool(...args: readonly (string | { input: string })[]) {
  const input = args.find((arg) => typeof arg === 'object')?.input;
  return spawnSync(
    'promtool',
    args.filter((arg) => typeof arg === 'string'),
    { encoding: 'utf8', input },
  );
}

/** Of `{a: b, c: '5%'}`, as one line of YAML. */
function toMap(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/(\w+): '?([^',]*)'?/g)].map(([, key, value]) => [key, value]));
}
