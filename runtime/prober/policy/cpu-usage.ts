import type { CpuSample } from '../types';

/**
 * Use of the processors between two samples, 0..1; undefined where the two say nothing: no time passed, or a counter
 * went back, as it does when the node was started anew.
 */
export function cpuRatioBetween(before: CpuSample, after: CpuSample): number | undefined {
  const capacityMs = after.capacityMs - before.capacityMs;
  const busyMs = after.busyMs - before.busyMs;
  if (!(capacityMs > 0) || !(busyMs >= 0)) return undefined;
  return Math.min(1, busyMs / capacityMs);
}
