import type { Filter } from '../filter';
import { toleratedBy } from '../tolerations';

/** Taints of effect NoSchedule and NoExecute; PreferNoSchedule excludes nothing. */
export const taintToleration: Filter = {
  rule: 'TaintToleration',
  check: (pod, node) =>
    node.info.taints.every(
      (taint) =>
        (taint.effect !== 'NoSchedule' && taint.effect !== 'NoExecute') ||
        toleratedBy(pod.tolerations, taint),
    )
      ? undefined
      : ['node(s) had untolerated taint(s)'],
};
