import type { NodeInfo, Owner } from '../../cpu-scheduler/types';
import type { WorkerView } from '../types';
import { Overlay } from './overlay';

/** Labels that the kubelet sets on every node of the same make; all others are a node's own. */
const COMMON_LABELS = [
  'kubernetes.io/arch',
  'kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
];
const NAME = 'a new worker';
const NOTHING = { cpuMillis: 0, memoryBytes: 0, ephemeralStorageBytes: 0, others: new Map() };

/**
 * A worker as it would be if it were new: the size of the newest one that is Ready, labels that every worker has, no
 * taint, and the pods of DaemonSets, which come to each node. Undefined when no worker is Ready, so that its size is
 * not known.
 */
export function newWorker(workers: readonly WorkerView[]): Overlay | undefined {
  let model: WorkerView | undefined;
  for (const node of workers) {
    if (node.info.ready && (model === undefined || (node.number ?? 0) > (model.number ?? 0)))
      model = node;
  }
  if (model === undefined) return undefined;
  const { labels } = model.info;
  const info: NodeInfo = {
    ...model.info,
    name: NAME,
    uid: '',
    labels: {
      ...Object.fromEntries(
        COMMON_LABELS.flatMap((key) => (labels[key] === undefined ? [] : [[key, labels[key]]])),
      ),
      'kubernetes.io/hostname': NAME,
    },
    taints: [],
    unschedulable: false,
    ready: true,
  };
  const empty = new Overlay({
    info,
    requested: NOTHING,
    podCount: 0,
    hostPorts: [],
    reading: model.reading,
    previousReading: model.reading,
    unseenCpuRatio: 0,
    requestedCpuRatio: 0,
    pods: [],
  });
  for (const pod of model.pods) if (isOfDaemonSet(pod)) empty.add(pod);
  return empty;
}

/** What says whether a pod stays with its node. */
type Owned = { readonly owner?: Pick<Owner, 'kind'> | undefined };

/** Whether a pod belongs to its node: a new node gets one of its own, and it goes with the node. */
export const isOfDaemonSet = (pod: Owned): boolean => pod.owner?.kind === 'DaemonSet';

/** Whether a pod is made by the node itself, from a file on it, or is one of a DaemonSet. */
export const staysWithNode = (pod: Owned): boolean =>
  isOfDaemonSet(pod) || pod.owner?.kind === 'Node';
