import type { Filter } from '../filter';

/** The node that an evicted pod of the same Job has just left. */
export const leftNode: Filter = {
  rule: 'LeftNode',
  check: (_pod, node, { leftNodes }) =>
    leftNodes.has(node.info.name)
      ? ['node(s) were just left by an evicted pod of the same Job']
      : undefined,
};
