import type { Decision, NodeVerdict } from '../types';

/** A decision as it is kept. */
export interface KeptDecision {
  readonly atMs: number;
  readonly decision: Decision;
  /** Every node as it was seen, in small clusters. */
  readonly nodes?: readonly NodeVerdict[];
  /** What became of it. */
  outcome: string;
}

/** The last decision about each of the last pods; the oldest make room. */
export class DecisionHistory {
  readonly #kept = new Map<string, KeptDecision>();

  constructor(private readonly limit: number) {}

  get size(): number {
    return this.#kept.size;
  }

  keep(kept: KeptDecision): void {
    const key = keyOf(kept.decision.pod.namespace, kept.decision.pod.name);
    // Deleted first, so that the order of the map is the order of the last decision.
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.limit) break;
      this.#kept.delete(oldest);
    }
  }

  get(namespace: string, name: string): KeptDecision | undefined {
    return this.#kept.get(keyOf(namespace, name));
  }
}

const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`;
