import { seenAt, type Reading } from '../../shared/freshness';
import type { CpuView, NodeView, PodInfo, Resources } from '../types';

/** The settings that say what a pod is taken to use, and for how long that has to be estimated. */
export interface EstimateSettings {
  readonly defaultPodCpuMillis: number;
  readonly placementSettleMs: number;
  readonly podStartLimitMs: number;
}

/**
 * CPU a pod is taken to use while no reading shows it: what it requests, and the default where it requests none.
 * Thousandths of a processor.
 */
export const estimatedCpuMillis = (requests: Resources, settings: EstimateSettings): number =>
  requests.cpuMillis > 0 ? requests.cpuMillis : settings.defaultPodCpuMillis;

/**
 * Whether a reading does not show a pod yet. It does when it was taken settleMs or more after the pod's containers
 * began to run: starting takes time, and a rate looks back over a window. A pod that was bound long ago and has
 * still not started (its image cannot be pulled) counts no more after startLimitMs.
 */
export function isUnseen(
  pod: Pick<PodInfo, 'boundAtMs' | 'startedAtMs'>,
  reading: Reading<number>,
  nowMs: number,
  settings: EstimateSettings,
): boolean {
  if (pod.startedAtMs === undefined) {
    return nowMs - (pod.boundAtMs ?? nowMs) < settings.podStartLimitMs;
  }
  return (
    reading.state === 'unknown' || reading.takenAtMs < pod.startedAtMs + settings.placementSettleMs
  );
}

/**
 * How busy a node is taken to be, as a ratio of its allocatable processors (0 idle, 1 all of it):
 *
 *     effective = measured + sum of estimates of the pods that the reading does not show yet
 *
 * Without a fresh reading it is the sum of the estimates of all its pods, marked `requested`.
 */
export function cpuView(node: NodeView, nowMs: number, maxAgeMs: number): CpuView {
  const seen = seenAt(node.reading, nowMs, maxAgeMs);
  if (seen.state === 'fresh') {
    return {
      basis: 'measured',
      cpuRatio: seen.value,
      readingAgeMs: seen.ageMs,
      unseenCpuRatio: node.unseenCpuRatio,
      effectiveCpuRatio: seen.value + node.unseenCpuRatio,
    };
  }
  return {
    basis: 'requested',
    why: seen.state === 'stale' ? `reading is ${Math.round(seen.ageMs)} ms old` : seen.why,
    effectiveCpuRatio: node.requestedCpuRatio,
  };
}
