import type { NodeSelectorTerm } from '../../shared/kubernetes/types';
import type { ClaimState } from '../types';

/** A PersistentVolumeClaim, as far as it matters here. */
export interface Claim {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** Pending, Bound or Lost. */
  readonly phase: string;
  /** Of the volume it is bound to; empty for none. */
  readonly volumeName: string;
  /** Name of its class; undefined where it names none. */
  readonly className?: string | undefined;
}

/** A PersistentVolume. */
export interface Volume {
  readonly uid: string;
  readonly name: string;
  /** Nobody has it. */
  readonly available: boolean;
  readonly className: string;
  /** Nodes that can reach it; undefined for all. */
  readonly terms?: readonly NodeSelectorTerm[] | undefined;
}

/** A StorageClass. */
export interface StorageClass {
  readonly uid: string;
  readonly name: string;
  /** Whether it makes volumes, rather than only binding those that are there. */
  readonly provisions: boolean;
  /** Whether it waits for the pod's node before it binds. */
  readonly waitsForPod: boolean;
}

/** What is known of volumes and classes, by name. */
export interface Storage {
  volume(name: string): Volume | undefined;
  volumes(): Iterable<Volume>;
  storageClass(name: string): StorageClass | undefined;
}

/** Whether a pod with this claim could run on a new node. What is not known of it cannot bind. */
export function claimState(claim: Claim, storage: Storage): ClaimState {
  const { name } = claim;
  const cannotBind = (why: string): ClaimState => ({ state: 'cannot-bind', name, why });
  if (claim.phase === 'Lost') return cannotBind('its volume is lost');
  if (claim.phase === 'Bound') {
    const volume = storage.volume(claim.volumeName);
    if (volume === undefined) return cannotBind(`its volume ${claim.volumeName} is not known`);
    return {
      ...{ state: 'bound', name },
      ...(volume.terms !== undefined && { terms: volume.terms }),
    };
  }
  if (!claim.className)
    return cannotBind('it names no storage class, and no volume is bound to it');
  const storageClass = storage.storageClass(claim.className);
  if (storageClass === undefined) return cannotBind(`there is no storage class ${claim.className}`);
  if (!storageClass.waitsForPod)
    return cannotBind(`storage class ${storageClass.name} binds at once, and has not bound it`);
  if (!storageClass.provisions) {
    // Such volumes are those of nodes that are there already, but for a few that every node reaches.
    const reachable = [...storage.volumes()].some(
      (one) => one.available && one.className === storageClass.name && one.terms === undefined,
    );
    if (!reachable)
      return cannotBind(`storage class ${storageClass.name} makes no volumes for new nodes`);
  }
  return { state: 'waits-for-pod', name };
}
