import { seenAt, type Reading } from '../../shared/freshness';
import type { ScalingSettings } from '../settings';
import type { Usage, WorkerView } from '../types';

/**
 * The mean over these nodes of what is in use, each node counting once, as 0..1. A node without a reading of the last
 * maxAgeMs may use anything: it counts as 0 in the least and as 1 in the most. Without nodes it is 0..1.
 */
export function usageOf(
  nodes: readonly WorkerView[],
  of: (node: WorkerView) => Reading<number>,
  nowMs: number,
  maxAgeMs: number,
): Usage {
  let sum = 0;
  let unknown = 0;
  for (const node of nodes) {
    const seen = seenAt(of(node), nowMs, maxAgeMs);
    if (seen.state === 'fresh') sum += Math.min(1, Math.max(0, seen.value));
    else unknown += 1;
  }
  if (nodes.length === 0) return { leastRatio: 0, mostRatio: 1, unknown };
  return {
    leastRatio: sum / nodes.length,
    mostRatio: (sum + unknown) / nodes.length,
    unknown,
  };
}

/** What a decision about use rests on: the mean of CPU and of memory over the same nodes. */
export interface BothUsages {
  readonly cpu: Usage;
  readonly memory: Usage;
}

/** Whether CPU and memory are both at or above their thresholds, whatever the nodes without a reading use. */
export const isUsageHigh = ({ cpu, memory }: BothUsages, settings: ScalingSettings): boolean =>
  cpu.leastRatio >= settings.cpuThresholdRatio &&
  memory.leastRatio >= settings.memoryThresholdRatio;

/** CPU and memory of the workers that are Ready. */
export function usagesOf(
  ready: readonly WorkerView[],
  { readingMaxAgeMs }: Pick<ScalingSettings, 'readingMaxAgeMs'>,
  nowMs: number,
): BothUsages {
  return {
    cpu: usageOf(ready, (node) => node.cpuRatio, nowMs, readingMaxAgeMs),
    memory: usageOf(ready, (node) => node.memoryRatio, nowMs, readingMaxAgeMs),
  };
}
