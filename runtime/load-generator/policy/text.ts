import type { LatencySummary, Summary } from '../types';

const seconds = (ms: number | null): string =>
  ms === null ? 'unknown' : `${(ms / 1000).toFixed(4)} sec`;
const percent = (ratio: number | null): string =>
  ratio === null ? 'unknown' : `${(100 * ratio).toFixed(2)}%`;

/** What is shown while it runs. */
export interface LiveFigures {
  readonly ended: number;
  readonly inFlight: number;
  readonly waiting: number;
  readonly dropped: number;
  readonly successRatio: number | null;
  readonly meanMs: number | null;
}

export function liveText(live: LiveFigures): string {
  return [
    `Total: ${live.ended}`,
    `Inflight: ${live.inFlight}`,
    ...(live.waiting > 0 ? [`Waiting: ${live.waiting}`] : []),
    ...(live.dropped > 0 ? [`Dropped: ${live.dropped}`] : []),
    `Success Rate: ${percent(live.successRatio)}`,
    `Avg Latency: ${seconds(live.meanMs)}`,
  ].join(' ');
}

const percentiles = (name: string, of: LatencySummary): string =>
  of.count === 0
    ? `${name}: nothing measured`
    : `${name}: p50 ${seconds(of.p50Ms)}, p90 ${seconds(of.p90Ms)}, p95 ${seconds(of.p95Ms)}, ` +
      `p99 ${seconds(of.p99Ms)}, p99.9 ${seconds(of.p999Ms)}, max ${seconds(of.maxMs)}`;

/** The statistics at the end. */
export function finalText(summary: Summary, interrupted: boolean): string {
  const failures = Object.entries(summary.failures).map(([name, count]) => `  ${name}: ${count}`);
  return [
    interrupted ? 'Final Statistics (stopped before the end):' : 'Final Statistics:',
    `Total Requests: ${summary.total}`,
    `Successful Requests: ${summary.successful}`,
    `Failed Requests: ${summary.failed}`,
    ...failures,
    `Dropped Requests: ${summary.dropped}`,
    ...(summary.cancelled > 0 ? [`Cancelled Requests: ${summary.cancelled}`] : []),
    `Success Rate: ${percent(summary.successRatio)}`,
    `Average Latency: ${seconds(summary.latency.meanMs)}`,
    percentiles('Latency from when it was due', summary.latency),
    percentiles('Latency from when it was sent', summary.serviceTime),
    ...(summary.failed > 0 ? [percentiles('Latency of failures', summary.failedLatency)] : []),
    '',
  ].join('\n');
}
