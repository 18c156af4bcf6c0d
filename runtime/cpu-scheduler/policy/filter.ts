import type { FilterContext, NodeView, PodInfo } from '../types';

/** One rule of what is feasible. */
export interface Filter {
  readonly rule: string;
  /** The reasons that exclude the node, in kube-scheduler's words; undefined when it may be used. */
  check(pod: PodInfo, node: NodeView, context: FilterContext): readonly string[] | undefined;
}
