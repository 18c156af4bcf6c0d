/** What the published algorithm knows of a node. */
export interface NodeUse {
  readonly node: string;
  /** 0..1 */
  readonly cpuRatio: number;
}

/** A pod that waits, or runs. */
export interface PublishedPod {
  readonly name: string;
  readonly ageMs: number;
  /** Undefined while it waits. */
  readonly node?: string | undefined;
}

/** A node at or above this is hot, 0..1. */
export const PUBLISHED_THRESHOLD = 0.9;

/**
 * Where the waiting pods go: one after another, each to the next of the nodes under 90 %, the least busy first and again
 * from there. What a pod asks for, or what was placed just before, is not looked at. Without such a node all wait.
 */
export function inTurn<P extends PublishedPod>(
  pods: readonly P[],
  nodes: readonly NodeUse[],
): { readonly pod: P; readonly node: string }[] {
  const under = nodes
    .filter(({ cpuRatio }) => cpuRatio < PUBLISHED_THRESHOLD)
    .sort((a, b) => a.cpuRatio - b.cpuRatio);
  return pods
    .filter(({ node }) => node === undefined)
    .flatMap((pod, index) => {
      const next = under[index % under.length];
      return next === undefined ? [] : [{ pod, node: next.node }];
    });
}

/** The pod to delete on each hot node: the one that has been there for the shortest time. */
export function offHotNodes<P extends PublishedPod>(
  pods: readonly P[],
  nodes: readonly NodeUse[],
): P[] {
  return nodes
    .filter(({ cpuRatio }) => cpuRatio >= PUBLISHED_THRESHOLD)
    .flatMap(({ node }) =>
      pods
        .filter((pod) => pod.node === node)
        .sort((a, b) => a.ageMs - b.ageMs)
        .slice(0, 1),
    );
}
