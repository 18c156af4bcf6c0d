import { barOption, lineOption, roundUp } from './policy/charts';
import { greatest } from './policy/numbers';
import { cpuSeries, latencySeries, placementCounts, podSeries, type Series } from './policy/series';
import { renderSvg } from './svg';
import type { FigureId, Plot, Round, SchedulerFigures } from './types';

const PERCENTS = [50, 95, 99];
const COMPARED: readonly FigureId[] = ['p50Ms', 'p95Ms', 'p99Ms'];

/** One kind of line plot, drawn for each round. */
interface Kind {
  readonly id: string;
  readonly title: string;
  readonly yAxis: string;
  readonly steps?: boolean;
  series(round: Round): Series[];
  /** The upper end of its axis, where that does not follow from the data. */
  readonly maxValue?: number;
}

/** Every plot: first those that compare, then those of each round. @param bucketSeconds width of latency buckets */
export function plotsOf(
  rounds: readonly Round[],
  medians: readonly SchedulerFigures[],
  bucketSeconds: number,
): Plot[] {
  const kinds: readonly Kind[] = [
    {
      id: 'latency',
      title: `latency of the requests due in each ${bucketSeconds} s`,
      yAxis: 'ms',
      series: (round) => latencySeries(round, PERCENTS, bucketSeconds),
    },
    {
      id: 'pods',
      title: 'pods and desired replicas',
      yAxis: 'pods',
      steps: true,
      series: podSeries,
    },
    { id: 'cpu', title: 'CPU of each node', yAxis: '%', series: cpuSeries, maxValue: 100 },
  ];
  return [comparison(medians), placements(rounds), ...kinds.flatMap((kind) => lines(kind, rounds))];
}

function lines(kind: Kind, rounds: readonly Round[]): Plot[] {
  const all = rounds.map((round) => ({ round, series: kind.series(round) }));
  const points = all.flatMap(({ series }) => series.flatMap((one) => one.points));
  const maxSeconds = Math.ceil(greatest(points.map(([seconds]) => seconds)) ?? 1);
  const most = greatest(points.flatMap(([, value]) => value ?? [])) ?? 1;
  const maxValue = Math.max(kind.maxValue ?? 0, kind.maxValue === undefined ? roundUp(most) : most);
  return all.map(({ round, series }) => {
    const title = `${round.scheduler}, round ${round.round}: ${kind.title}`;
    const { yAxis, steps = false } = kind;
    return {
      id: `${kind.id}-${round.scheduler}-${round.round}`,
      title,
      svg: renderSvg(lineOption({ title, yAxis, series, maxSeconds, maxValue, steps })),
      files: [round.file],
    };
  });
}

function comparison(medians: readonly SchedulerFigures[]): Plot {
  const title = 'Latency: medians over the rounds';
  const bars = medians.map(({ scheduler, figures }) => ({
    name: scheduler,
    values: COMPARED.map((id) => figures[id]),
  }));
  const categories = COMPARED.map((id) => id.replace('Ms', ''));
  return {
    id: 'comparison',
    title,
    svg: renderSvg(barOption({ title, yAxis: 'ms', categories, bars })),
    files: medians.flatMap(({ files }) => files),
  };
}

function placements(rounds: readonly Round[]): Plot {
  const title = 'Pods placed on each node';
  const counts = rounds.map((round) => ({ round, counts: placementCounts(round) }));
  const nodes = [...new Set(counts.flatMap((one) => [...one.counts.keys()]))].sort();
  const bars = counts.map(({ round, counts: own }) => ({
    name: `${round.scheduler} ${round.round}`,
    values: nodes.map((node) => own.get(node) ?? null),
  }));
  return {
    id: 'placements',
    title,
    svg: renderSvg(barOption({ title, yAxis: 'pods', categories: nodes, bars })),
    files: rounds.map(({ file }) => file),
  };
}
