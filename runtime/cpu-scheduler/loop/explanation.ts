import { verdictOn } from '../policy/choose';
import type { NodeVerdict, PodInfo } from '../types';
import type { Scheduler } from './scheduler';

/** What /explain answers about a pod; undefined when nothing is known of it. */
export function explain(
  scheduler: Scheduler,
  namespace: string,
  name: string,
  nowMs: number,
): Record<string, unknown> | undefined {
  const kept = scheduler.decisions.get(namespace, name);
  const uid = kept?.decision.pod.uid;
  const pending = uid === undefined ? undefined : scheduler.queue.get(uid);
  if (kept === undefined) return undefined;
  const { decision } = kept;
  const base = {
    pod: `${namespace}/${name}`,
    uid: decision.pod.uid,
    decidedAt: new Date(kept.atMs).toISOString(),
    outcome: kept.outcome,
  };
  if (decision.kind === 'bind' && pending === undefined) {
    return {
      ...base,
      state: 'bound',
      node: decision.chosen.node,
      why: decision.reason,
      chosen: decision.chosen,
      lookedAtNodes: decision.looked,
      ...(kept.nodes && { nodes: kept.nodes }),
    };
  }
  return {
    ...base,
    state: pending === undefined ? 'gone' : 'pending',
    why: decision.kind === 'wait' ? decision.message : decision.reason,
    ...(pending && { now: explainPending(scheduler, pending, nowMs) }),
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
