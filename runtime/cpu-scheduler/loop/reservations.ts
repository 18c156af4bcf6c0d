import type { PodInfo } from '../types';
import type { Cluster } from './cluster';

/** Room kept on a node for the replacement of an evicted pod, as a pod that is counted there and does not exist. */
export class Reservations {
  readonly #uidByOwner = new Map<string, string>();

  constructor(private readonly cluster: Cluster) {}

  /** Keeps room for the pod its owner will make in the place of this one. */
  keep(pod: PodInfo, node: string, nowMs: number, forMs: number): void {
    if (pod.owner === undefined) return;
    const uid = `room-for-${pod.uid}`;
    this.#uidByOwner.set(pod.owner.uid, uid);
    // It has no owner and was not placed here, so that it is never itself offloaded.
    const room: PodInfo = {
      ...pod,
      uid,
      owner: undefined,
      placedHere: false,
      phase: 'Pending',
      antiAffinity: [],
    };
    this.cluster.assume(room, node, nowMs, nowMs + forMs);
  }

  /** Lets go of the room kept for this owner: its new pod is being placed, or none will come. */
  release(ownerUid: string | undefined, nowMs: number): void {
    const uid = ownerUid === undefined ? undefined : this.#uidByOwner.get(ownerUid);
    if (ownerUid === undefined || uid === undefined) return;
    this.#uidByOwner.delete(ownerUid);
    this.cluster.forget(uid, nowMs);
  }

  /** Lets go of all of it. */
  clear(nowMs: number): void {
    for (const owner of [...this.#uidByOwner.keys()]) this.release(owner, nowMs);
  }
}
