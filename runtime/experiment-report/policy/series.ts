import type { Round } from '../types';
import { greatest, percentile } from './numbers';

/** A line of a plot. Points are [seconds since the start of the round, value]; null is a gap. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [number, number | null])[];
}

const secondsOf = (round: Round, atMs: number): number => (atMs - round.startedAtMs) / 1000;

/**
 * Percentiles of latency over time, of the successful requests that were due in each bucket; a bucket is drawn at its
 * middle. One without a success is a gap.
 */
export function latencySeries(
  round: Round,
  percents: readonly number[],
  bucketSeconds: number,
): Series[] {
  const buckets = new Map<number, number[]>();
  for (const { intendedAtMs, latencyMs, outcome } of round.requests) {
    const bucket = Math.floor(secondsOf(round, intendedAtMs) / bucketSeconds);
    const latencies = buckets.get(bucket) ?? [];
    if (outcome === 'ok') latencies.push(latencyMs);
    buckets.set(bucket, latencies);
  }
  const last = greatest([...buckets.keys()]) ?? -1;
  const all = Array.from({ length: last + 1 }, (_, bucket) => buckets.get(bucket) ?? []);
  return percents.map((percent) => ({
    name: `p${percent}`,
    points: all.map((latencies, bucket) => [
      (bucket + 0.5) * bucketSeconds,
      percentile(latencies, percent),
    ]),
  }));
}

/** Running and pending pods, and the replicas that each autoscaler wanted. */
export function podSeries(round: Round): Series[] {
  const autoscalers = [
    ...new Set(round.pods.flatMap(({ desired }) => Object.keys(desired))),
  ].sort();
  const line = (name: string, value: (row: Round['pods'][number]) => number | null): Series => ({
    name,
    points: round.pods.map((row) => [secondsOf(round, row.atMs), value(row)]),
  });
  return [
    line('running', ({ running }) => running),
    line('pending', ({ pending }) => pending),
    ...autoscalers.map((name) => line(`${name} desired`, ({ desired }) => desired[name] ?? null)),
  ];
}

/** CPU of each node in percent; an unknown reading is a gap. */
export function cpuSeries(round: Round): Series[] {
  const nodes = [...new Set(round.cpu.map(({ node }) => node))].sort();
  return nodes.map((node) => ({
    name: node,
    points: round.cpu
      .filter((row) => row.node === node)
      .map(({ atMs, cpuRatio }) => [
        secondsOf(round, atMs),
        cpuRatio === null ? null : 100 * cpuRatio,
      ]),
  }));
}

/** How many pods each node got, by node; nodes whose CPU was read and that got none have 0. */
export function placementCounts(round: Round): Map<string, number> {
  const nodes = [...round.cpu, ...round.placements].map(({ node }) => node);
  const counts = new Map([...new Set(nodes)].sort().map((node) => [node, 0]));
  for (const { node } of round.placements) counts.set(node, (counts.get(node) ?? 0) + 1);
  return counts;
}
