import type { PlacementRow, TimeBounds } from '../../experiment-report/types';
import type { Pod } from '../../shared/kubernetes/types';
import { WORKLOAD_CONTAINER } from '../names';

/** How many pods there are at one time. */
export interface PodCounts {
  /** Pods whose workload container runs. */
  readonly running: number;
  readonly pending: number;
}

interface Seen {
  readonly name: string;
  /** Whether it had no node when it was first seen. */
  readonly placedHere: boolean;
  /** Revision of its creation; undefined when that was not seen. */
  readonly createdRevision: number | undefined;
  node: string | undefined;
  /** Revision of its binding; undefined when that was not seen. */
  boundRevision: number | undefined;
  running: boolean;
  pending: boolean;
}

/**
 * Follows pods by the events of a watch. A placement is timed by the revisions in which the pod was created and got its
 * node: the API's own times are whole seconds, and when a watch shows a change says little on a busy machine.
 */
export class PodTally {
  readonly #pods = new Map<string, Seen>();
  readonly #placed: Seen[] = [];

  /** A pod as it is now. */
  set(pod: Pod): void {
    const { uid, name } = pod.metadata;
    const node = pod.spec.nodeName || undefined;
    let seen = this.#pods.get(uid);
    if (seen === undefined) {
      const conditions = pod.status?.conditions ?? [];
      seen = {
        name,
        placedHere: node === undefined,
        // Whoever has looked at a new pod leaves a condition.
        createdRevision: conditions.length === 0 ? revisionOf(pod) : undefined,
        node,
        boundRevision: undefined,
        running: false,
        pending: true,
      };
      this.#pods.set(uid, seen);
    }
    if (seen.placedHere && seen.node === undefined && node !== undefined) {
      seen.node = node;
      seen.boundRevision = isJustBound(pod) ? revisionOf(pod) : undefined;
      this.#placed.push(seen);
    }
    seen.pending = (pod.status?.phase ?? 'Pending') === 'Pending';
    seen.running =
      pod.status?.containerStatuses?.some(
        ({ name: container, state }) =>
          container === WORKLOAD_CONTAINER && state?.running !== undefined,
      ) ?? false;
  }

  remove(pod: Pod): void {
    this.#pods.delete(pod.metadata.uid);
  }

  counts(): PodCounts {
    const pods = [...this.#pods.values()];
    return {
      running: pods.filter(({ running }) => running).length,
      pending: pods.filter(({ pending }) => pending).length,
    };
  }

  /** Pods that got their node while this followed them, in that order. @param boundsOf when a revision was stored */
  placements(boundsOf: (revision: number) => TimeBounds | null): PlacementRow[] {
    const timed = (revision: number | undefined) =>
      revision === undefined ? null : boundsOf(revision);
    return this.#placed.map(({ name, node, createdRevision, boundRevision }) => ({
      pod: name,
      node: node ?? '',
      created: timed(createdRevision),
      bound: timed(boundRevision),
    }));
  }
}

const revisionOf = ({ metadata }: Pod): number | undefined =>
  metadata.resourceVersion === undefined ? undefined : Number(metadata.resourceVersion);

/** The binding itself says only that the pod is scheduled; the kubelet adds more conditions to that. */
const isJustBound = ({ status }: Pod): boolean =>
  (status?.conditions ?? []).every(({ type }) => type === 'PodScheduled');
