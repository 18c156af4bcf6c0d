import type { PlacementRow } from '../../experiment-report/types';
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
  readonly firstAtMs: number;
  /** Whether it had no node when it was first seen. */
  readonly placedHere: boolean;
  node: string | undefined;
  boundAtMs: number | undefined;
  running: boolean;
  pending: boolean;
}

/**
 * Follows pods by the events of a watch. A placement is timed by when the pod was first seen without a node and when it
 * was first seen with one: the API's own times are whole seconds, and the way of both events is the same.
 */
export class PodTally {
  readonly #pods = new Map<string, Seen>();
  readonly #placed: Seen[] = [];

  /** A pod as it is now. @param atMs when that was seen, in ms since 1970. */
  set(pod: Pod, atMs: number): void {
    const { uid, name } = pod.metadata;
    const node = pod.spec.nodeName || undefined;
    let seen = this.#pods.get(uid);
    if (seen === undefined) {
      const placedHere = node === undefined;
      const firstAtMs = atMs;
      seen = {
        name,
        firstAtMs,
        placedHere,
        node,
        boundAtMs: undefined,
        running: false,
        pending: true,
      };
      this.#pods.set(uid, seen);
    }
    if (seen.placedHere && seen.node === undefined && node !== undefined) {
      seen.node = node;
      seen.boundAtMs = atMs;
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

  /** Pods that got their node while this followed them, in that order. */
  placements(): PlacementRow[] {
    return this.#placed.map(({ name, node, firstAtMs, boundAtMs }) => ({
      pod: name,
      node: node ?? '',
      createdAtMs: firstAtMs,
      boundAtMs: boundAtMs ?? firstAtMs,
    }));
  }
}
