import type { Filter } from '../filter';

/**
 * The node's Ready condition. kube-scheduler relies on the taints that the control plane derives from it; this looks
 * at the condition as well, since the taint comes later than the condition.
 */
export const nodeReady: Filter = {
  rule: 'NodeReady',
  check: (_pod, node) => (node.info.ready ? undefined : ['node(s) were not ready']),
};
