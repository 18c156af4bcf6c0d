import { lostLately } from '../../shared/disruptions/types';
import type { Eviction, KeepAway, NodeView, OffloadDecision, PodInfo, Resources } from '../types';
import { estimatedCpuMillis, type EstimateSettings } from './cpu';
import { verdictOn, type ChooseSettings } from './choose';
import { leftNodesOf } from './left-nodes';

/** The settings that offloading rests on. */
export interface OffloadSettings extends ChooseSettings, EstimateSettings {
  readonly offloadMinAgeMs: number;
  readonly offloadMaxPerCycle: number;
  readonly offloadMaxPerNode: number;
  readonly offloadCooldownMs: number;
  readonly offloadAvoidMs: number;
}

/** What there is to look at. */
export interface OffloadSnapshot {
  readonly nodes: readonly NodeView[];
  readonly evictions: readonly Eviction[];
  readonly keepAways: readonly KeepAway[];
  /** Uids of pods that a PodDisruptionBudget has just protected: others have their turn first. */
  readonly spared: ReadonlySet<string>;
}

/**
 * The pods to evict now, hottest node first. A node is hot when its last two readings, the later of them fresh, were
 * both at or above the threshold and both taken after the last eviction from it. From a hot node goes the youngest
 * running pod that this scheduler placed, that a Job owns, that has run for the minimum age, whose Job lost none
 * within the cooldown, and for which some other node has room: feasible, freshly read, and below the threshold even
 * with the pod and all that was reserved before on it.
 */
export function offload(
  snapshot: OffloadSnapshot,
  settings: OffloadSettings,
  nowMs: number,
): OffloadDecision[] {
  const decisions: OffloadDecision[] = [];
  const hot = snapshot.nodes
    .filter((node) => isHot(node, snapshot.evictions, settings, nowMs))
    .sort((a, b) => ratioOf(b) - ratioOf(a) || (a.info.name < b.info.name ? -1 : 1));
  for (const node of hot) {
    let fromHere = 0;
    for (const pod of candidates(node, snapshot, settings, nowMs)) {
      if (fromHere >= settings.offloadMaxPerNode) break;
      if (decisions.length >= settings.offloadMaxPerCycle) return decisions;
      if (decisions.some((one) => one.pod.owner?.uid === pod.owner?.uid)) continue;
      const decision = target(pod, node, snapshot, decisions, settings, nowMs);
      if (decision === undefined) continue;
      decisions.push(decision);
      fromHere += 1;
    }
  }
  return decisions;
}

const ratioOf = (node: NodeView): number =>
  node.reading.state === 'known' ? node.reading.value : 0;

/** Whether a node was at or above the threshold for two readings running, none of them from before an eviction. */
export function isHot(
  { info, reading, previousReading }: NodeView,
  evictions: readonly Eviction[],
  settings: OffloadSettings,
  nowMs: number,
): boolean {
  if (reading.state === 'unknown' || previousReading.state === 'unknown') return false;
  const lastEvictionMs = Math.max(
    -Infinity,
    ...evictions.filter(({ node }) => node === info.name).map(({ atMs }) => atMs),
  );
  return (
    nowMs - reading.takenAtMs <= settings.readingMaxAgeMs &&
    previousReading.takenAtMs > lastEvictionMs &&
    reading.takenAtMs - previousReading.takenAtMs <= settings.readingMaxAgeMs &&
    reading.value >= settings.cpuThreshold &&
    previousReading.value >= settings.cpuThreshold
  );
}

/** The pods of a node that may be evicted, youngest first. */
function candidates(
  node: NodeView,
  { evictions, spared }: OffloadSnapshot,
  settings: OffloadSettings,
  nowMs: number,
): PodInfo[] {
  const started = (pod: PodInfo): number => pod.startedAtMs ?? nowMs;
  return [...node.pods]
    .filter(
      (pod) =>
        pod.placedHere &&
        pod.phase === 'Running' &&
        !pod.deleting &&
        pod.owner?.kind === 'Job' &&
        pod.unhandled.length === 0 &&
        !spared.has(pod.uid) &&
        nowMs - started(pod) >= settings.offloadMinAgeMs &&
        !lostLately(
          evictions,
          { podUid: pod.uid, ownerUid: pod.owner.uid },
          settings.offloadCooldownMs,
          nowMs,
        ),
    )
    .sort((a, b) => started(b) - started(a) || (a.uid < b.uid ? -1 : 1));
}

function target(
  pod: PodInfo,
  from: NodeView,
  snapshot: OffloadSnapshot,
  decisions: readonly OffloadDecision[],
  settings: OffloadSettings,
  nowMs: number,
): OffloadDecision | undefined {
  const left = leftNodesOf(pod, snapshot.evictions, settings.offloadAvoidMs, nowMs);
  const context = { keepAways: snapshot.keepAways, leftNodes: new Set([...left, from.info.name]) };
  const unbound: PodInfo = { ...pod, nodeName: undefined };
  const estimate = estimatedCpuMillis(pod.requests, settings);
  let chosen: { readonly node: string; readonly rank: number; readonly after: number } | undefined;
  for (const node of snapshot.nodes) {
    const reserved = decisions.filter((one) => one.target === node.info.name);
    const view = withReserved(node, reserved, settings);
    const verdict = verdictOn(unbound, view, context, settings, nowMs);
    if (verdict.rejected !== undefined || verdict.cpu.basis !== 'measured') continue;
    const after = verdict.cpu.effectiveCpuRatio + estimate / node.info.allocatable.cpuMillis;
    if (!(after < settings.cpuThreshold)) continue;
    if (chosen === undefined || verdict.rank < chosen.rank) {
      chosen = { node: verdict.node, rank: verdict.rank, after };
    }
  }
  if (chosen === undefined) return undefined;
  return {
    pod,
    node: from.info.name,
    nodeCpuRatio: ratioOf(from),
    target: chosen.node,
    targetEffectiveCpuRatio: chosen.after,
    reason:
      `${from.info.name} was at or above ${settings.cpuThreshold} for two readings (now ` +
      `${ratioOf(from).toFixed(3)}); ${chosen.node} has room (${chosen.after.toFixed(3)} with it)`,
  };
}

/** The node as if the pods of these decisions ran on it. */
function withReserved(
  node: NodeView,
  decisions: readonly OffloadDecision[],
  settings: EstimateSettings,
): NodeView {
  if (decisions.length === 0) return node;
  const pods = decisions.map(({ pod }) => pod);
  const estimated = pods.reduce((sum, pod) => sum + estimatedCpuMillis(pod.requests, settings), 0);
  return {
    ...node,
    info: node.info,
    requested: pods.reduce((sum, pod) => addResources(sum, pod.requests), node.requested),
    podCount: node.podCount + pods.length,
    hostPorts: [...node.hostPorts, ...pods.flatMap((pod) => pod.hostPorts)],
    reading: node.reading,
    previousReading: node.previousReading,
    unseenCpuRatio: node.unseenCpuRatio + estimated / node.info.allocatable.cpuMillis,
    requestedCpuRatio: node.requestedCpuRatio + estimated / node.info.allocatable.cpuMillis,
    pods: node.pods,
  };
}

function addResources(a: Resources, b: Resources): Resources {
  const others = new Map(a.others);
  for (const [name, amount] of b.others) others.set(name, (others.get(name) ?? 0) + amount);
  return {
    cpuMillis: a.cpuMillis + b.cpuMillis,
    memoryBytes: a.memoryBytes + b.memoryBytes,
    ephemeralStorageBytes: a.ephemeralStorageBytes + b.ephemeralStorageBytes,
    others,
  };
}
