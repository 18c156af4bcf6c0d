import type { EChartsOption } from 'echarts';
import type { Series } from './series';

/** What a line plot shows. */
export interface LineChart {
  readonly title: string;
  /** Named with its unit. */
  readonly yAxis: string;
  readonly series: readonly Series[];
  /** Ends of both axes, the same for all rounds, so that they can be compared. */
  readonly maxSeconds: number;
  readonly maxValue: number;
  /** Draw steps: a count stays until it changes. */
  readonly steps?: boolean;
}

/** What a bar plot shows: a bar for each name and category; null leaves it out. */
export interface BarChart {
  readonly title: string;
  readonly yAxis: string;
  readonly categories: readonly string[];
  readonly bars: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
}

const common = (title: string): EChartsOption => ({
  // A picture does not move; and a timer of an animation would keep the process alive.
  animation: false,
  backgroundColor: '#ffffff',
  title: { text: title, left: 'center', textStyle: { fontSize: 14 } },
  // Wide gaps: how wide the text is depends on the fonts of whoever looks at it.
  legend: { bottom: 0, type: 'plain', itemGap: 25 },
  grid: { left: 70, right: 30, top: 50, bottom: 75 },
});

export function lineOption(chart: LineChart): EChartsOption {
  return {
    ...common(chart.title),
    xAxis: {
      type: 'value',
      name: 'seconds since the start of the round',
      nameLocation: 'middle',
      nameGap: 25,
      min: 0,
      max: chart.maxSeconds,
    },
    yAxis: { type: 'value', name: chart.yAxis, min: 0, max: chart.maxValue },
    series: chart.series.map(({ name, points }) => ({
      type: 'line',
      name,
      data: points.map(([x, y]) => [x, y]),
      connectNulls: false,
      // A single reading between two gaps has no line.
      showSymbol: true,
      symbolSize: 4,
      ...(chart.steps && { step: 'end' as const }),
    })),
  };
}

export function barOption(chart: BarChart): EChartsOption {
  return {
    ...common(chart.title),
    xAxis: { type: 'category', data: [...chart.categories] },
    yAxis: { type: 'value', name: chart.yAxis, min: 0 },
    series: chart.bars.map(({ name, values }) => ({
      type: 'bar',
      name,
      data: values.map((value) => value ?? '-'),
    })),
  };
}

/** The next 1, 2 or 5 times a power of ten. */
export function roundUp(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((factor) => value <= factor * power) ?? 10;
  return step * power;
}
