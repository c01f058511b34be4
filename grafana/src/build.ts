/**
 * From a dashboard's spec to the JSON that Grafana imports.
 *
 * The classic format, which every Grafana since version 10 imports: the newer one (v2) is not read by what many teams run.
 */
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatPanel } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StatesPanel } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as GraphPanel } from '@grafana/grafana-foundation-sdk/timeseries';
import type { DashboardSpec, Limits, PanelSpec } from './spec.ts';

/**
 * The SDK writes 42. Nothing here needs more than 39 (Grafana 10.3), and a Grafana brings a lower version up to its own
 * when it imports it, but not a higher one down.
 */
const SCHEMA_VERSION = 39;
const PROMETHEUS: common.DataSourceRef = { type: 'prometheus', uid: '$datasource' };
const TAG = 'flowgate';
const COLUMNS = 24;
const WIDTHS = { graph: 8, stat: 4, states: 8 } as const;
const HEIGHTS = { graph: 8, stat: 4, states: 8 } as const;

type AnyPanel = GraphPanel | StatPanel | StatesPanel;

export function buildDashboard({ uid, title, description, rows }: DashboardSpec): dashboard.Dashboard {
  const builder = new dashboard.DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags([TAG])
    .time({ from: 'now-3h', to: 'now' })
    .refresh('30s')
    .timezone('browser')
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .variables(variables())
    .link(linkToOthers());
  let id = 0;
  let y = 0;
  for (const row of rows) {
    id += 1;
    builder.withRow(new dashboard.RowBuilder(row.title).id(id).gridPos({ x: 0, y, w: COLUMNS, h: 1 }));
    y += 1;
    for (const line of linesOf(row.panels)) {
      let x = 0;
      for (const panel of line) {
        const { w, h } = sizeOf(panel);
        id += 1;
        builder.withPanel(buildPanel(panel).id(id).gridPos({ x, y, w, h }));
        x += w;
      }
      y += Math.max(...line.map((panel) => sizeOf(panel).h));
    }
  }
  return { ...builder.build(), schemaVersion: SCHEMA_VERSION };
}

/** As many beside each other as there is room for. */
function linesOf(panels: readonly PanelSpec[]): readonly (readonly PanelSpec[])[] {
  const lines: PanelSpec[][] = [];
  let free = 0;
  for (const panel of panels) {
    const { w } = sizeOf(panel);
    if (w > free) {
      lines.push([]);
      free = COLUMNS;
    }
    lines.at(-1)?.push(panel);
    free -= w;
  }
  return lines;
}

const sizeOf = ({ kind, width = WIDTHS[kind], height = HEIGHTS[kind] }: PanelSpec) => ({ w: width, h: height });

export const descriptionOf = ({ question, action }: PanelSpec): string => `${question}\n\n${action}`;

function buildPanel(spec: PanelSpec): AnyPanel {
  const panel = newPanel(spec)
    .title(spec.title)
    .description(descriptionOf(spec))
    .datasource(PROMETHEUS)
    .unit(spec.unit);
  panel.thresholds(thresholds(spec.limits));
  if (spec.noValue !== undefined) panel.noValue(spec.noValue);
  if (spec.names) panel.mappings([namesOf(spec.names)]);
  for (const [i, { expr, legend }] of spec.queries.entries()) {
    const query = new DataqueryBuilder()
      .expr(expr)
      .legendFormat(legend)
      .refId(String.fromCharCode(65 + i));
    panel.withTarget(spec.kind === 'stat' ? query.instant() : query.range());
  }
  return panel;
}

function newPanel(spec: PanelSpec): AnyPanel {
  switch (spec.kind) {
    case 'graph':
      return newGraph(spec);
    case 'stat':
      return new StatPanel()
        .colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.Thresholds))
        .colorMode(common.BigValueColorMode.Value)
        .graphMode(common.BigValueGraphMode.None)
        .textMode(
          spec.queries.length === 1 && spec.limits
            ? common.BigValueTextMode.Auto
            : common.BigValueTextMode.ValueAndName,
        )
        .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']));
    case 'states':
      return new StatesPanel()
        .colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.Thresholds))
        .mergeValues(true)
        .showValue(common.VisibilityMode.Auto)
        .legend(new common.VizLegendOptionsBuilder().showLegend(false));
  }
}

function newGraph({ isStacked = false, limits }: PanelSpec): GraphPanel {
  const legend = new common.VizLegendOptionsBuilder()
    .showLegend(true)
    .displayMode(common.LegendDisplayMode.Table)
    .placement(common.LegendPlacement.Bottom)
    .calcs(['lastNotNull', 'max']);
  const lines = limits ? common.GraphThresholdsStyleMode.Dashed : common.GraphThresholdsStyleMode.Off;
  return new GraphPanel()
    .colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.PaletteClassic))
    .min(0)
    .lineWidth(1)
    .fillOpacity(isStacked ? 40 : 0)
    .showPoints(common.VisibilityMode.Never)
    .stacking(
      new common.StackingConfigBuilder().mode(isStacked ? common.StackingMode.Normal : common.StackingMode.None),
    )
    .thresholdsStyle(new common.GraphThresholdsStyleConfigBuilder().mode(lines))
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi))
    .legend(legend);
}

function thresholds(limits: Limits = { base: 'text', steps: [] }): dashboard.ThresholdsConfigBuilder {
  const steps = limits.steps.map(({ from, colour }) => ({ value: from, color: colour }));
  return new dashboard.ThresholdsConfigBuilder()
    .mode(dashboard.ThresholdsMode.Absolute)
    .steps([{ value: null, color: limits.base }, ...steps]);
}

function namesOf(names: NonNullable<PanelSpec['names']>): dashboard.ValueMap {
  const options = Object.entries(names).map(([value, { text, colour }]) => [value, { text, color: colour }]);
  return { type: dashboard.MappingType.ValueToText, options: Object.fromEntries(options) };
}

function variables() {
  return [
    new dashboard.DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'),
    valuesOf('job', 'flowgate_event_loop_delay_seconds'),
    valuesOf('instance', 'flowgate_event_loop_delay_seconds{job=~"$job"}'),
  ];
}

/** All of them, unless some are chosen. `.*` rather than a list: a list would grow with every instance there ever was. */
function valuesOf(label: string, series: string): dashboard.QueryVariableBuilder {
  return new dashboard.QueryVariableBuilder(label)
    .label(label)
    .datasource(PROMETHEUS)
    .query({ query: `label_values(${series}, ${label})`, refId: `${label}-values` })
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: 'All', value: '$__all', selected: true });
}

function linkToOthers(): { build(): dashboard.DashboardLink } {
  const link = new dashboard.DashboardLinkBuilder('Flowgate')
    .type(dashboard.DashboardLinkType.Dashboards)
    .tags([TAG])
    .asDropdown(true)
    .includeVars(true)
    .keepTime(true)
    .build();
  const { placement: _, ...inSight } = link; // by default it is in a menu
  return { build: () => inSight };
}
