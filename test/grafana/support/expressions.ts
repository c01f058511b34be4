/** Every PromQL expression of the dashboards and of the rules. */
import { readFileSync } from 'node:fs';
import { DASHBOARDS } from '../../../grafana/src/files.ts';
import { withoutVariables } from './promql.ts';
import { readRules } from './rule-file.ts';

export interface Expression {
  /** For a person to find it. */
  readonly where: string;
  /** Without Grafana's variables. */
  readonly expr: string;
}

export interface DashboardJson {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] };
  readonly panels: readonly PanelJson[];
}

export interface PanelJson {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig: {
    readonly defaults: {
      readonly unit?: string;
      readonly thresholds?: { readonly steps: readonly { readonly value: number | null }[] };
    };
  };
  readonly targets: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[];
}

/** As committed. */
export const dashboards = (): DashboardJson[] =>
  DASHBOARDS.map(({ uid }) =>
    JSON.parse(readFileSync(`grafana/dashboards/${uid.replace(/^flowgate-/, '')}.json`, 'utf8')),
  );

/** Those that show something. */
export const panelsOf = ({ panels }: DashboardJson): PanelJson[] => panels.filter(({ type }) => type !== 'row');

export const panelExpressions = (): Expression[] =>
  dashboards().flatMap((dashboard) =>
    panelsOf(dashboard).flatMap(({ title, targets }) =>
      targets.map(({ refId, expr }) => ({
        where: `${dashboard.uid}: ${title}, ${refId}`,
        expr: withoutVariables(expr),
      })),
    ),
  );

export const ruleExpressions = (): Expression[] => readRules().map(({ name, expr }) => ({ where: name, expr }));

export const allExpressions = (): Expression[] => [...panelExpressions(), ...ruleExpressions()];

/** For `test.each`, which shortens a text unless it comes first. */
export const named = (expressions: readonly Expression[]): [string, Expression][] =>
  expressions.map((expression) => [expression.where, expression]);
