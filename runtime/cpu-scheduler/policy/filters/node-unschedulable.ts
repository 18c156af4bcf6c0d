import type { Taint } from '../../../shared/kubernetes/types';
import type { Filter } from '../filter';
import { toleratedBy } from '../tolerations';

const UNSCHEDULABLE: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

/** spec.unschedulable of the node (cordoned), unless the pod tolerates the taint that stands for it. */
export const nodeUnschedulable: Filter = {
  rule: 'NodeUnschedulable',
  check: (pod, node) =>
    !node.info.unschedulable || toleratedBy(pod.tolerations, UNSCHEDULABLE)
      ? undefined
      : ['node(s) were unschedulable'],
};
