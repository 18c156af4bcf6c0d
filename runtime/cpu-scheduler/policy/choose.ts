import type { Decision, FilterContext, NodeVerdict, NodeView, PodInfo } from '../types';
import { cpuView } from './cpu';
import { rejection } from './feasible';
import { fitMessage, unhandledMessage } from './fit-message';
import { preferenceOf, rankOf } from './preference';

/** The settings that a choice rests on. */
export interface ChooseSettings {
  readonly cpuThreshold: number;
  readonly nearTieWidthRatio: number;
  readonly readingMaxAgeMs: number;
}

/** The nodes, in the orders in which they are looked at. */
export interface NodeOrders {
  readonly count: number;
  readonly all: Iterable<NodeView>;
  /** Those with a reading, the least effective CPU first, then by name. */
  measured(): Iterable<NodeView>;
  /** All, the least requested CPU first, then by name. */
  requested(): Iterable<NodeView>;
}

export const ABOVE_THRESHOLD = 'node(s) had CPU use at or above the threshold';
export const NO_READING = 'node(s) had no fresh CPU reading';

/**
 * Chooses a node for a pod: the least rank among the feasible nodes whose effective CPU is below the threshold. When
 * none of the feasible nodes has a fresh reading, the least rank by requested CPU, without a threshold.
 *
 * Cost with n nodes, of which k are looked at before the choice is certain: O(k log k) plus k times the filters. k is
 * 1 when the least busy node is feasible and the pod prefers nothing; with preferences it is at most the number of
 * nodes within the near-tie width, and ends at the first that meets all of them. A pod that fits nowhere costs n
 * times the filters.
 */
export function choose(
  pod: PodInfo,
  nodes: NodeOrders,
  context: FilterContext,
  settings: ChooseSettings,
  nowMs: number,
): Decision {
  if (pod.unhandled.length > 0) {
    const message = unhandledMessage(nodes.count, pod.unhandled);
    return { kind: 'wait', pod: refOf(pod), message, reasons: { unhandled: nodes.count } };
  }
  const judge = (node: NodeView): NodeVerdict => verdictOn(pod, node, context, settings, nowMs);
  const width = pod.preferredTerms.length === 0 ? 0 : settings.nearTieWidthRatio;
  const measured = best(nodes.measured(), judge, 'measured', width);
  if (measured.verdict !== undefined) return bind(pod, measured.verdict, measured.looked);

  const reasons: Record<string, number> = {};
  let known = false;
  let unknown = false;
  for (const node of nodes.all) {
    const { rejected, cpu } = judge(node);
    if (cpu.basis === 'requested' && rejected === undefined) unknown = true;
    if (rejected?.rule === 'CpuThreshold') known = true;
    const causes = rejected?.reasons ?? [NO_READING];
    for (const cause of causes) reasons[cause] = (reasons[cause] ?? 0) + 1;
  }
  if (unknown && !known) {
    const requested = best(nodes.requested(), judge, 'requested', width);
    if (requested.verdict !== undefined) return bind(pod, requested.verdict, requested.looked);
  }
  return { kind: 'wait', pod: refOf(pod), message: fitMessage(nodes.count, reasons), reasons };
}

/** What is to be said about one node and one pod. A node without a fresh reading is not rejected for that alone. */
export function verdictOn(
  pod: PodInfo,
  node: NodeView,
  context: FilterContext,
  settings: ChooseSettings,
  nowMs: number,
): NodeVerdict {
  const cpu = cpuView(node, nowMs, settings.readingMaxAgeMs);
  const preference = pod.preferredTerms.length === 0 ? 0 : preferenceOf(pod, node.info);
  const rank = rankOf(cpu.effectiveCpuRatio, preference, settings.nearTieWidthRatio);
  let rejected = rejection(pod, node, context);
  if (
    rejected === undefined &&
    cpu.basis === 'measured' &&
    cpu.effectiveCpuRatio >= settings.cpuThreshold
  ) {
    rejected = { rule: 'CpuThreshold', reasons: [`${ABOVE_THRESHOLD} ${settings.cpuThreshold}`] };
  }
  const verdict = { node: node.info.name, cpu, preference, rank };
  return rejected === undefined ? verdict : { ...verdict, rejected };
}

/** The least rank of an order by effective CPU; stops where no later node can have a lesser one. */
function best(
  order: Iterable<NodeView>,
  judge: (node: NodeView) => NodeVerdict,
  basis: 'measured' | 'requested',
  width: number,
): { readonly verdict?: NodeVerdict; readonly looked: number } {
  let verdict: NodeVerdict | undefined;
  let looked = 0;
  for (const node of order) {
    looked += 1;
    const one = judge(node);
    if (one.cpu.basis !== basis) continue;
    const leastToCome = one.cpu.effectiveCpuRatio - width;
    if (verdict !== undefined && leastToCome >= verdict.rank) break;
    if (one.rejected?.rule === 'CpuThreshold') break;
    if (one.rejected !== undefined) continue;
    if (verdict === undefined || one.rank < verdict.rank) verdict = one;
    if (verdict.preference === 1) break;
  }
  return verdict === undefined ? { looked } : { verdict, looked };
}

function bind(pod: PodInfo, chosen: NodeVerdict, looked: number): Decision {
  const { cpu } = chosen;
  const ratio = cpu.effectiveCpuRatio.toFixed(3);
  const reason =
    cpu.basis === 'measured'
      ? `least effective CPU ${ratio} (measured ${cpu.cpuRatio.toFixed(3)}, ` +
        `${Math.round(cpu.readingAgeMs)} ms ago, and ${cpu.unseenCpuRatio.toFixed(3)} bound since)`
      : `least requested CPU ${ratio}, since no CPU reading is known (${cpu.why})`;
  return { kind: 'bind', pod: refOf(pod), chosen, looked, reason };
}

const refOf = ({ uid, namespace, name }: PodInfo) => ({ uid, namespace, name });
