/** Reads our own rule file as far as tests need it: that it is YAML, and well formed, is for promtool to say. */
import { readFileSync } from 'node:fs';

export const RULE_FILE = 'grafana/rules/flowgate.rules.yml';

export interface Rule {
  readonly kind: 'alert' | 'record';
  readonly name: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** `      - alert: Name`, and what is indented deeper below it. */
const RULE = /^ {6}- (alert|record): (\S+)\n((?: {8}.*\n| *\n)*)/gm;
/** `expr: one line`, or `expr: |` and what is indented deeper below it. */
const EXPR = /^ {8}expr: (?:\|\n((?: {10}.*\n)*)|(.*)\n)/m;

export function readRules(): Rule[] {
  return [...readFileSync(RULE_FILE, 'utf8').matchAll(RULE)].map(([, kind, name = '', body = '']) => {
    const [, block, line] = EXPR.exec(body) ?? [];
    return {
      kind: kind === 'alert' ? 'alert' : 'record',
      name,
      expr: (block ?? line ?? '').trim(),
      labels: mapIn('labels', body),
      annotations: mapIn('annotations', body),
    };
  });
}

export const alerts = (): Rule[] => readRules().filter(({ kind }) => kind === 'alert');

/** Alerts of one name differ by their labels. */
export const keyOf = ({ name, labels }: Pick<Rule, 'name' | 'labels'>): string =>
  [name, labels['severity'], labels['threshold']].filter((part) => part !== undefined).join(' ');

function mapIn(name: string, body: string): Record<string, string> {
  const [, lines = ''] = new RegExp(`^ {8}${name}:\\n((?: {10}.*\\n)*)`, 'm').exec(body) ?? [];
  const entries = [...lines.matchAll(/^ {10}(\w+): (.*)$/gm)];
  return Object.fromEntries(entries.map(([, key, value = '']) => [key, value.replace(/^'(.*)'$/, '$1')]));
}
