import { isOver, placedCpuRatio, type PlacementSettings } from '../policy/placed-cpu';
import type { BoundPod } from '../ports';
import type { AskedPod, Placement } from '../types';

export interface PlacementsSettings extends PlacementSettings {
  /** For a pod that requests no CPU. */
  readonly defaultPodCpuMillis: number;
}

/**
 * The pods put on nodes moments ago, by uid. A pod counts on the node that was rated best as soon as that was answered,
 * for the next pod is rated before anyone sees the first one bound; where it is bound then is what counts.
 */
export class Placements {
  readonly #byUid = new Map<string, Placement>();
  readonly #byNode = new Map<string, Map<string, Placement>>();

  /** @param changed told of a node whose placements have changed. */
  constructor(
    private readonly settings: PlacementsSettings,
    private readonly changed: (node: string) => void = () => undefined,
  ) {}

  get size(): number {
    return this.#byUid.size;
  }

  /** The pod will most likely be bound to this node. */
  assume(pod: AskedPod, node: string, nowMs: number): void {
    this.#put(pod.uid, { ...this.#of(pod, node), placedAtMs: nowMs, confirmed: false });
  }

  /** The pod is on this node. */
  bound(pod: BoundPod, nowMs: number): void {
    const known = this.#byUid.get(pod.uid);
    if (known?.confirmed && known.node === pod.node) return;
    const placedAtMs = Math.min(nowMs, known?.placedAtMs ?? pod.boundAtMs ?? nowMs);
    const placement = { ...this.#of(pod, pod.node), placedAtMs, confirmed: true };
    if (!isOver(placement, this.settings, nowMs)) this.#put(pod.uid, placement);
  }

  /** The pod has ended or was deleted. */
  gone(uid: string): void {
    const known = this.#byUid.get(uid);
    if (known === undefined) return;
    this.#byUid.delete(uid);
    this.#byNode.get(known.node)?.delete(uid);
    this.changed(known.node);
  }

  /** Forgets what is over. */
  prune(nowMs: number): void {
    for (const [uid, placement] of this.#byUid)
      if (isOver(placement, this.settings, nowMs)) this.gone(uid);
  }

  /** What they will add to a node beyond its reading. */
  cpuRatio(node: string, readingTakenAtMs: number, cores: number): number {
    const placed = this.#byNode.get(node);
    return placed === undefined || placed.size === 0
      ? 0
      : placedCpuRatio(placed.values(), readingTakenAtMs, cores, this.settings);
  }

  #of(pod: AskedPod, node: string): Pick<Placement, 'node' | 'cpuMillis'> {
    return { node, cpuMillis: pod.cpuMillis ?? this.settings.defaultPodCpuMillis };
  }

  #put(uid: string, placement: Placement): void {
    const known = this.#byUid.get(uid);
    if (known !== undefined && known.node !== placement.node) this.gone(uid);
    this.#byUid.set(uid, placement);
    const placed = this.#byNode.get(placement.node) ?? new Map<string, Placement>();
    this.#byNode.set(placement.node, placed.set(uid, placement));
    this.changed(placement.node);
  }
}
