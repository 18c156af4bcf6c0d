import { verdictOn } from '../policy/choose';
import type { NodeVerdict, PodInfo } from '../types';
import type { Scheduler } from './scheduler';

/**
 * What /explain answers about a pod; undefined when nothing is known of it. A pod that another leader placed is
 * explained from what it wrote on the pod.
 */
export function explain(
  scheduler: Scheduler,
  namespace: string,
  name: string,
  nowMs: number,
): Record<string, unknown> | undefined {
  const pod = `${namespace}/${name}`;
  const placed = scheduler.cluster.findPlaced(namespace, name);
  const pending = scheduler.queue.find(namespace, name);
  const last = scheduler.decisions.get(namespace, name);
  // A decision about an earlier pod of this name says nothing about the one there is now.
  const uid = placed?.uid ?? pending?.uid;
  const kept = uid === undefined || last?.decision.pod.uid === uid ? last : undefined;
  const decided = kept && { decidedAt: new Date(kept.atMs).toISOString(), outcome: kept.outcome };
  if (pending !== undefined && placed === undefined) {
    return {
      ...{ pod, uid: pending.uid, state: 'pending', ...decided },
      ...(kept?.decision.kind === 'wait' && { why: kept.decision.message }),
      now: explainPending(scheduler, pending, nowMs),
    };
  }
  if (kept?.decision.kind === 'bind') {
    const { decision, nodes } = kept;
    return {
      ...{ pod, uid: decision.pod.uid, state: placed ? 'bound' : 'bound, and ended since' },
      ...decided,
      node: decision.chosen.node,
      why: decision.reason,
      chosen: decision.chosen,
      lookedAtNodes: decision.looked,
      ...(nodes && { nodes }),
    };
  }
  if (placed === undefined) return undefined;
  return {
    ...{ pod, uid: placed.uid, state: 'bound', node: placed.nodeName },
    ...(placed.placement
      ? { why: 'chosen by an earlier leader, which noted this', chosen: placed.placement }
      : { why: 'was not placed by this scheduler' }),
  };
}

/** Every node as it is for this pod now. */
function explainPending(scheduler: Scheduler, pod: PodInfo, nowMs: number): unknown {
  const context = scheduler.contextOf(pod);
  const verdicts: NodeVerdict[] = [...scheduler.cluster.all]
    .map((node) => verdictOn(pod, node, context, scheduler.settings, nowMs))
    .sort((a, b) => a.rank - b.rank || (a.node < b.node ? -1 : 1));
  return {
    at: new Date(nowMs).toISOString(),
    notHandled: pod.unhandled,
    nodes: verdicts,
  };
}
