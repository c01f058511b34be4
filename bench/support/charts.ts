/** Results as pictures: SVG on a light ground of its own, legible on a dark page too. */
import { type EChartsOption, init } from 'echarts';
import { type Figures, formatFigure, medianFigures } from './figures.ts';
import { machineLine } from './machine.ts';
import type { BenchResult } from './results.ts';
import { CAPACITY_ROW, FLOWGATE } from './row-labels.ts';

const WIDTH = 760;
const GROUND = '#ffffff';
const TEXT = '#24292f';
const FAINT = '#57606a';
const GRID = '#d8dee4';
const STRONG = '#1a7f5a';
const PLAIN = '#8c959f';
const WARM = '#d4a72c';
const FONT = 'Helvetica, Arial, sans-serif';

/** @returns undefined when no against-* bench is among the results. */
export function drawThroughput(results: readonly BenchResult[]): string | undefined {
  const comparisons = results.filter(({ bench }) => bench.startsWith('against-'));
  const rows = comparisons.flatMap(({ tables }) => tables[0]?.rows ?? []);
  const first = comparisons[0];
  if (!first) return undefined;
  const others = rows.filter(({ label }) => label !== FLOWGATE);
  const ours = medianFigures(rows.filter(({ label }) => label === FLOWGATE).map(({ median }) => median));
  const bars = [{ label: FLOWGATE, median: ours }, ...others].sort((a, b) => throughputOf(a) - throughputOf(b));
  return draw(90 + bars.length * 46, {
    title: title('Flow requests answered per second, 1,000 connections', subtitleOf(first)),
    grid: { left: 24, right: 72, top: 68, bottom: 16, containLabel: true },
    xAxis: { type: 'value', show: false },
    yAxis: category(bars.map(({ label }) => label)),
    series: [
      {
        type: 'bar',
        silent: true,
        barWidth: 26,
        label: valueLabel('right'),
        data: bars.map((bar) => ({
          value: Math.round(throughputOf(bar)),
          itemStyle: { color: bar.label === FLOWGATE ? STRONG : PLAIN },
        })),
      },
    ],
  });
}

/** @returns undefined when the overload bench is not among the results. */
export function drawGoodput(results: readonly BenchResult[]): string | undefined {
  const overload = results.find(({ bench }) => bench === 'overload');
  const rows = overload?.tables[0]?.rows ?? [];
  const loads = rows.filter(({ label }) => label !== CAPACITY_ROW);
  const capacity = Math.round(rows.find(({ label }) => label === CAPACITY_ROW)?.median.goodputPerSec ?? 0);
  if (!overload || loads.length === 0) return undefined;
  const stack = (name: string, color: string, of: (figures: Figures) => number | undefined) => ({
    type: 'bar' as const,
    name,
    stack: 'offered',
    silent: true,
    barWidth: 64,
    itemStyle: { color },
    label: valueLabel('inside', color === STRONG ? GROUND : TEXT),
    data: loads.map(({ median }) => Math.round(of(median) ?? 0) || null),
  });
  const capacityLine = {
    silent: true,
    symbol: 'none',
    lineStyle: { color: TEXT, type: 'dashed' as const, width: 1.5 },
    label: { formatter: `capacity\n${capacity.toLocaleString('en')}/s`, color: TEXT, fontFamily: FONT, fontSize: 12 },
    data: [{ yAxis: capacity }],
  };
  return draw(420, {
    title: title('What becomes of the requests by offered load, requests per second', subtitleOf(overload)),
    legend: { selectedMode: false, top: 56, left: 16, textStyle: { color: TEXT, fontFamily: FONT }, itemGap: 24 },
    grid: { left: 24, right: 84, top: 96, bottom: 16, containLabel: true },
    xAxis: category(
      loads.map(({ label, median }) => `${label}\n${formatFigure('offeredPerSec', median.offeredPerSec)}/s`),
    ),
    yAxis: { type: 'value', axisLabel: { color: FAINT, fontFamily: FONT }, splitLine: { lineStyle: { color: GRID } } },
    series: [
      { ...stack('goodput: right and in time', STRONG, ({ goodputPerSec }) => goodputPerSec), markLine: capacityLine },
      stack('shed: refused at once (503)', WARM, ({ shedPerSec }) => shedPerSec),
    ],
  });
}

/** Each way to take events in, at each number of connections. @returns undefined when webhook-intake is not there. */
export function drawIntake(results: readonly BenchResult[]): string | undefined {
  const intake = results.find(({ bench }) => bench === 'webhook-intake');
  const loads = intake?.tables.filter(({ rowTitle }) => rowTitle.endsWith(' connections')) ?? [];
  const ways = loads[0]?.rows.map(({ label }) => label) ?? [];
  if (!intake || ways.length === 0) return undefined;
  return draw(110 + ways.length * loads.length * 30, {
    title: title('Webhook events acknowledged per second, each on the disk', subtitleOf(intake)),
    legend: { selectedMode: false, top: 56, left: 16, textStyle: { color: TEXT, fontFamily: FONT }, itemGap: 24 },
    grid: { left: 24, right: 72, top: 92, bottom: 16, containLabel: true },
    xAxis: { type: 'value', show: false },
    yAxis: { ...category(ways), inverse: true },
    series: loads.map(({ rowTitle, rows }, i) => ({
      type: 'bar' as const,
      name: rowTitle,
      silent: true,
      barWidth: 20,
      itemStyle: { color: i === 0 ? STRONG : WARM },
      label: valueLabel('right'),
      data: ways.map((way) => Math.round(rows.find(({ label }) => label === way)?.median.eventsPerSec ?? 0) || null),
    })),
  });
}

function throughputOf({ median }: { median: Figures }): number {
  return median.requestsPerSec ?? 0;
}

function subtitleOf({ setup, machine }: BenchResult): string {
  return `${setup.split('; ').at(-1) ?? ''}; ${machineLine(machine)}`;
}

function title(text: string, subtext: string) {
  const textStyle = { color: TEXT, fontFamily: FONT, fontSize: 16 };
  return {
    text,
    subtext,
    left: 16,
    top: 12,
    textStyle,
    subtextStyle: { color: FAINT, fontFamily: FONT, fontSize: 11 },
  };
}

function category(data: string[]) {
  const axisLabel = { color: TEXT, fontFamily: FONT, fontSize: 13, lineHeight: 17 };
  return {
    type: 'category' as const,
    data,
    axisLabel,
    axisTick: { show: false },
    axisLine: { lineStyle: { color: GRID } },
  };
}

function valueLabel(position: 'right' | 'inside', color = TEXT) {
  const formatter = ({ value }: { value: unknown }) => Number(value).toLocaleString('en');
  return { show: true, position, formatter, color, fontFamily: FONT, fontSize: 13 };
}

/** Without animation: GitHub shows the file as it is. */
function draw(height: number, option: EChartsOption): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  try {
    chart.setOption({ backgroundColor: GROUND, animation: false, ...option });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}
