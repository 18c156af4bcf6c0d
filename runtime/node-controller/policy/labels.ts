import { slotOf } from '../../node-availability/availability';
import {
  ELIGIBLE_LABEL,
  RANK_LABEL,
  repels,
  type ObservedNode,
} from '../../node-availability/types';
import type { LabelPatch, RankedVerdict } from '../types';

/** What decides about labels beside the ranks. */
export interface LabelOptions {
  readonly manageEligible: boolean;
  readonly excluded: ReadonlySet<string>;
}

/** What to change on the nodes: their rank, and, where it is managed, their eligibility. Nothing for what is right. */
export function labelPatches(
  nodes: readonly ObservedNode[],
  verdicts: readonly RankedVerdict[],
  options: LabelOptions,
): LabelPatch[] {
  const ranks = new Map(verdicts.map(({ node, rank }) => [node, rank]));
  return nodes.flatMap((node) => {
    const rank = ranks.get(node.name) ?? null;
    const labels = {
      ...change(node, RANK_LABEL, rank === null ? null : String(rank)),
      ...(options.manageEligible && eligibility(node, options.excluded)),
    };
    return Object.keys(labels).length === 0 ? [] : [{ node: node.name, labels }];
  });
}

/**
 * A node with a slot is eligible while it is ready, schedulable, without a taint that repels and not excluded. One
 * without a slot is not the controller's, and `posture/eligible` with another value than `true` is an operator's no.
 */
function eligibility(node: ObservedNode, excluded: ReadonlySet<string>): LabelPatch['labels'] {
  const now = node.labels[ELIGIBLE_LABEL];
  if (slotOf(node.labels) === null || (now !== undefined && now !== 'true')) return {};
  const fit =
    node.ready && !node.unschedulable && !node.taints.some(repels) && !excluded.has(node.name);
  return change(node, ELIGIBLE_LABEL, fit ? 'true' : null);
}

const change = (node: ObservedNode, label: string, value: string | null): LabelPatch['labels'] =>
  (node.labels[label] ?? null) === value ? {} : { [label]: value };
