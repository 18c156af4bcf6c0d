import type { NodeInfo, PodInfo } from '../types';
import { matchesTerm } from './selectors';

/**
 * How much of a pod's preferred node affinity a node meets: the weights of the terms that match, divided by the
 * weights of all of them. 0..1; 0 when the pod prefers nothing.
 */
export function preferenceOf(pod: PodInfo, node: NodeInfo): number {
  let total = 0;
  let matched = 0;
  for (const { weight, preference } of pod.preferredTerms) {
    total += weight;
    if (matchesTerm(preference, node.name, node.labels)) matched += weight;
  }
  return total === 0 ? 0 : matched / total;
}

/**
 * What nodes are compared by; the lowest wins, then the lower effective ratio, then the name:
 *
 *     rank = effectiveCpuRatio - nearTieWidthRatio * preference
 *
 * So a node that meets every preference wins over one that meets none while it is busier by less than the width.
 */
export const rankOf = (
  effectiveCpuRatio: number,
  preference: number,
  nearTieWidthRatio: number,
): number => effectiveCpuRatio - nearTieWidthRatio * preference;
