import type { KubeObject, LabelSelector, NodeSelectorTerm } from '../../shared/kubernetes/types';
import type { Claim, StorageClass, Volume } from '../policy/claim-state';
import type { WatchedBudget } from '../ports';

/** The parts of these objects that are read, named as in the API's JSON. */
export interface RawClaim extends KubeObject {
  readonly spec?: { readonly volumeName?: string; readonly storageClassName?: string };
  readonly status?: { readonly phase?: string };
}
export interface RawVolume extends KubeObject {
  readonly spec?: {
    readonly storageClassName?: string;
    readonly nodeAffinity?: {
      readonly required?: { readonly nodeSelectorTerms: readonly NodeSelectorTerm[] };
    };
  };
  readonly status?: { readonly phase?: string };
}
export interface RawClass extends KubeObject {
  readonly provisioner?: string;
  readonly volumeBindingMode?: string;
}
export interface RawBudget extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly generation?: number };
  readonly spec?: { readonly selector?: LabelSelector | null };
  readonly status?: { readonly disruptionsAllowed?: number; readonly observedGeneration?: number };
}

const NO_PROVISIONER = 'kubernetes.io/no-provisioner';

export const projectClaim = ({ metadata, spec, status }: RawClaim): Claim => ({
  ...{ uid: metadata.uid, namespace: metadata.namespace ?? '', name: metadata.name },
  phase: status?.phase ?? 'Pending',
  volumeName: spec?.volumeName ?? '',
  className: spec?.storageClassName,
});

export const projectVolume = ({ metadata, spec, status }: RawVolume): Volume => ({
  ...{ uid: metadata.uid, name: metadata.name, className: spec?.storageClassName ?? '' },
  available: status?.phase === 'Available',
  terms: spec?.nodeAffinity?.required?.nodeSelectorTerms,
});

export const projectClass = ({
  metadata,
  provisioner,
  volumeBindingMode,
}: RawClass): StorageClass => ({
  ...{ uid: metadata.uid, name: metadata.name },
  provisions: provisioner !== NO_PROVISIONER,
  waitsForPod: volumeBindingMode === 'WaitForFirstConsumer',
});

/** A budget that its controller has not counted since it was changed allows nothing, as the Eviction API has it. */
export function projectBudget({ metadata, spec, status }: RawBudget): WatchedBudget {
  const counted = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  return {
    ...{ uid: metadata.uid, namespace: metadata.namespace ?? '', name: metadata.name },
    // Without a selector it is for no pod; with an empty one for all of its namespace.
    selector: spec?.selector ?? { matchExpressions: [{ key: '', operator: 'In', values: [] }] },
    disruptionsAllowed: counted ? (status?.disruptionsAllowed ?? 0) : 0,
  };
}
