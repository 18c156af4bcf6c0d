import type { FilterContext, NodeView, PodInfo, Rejection } from '../types';
import type { Filter } from './filter';
import { existingAntiAffinity } from './filters/existing-anti-affinity';
import { leftNode } from './filters/left-node';
import { nodeAffinity } from './filters/node-affinity';
import { nodeName } from './filters/node-name';
import { nodePorts } from './filters/node-ports';
import { nodeReady } from './filters/node-ready';
import { nodeResources } from './filters/node-resources';
import { nodeUnschedulable } from './filters/node-unschedulable';
import { ownAntiAffinity } from './filters/own-anti-affinity';
import { taintToleration } from './filters/taint-toleration';

/** In kube-scheduler's order, since the first that excludes a node is the one reported; ours come last. */
export const FILTERS: readonly Filter[] = [
  nodeUnschedulable,
  nodeName,
  taintToleration,
  nodeReady,
  nodeAffinity,
  nodePorts,
  nodeResources,
  existingAntiAffinity,
  ownAntiAffinity,
  leftNode,
];

/** Why a pod cannot run on a node, by the first rule that says so; undefined when it can. */
export function rejection(
  pod: PodInfo,
  node: NodeView,
  context: FilterContext,
): Rejection | undefined {
  for (const filter of FILTERS) {
    const reasons = filter.check(pod, node, context);
    if (reasons !== undefined) return { rule: filter.rule, reasons };
  }
  return undefined;
}
