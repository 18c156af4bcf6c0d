import type { Node } from '../shared/kubernetes/types';
import type { ObservedNode } from './types';

/** What an informer keeps of a Node object. */
export function observedNode({ metadata, spec, status }: Node): ObservedNode {
  const addresses = (type: string): string[] =>
    (status?.addresses ?? []).filter((one) => one.type === type).map(({ address }) => address);
  const labels = metadata.labels ?? {};
  const hostname = labels['kubernetes.io/hostname'];
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return {
    name: metadata.name,
    labels,
    // A node that is being deleted takes nothing any more.
    ready: ready?.status === 'True' && metadata.deletionTimestamp === undefined,
    unschedulable: spec?.unschedulable ?? false,
    taints: spec?.taints ?? [],
    internalIps: addresses('InternalIP'),
    hostnames: [...addresses('Hostname'), ...(hostname === undefined ? [] : [hostname])],
  };
}
