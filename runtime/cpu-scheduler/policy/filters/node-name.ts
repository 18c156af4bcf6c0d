import type { Filter } from '../filter';

/** spec.nodeName, where the pod names its node itself. */
export const nodeName: Filter = {
  rule: 'NodeName',
  check: (pod, node) =>
    pod.nodeName === undefined || pod.nodeName === node.info.name
      ? undefined
      : ["node(s) didn't match the requested node name"],
};
