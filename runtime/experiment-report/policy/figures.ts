import {
  FIGURES,
  type FigureId,
  type Round,
  type RoundFigures,
  type SchedulerFigures,
} from '../types';
import { greatest, least, mean, median, percentile } from './numbers';

/** The figures of one round. Latencies are of the successful requests; dropped ones count against success. */
export function figuresOf(round: Round): RoundFigures {
  const { requests, pods, cpu, placements } = round;
  const successful = requests.filter(({ outcome }) => outcome === 'ok').map((r) => r.latencyMs);
  const due = requests.filter(({ outcome }) => outcome !== 'cancelled').length + round.dropped;
  const known = cpu.flatMap(({ node, cpuRatio }) =>
    cpuRatio === null ? [] : [{ node, cpuRatio }],
  );
  const nodes = [...new Set(cpu.map(({ node }) => node))];
  const meanCpu = nodes.flatMap(
    (node) => mean(known.filter((row) => row.node === node).map((row) => row.cpuRatio)) ?? [],
  );
  // A node that got no pod counts as well, where its CPU was read.
  const placedOn = [...new Set([...nodes, ...placements.map(({ node }) => node)])].map(
    (node) => placements.filter((placement) => placement.node === node).length,
  );
  const peakCpu = greatest(known.map(({ cpuRatio }) => cpuRatio));
  return {
    file: round.file,
    scheduler: round.scheduler,
    round: round.round,
    figures: {
      requests: due,
      successPercent: due === 0 ? null : (100 * successful.length) / due,
      meanMs: mean(successful),
      p50Ms: percentile(successful, 50),
      p95Ms: percentile(successful, 95),
      p99Ms: percentile(successful, 99),
      maxMs: greatest(successful),
      peakPods: greatest(pods.map(({ running }) => running)),
      peakDesired: greatest(
        pods.map(({ desired }) => Object.values(desired).reduce((sum, one) => sum + one, 0)),
      ),
      peakCpuPercent: peakCpu === null ? null : 100 * peakCpu,
      cpuSpreadPoints: difference(meanCpu, 100),
      placements: placements.length,
      ...bindFigures(placements),
      placementSpread: difference(placedOn, 1),
    },
  };
}

/**
 * How long pods waited for their node. Every wait lies between its least and its most, so the median of waits lies
 * between the medians of both.
 */
function bindFigures(placements: Round['placements']) {
  const waits = placements.flatMap(({ created, bound }) =>
    created === null || bound === null
      ? []
      : {
          least: Math.max(0, bound.notBeforeMs - created.notAfterMs),
          most: bound.notAfterMs - created.notBeforeMs,
        },
  );
  return {
    bindLeastP50Ms: percentile(
      waits.map(({ least: ms }) => ms),
      50,
    ),
    bindMostP50Ms: percentile(
      waits.map(({ most }) => most),
      50,
    ),
  };
}

/** Greatest minus least. */
function difference(values: readonly number[], scale: number): number | null {
  const [most, fewest] = [greatest(values), least(values)];
  return most === null || fewest === null ? null : scale * (most - fewest);
}

/** The median of each figure over the rounds of each scheduler, in the order in which they first come. */
export function mediansOf(rounds: readonly RoundFigures[]): SchedulerFigures[] {
  return schedulersOf(rounds).map((scheduler) => {
    const own = rounds.filter((round) => round.scheduler === scheduler);
    const entries = (Object.keys(FIGURES) as FigureId[]).map((id) => {
      return [id, median(own.flatMap(({ figures }) => figures[id] ?? []))] as const;
    });
    return {
      scheduler,
      files: own.map(({ file }) => file),
      figures: Object.fromEntries(entries) as Record<FigureId, number | null>,
    };
  });
}

/** Schedulers in the order in which they first come. */
export const schedulersOf = (rounds: readonly { readonly scheduler: string }[]): string[] => [
  ...new Set(rounds.map(({ scheduler }) => scheduler)),
];

/** A figure as it is printed. The median of counts may lie between two of them. */
export function figureText(id: FigureId, value: number | null): string {
  if (value === null) return 'unknown';
  const { digits } = FIGURES[id];
  return value.toFixed(Number.isInteger(value) ? digits : Math.max(1, digits));
}
