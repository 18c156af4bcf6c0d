import type { Eviction, PodInfo } from '../types';

const NONE: ReadonlySet<string> = new Set();

/**
 * The nodes a pod must not go to because a pod of the same owner was evicted from there before it was made, less
 * than avoidMs ago. The API knows the time of creation in whole seconds only, so the second of the eviction counts.
 */
export function leftNodesOf(
  pod: PodInfo,
  evictions: readonly Eviction[],
  avoidMs: number,
  nowMs: number,
): ReadonlySet<string> {
  if (pod.owner === undefined || evictions.length === 0) return NONE;
  const { uid } = pod.owner;
  const left = evictions.filter(
    ({ ownerUid, atMs }) =>
      ownerUid === uid &&
      nowMs - atMs < avoidMs &&
      pod.createdAtMs >= Math.floor(atMs / 1000) * 1000,
  );
  return left.length === 0 ? NONE : new Set(left.map(({ node }) => node));
}
