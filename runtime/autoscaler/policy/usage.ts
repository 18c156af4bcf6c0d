import { seenAt, type Reading } from '../../shared/freshness';
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
