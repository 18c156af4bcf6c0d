import type { AskedPod, FilterRule, NodeView, Target } from '../types';

/** What was answered about one node. */
export interface RatedNode {
  readonly view: NodeView | undefined;
  readonly node: string;
  /** Why it was left out of the filter's answer; undefined when it passed. */
  readonly why?: string;
  /** 0..10, once it was rated. */
  readonly extenderScore?: number;
}

/** What was answered about a pod, the last time it was asked about. */
export interface Rating {
  readonly pod: AskedPod;
  readonly target: Target;
  /** True when no node had a fresh probe. */
  readonly nothingFresh: boolean;
  filter?: {
    readonly atMs: number;
    readonly asked: number;
    readonly passed: number;
    readonly rejected: Readonly<Partial<Record<FilterRule, number>>>;
    /** Every node, in small clusters; else some of those that were rejected. */
    readonly nodes: readonly RatedNode[];
  };
  prioritize?: {
    readonly atMs: number;
    readonly asked: number;
    readonly best: string | undefined;
    /** Every node, in small clusters; else the best. Best first. */
    readonly nodes: readonly RatedNode[];
  };
  /** Where it was bound, once that was seen. */
  boundTo?: string;
}

/** The last answers about each of the last pods; the oldest make room. */
export class RatingHistory {
  readonly #byPod = new Map<string, Rating>();

  constructor(private readonly limit: number) {}

  get size(): number {
    return this.#byPod.size;
  }

  get(namespace: string, name: string): Rating | undefined {
    return this.#byPod.get(`${namespace}/${name}`);
  }

  /** The record of this pod's present try; a new one for a filter request, as each try begins with that. */
  open(pod: AskedPod, anew: boolean, target: Target, nothingFresh: boolean): Rating {
    const key = `${pod.namespace}/${pod.name}`;
    const known = this.#byPod.get(key);
    const kept =
      known !== undefined && known.pod.uid === pod.uid && !anew
        ? known
        : { pod, target, nothingFresh };
    // Deleted first, so that the order of the map is the order of the last answers.
    this.#byPod.delete(key);
    this.#byPod.set(key, kept);
    for (const oldest of this.#byPod.keys()) {
      if (this.#byPod.size <= this.limit) break;
      this.#byPod.delete(oldest);
    }
    return kept;
  }

  bound(pod: AskedPod, node: string): void {
    const known = this.get(pod.namespace, pod.name);
    if (known?.pod.uid === pod.uid) known.boundTo = node;
  }
}
