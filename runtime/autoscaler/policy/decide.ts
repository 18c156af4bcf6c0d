import type { ScalingSettings } from '../settings';
import type { Decision, Evidence, Kept, Snapshot, WorkerView } from '../types';
import { sortPending, workersFor } from './pending';
import { Removals } from './removable';
import { newWorker } from './template';
import { isUsageHigh, usagesOf } from './usage';

/** So many nodes are looked at in one decision when the last that came has to stay. */
const CANDIDATES = 8;

const NOTHING_IS_KNOWN: Evidence = {
  workers: 0,
  adding: 0,
  removing: 0,
  pending: 0,
  cpu: { leastRatio: 0, mostRatio: 1, unknown: 0 },
  memory: { leastRatio: 0, mostRatio: 1, unknown: 0 },
  passedOver: [],
  kept: [],
};

const percent = (ratio: number): string => `${(ratio * 100).toFixed(1)} %`;

/**
 * Whether workers come or go. Up, within max_nodes: below min_nodes (no cooldown applies); or pods wait that a new
 * node would take; or CPU and memory are both at or above their thresholds. Down, LIFO, within min_nodes and never a
 * permanent worker: nothing waits that a new node would take, CPU and memory are both below theirs, no cooldown, and
 * the node's pods are proved to fit elsewhere.
 */
export function decide(snapshot: Snapshot, settings: ScalingSettings, nowMs: number): Decision {
  if (!snapshot.synced)
    return {
      ...{ kind: 'hold', atMs: nowMs, evidence: NOTHING_IS_KNOWN },
      reason: 'nodes and pods have not been listed yet',
    };
  const { adding, removing } = snapshot;
  const present: WorkerView[] = [];
  for (const node of snapshot.nodes.values())
    if (node.worker && !removing.has(node.info.name)) present.push(node);
  const ready = present.filter(({ info }) => info.ready);
  const coming = [...adding].filter((name) => !snapshot.nodes.has(name)).length;
  const workers = present.length + coming;
  const model = newWorker(ready);
  const sorted = sortPending(snapshot.pending, model);
  const { helped, passedOver, passedOverCount } = sorted;
  const { cpu, memory } = usagesOf(ready, settings, nowMs);
  const evidence: Evidence = {
    ...{ workers, adding: adding.size, removing: removing.size, pending: helped.length },
    ...{ cpu, memory, passedOver, kept: [] },
  };
  const hold = (reason: string, kept: readonly Kept[] = []): Decision => ({
    kind: 'hold',
    atMs: nowMs,
    reason,
    evidence: { ...evidence, kept },
  });
  const up = (trigger: 'minimum' | 'pending' | 'usage', count: number, why: string): Decision => {
    const room = Math.min(settings.maxNodes - workers, settings.maxScaleUp);
    if (room <= 0) return hold(`${why}, but there are ${workers} of at most ${settings.maxNodes}`);
    const waitMs = snapshot.scaledUpAtMs + settings.scaleUpCooldownMs - nowMs;
    if (trigger !== 'minimum' && waitMs > 0)
      return hold(`${why}, but it grew lately: wait ${Math.ceil(waitMs / 1000)} s`);
    return {
      kind: 'up',
      trigger,
      count: Math.min(count, room),
      atMs: nowMs,
      reason: why,
      evidence,
    };
  };

  if (workers < settings.minNodes)
    return up(
      'minimum',
      settings.minNodes - workers,
      `${workers} of at least ${settings.minNodes}`,
    );
  if (helped.length >= settings.pendingPods) {
    const why = `${helped.length} pods wait that a new node would take`;
    const wanted =
      model === undefined ? 1 : workersFor(sorted, model, adding.size + settings.maxScaleUp);
    return wanted > adding.size
      ? up('pending', wanted - adding.size, why)
      : hold(`${why}; ${adding.size} nodes are coming for them`);
  }
  if (isUsageHigh(evidence, settings) && ready.length > 0) {
    const why = `CPU ${percent(cpu.leastRatio)} and memory ${percent(memory.leastRatio)} are high`;
    return adding.size > 0 ? hold(`${why}; ${adding.size} nodes are coming`) : up('usage', 1, why);
  }

  const busy = whyNotDown(snapshot, evidence, helped.length, settings, nowMs);
  if (busy !== undefined)
    return hold(passedOverCount === 0 ? busy : `${busy}; ${passedOverCount} pods wait in vain`);
  const most = Math.min(settings.maxScaleDown, workers - settings.minNodes);
  const { nodes, kept } = lastIn(snapshot, present, most, settings, nowMs);
  if (nodes.length === 0)
    return hold(kept.length > 0 ? 'no worker can go' : 'no worker that may go', kept);
  return {
    ...{ kind: 'down', nodes, atMs: nowMs, evidence: { ...evidence, kept } },
    reason: `CPU ${percent(cpu.mostRatio)} and memory ${percent(memory.mostRatio)} are low, and all pods fit on the other nodes`,
  };
}

function whyNotDown(
  snapshot: Snapshot,
  { workers, adding, removing, cpu, memory }: Evidence,
  waiting: number,
  settings: ScalingSettings,
  nowMs: number,
): string | undefined {
  if (waiting > 0) return `${waiting} pods wait`;
  if (workers <= settings.minNodes) return `there are ${workers} of at least ${settings.minNodes}`;
  if (adding > 0) return `${adding} nodes are coming`;
  if (removing > 0) return `${removing} nodes are going`;
  const unknown = Math.max(cpu.unknown, memory.unknown);
  const note = unknown > 0 ? ` (unknown of ${unknown}, taken as full)` : '';
  if (cpu.mostRatio >= settings.cpuScaleDownRatio)
    return `CPU ${percent(cpu.mostRatio)} is not low${note}`;
  if (memory.mostRatio >= settings.memoryScaleDownRatio)
    return `memory ${percent(memory.mostRatio)} is not low${note}`;
  const scaledAtMs = Math.max(snapshot.scaledUpAtMs, snapshot.scaledDownAtMs);
  const waitMs = scaledAtMs + settings.scaleDownCooldownMs - nowMs;
  if (waitMs > 0) return `it grew or shrank lately: wait ${Math.ceil(waitMs / 1000)} s`;
  return undefined;
}

/**
 * The workers that would go if so many were to, whatever the load and the cooldown: the last that came first, within
 * min_nodes, no permanent one, and only if their pods fit elsewhere. With those that were looked at and stay.
 */
export function toRemove(
  snapshot: Snapshot,
  settings: ScalingSettings,
  count: number,
  nowMs: number,
): { readonly nodes: readonly string[]; readonly kept: readonly Kept[] } {
  const present = [...snapshot.nodes.values()].filter(
    ({ worker, info }) => worker && !snapshot.removing.has(info.name),
  );
  const most = Math.min(count, present.length - settings.minNodes);
  return snapshot.synced && most > 0
    ? lastIn(snapshot, present, most, settings, nowMs)
    : { nodes: [], kept: [] };
}

/** The workers that go, the last that came first; with those that were looked at and stay. */
function lastIn(
  snapshot: Snapshot,
  present: readonly WorkerView[],
  most: number,
  settings: ScalingSettings,
  nowMs: number,
) {
  const candidates = present
    .filter(({ number, info }) => number !== null && !settings.permanentWorkers.has(info.name))
    .sort((a, b) => (b.number ?? 0) - (a.number ?? 0));
  const removals = new Removals(snapshot, settings, nowMs);
  const kept: Kept[] = [];
  for (const node of candidates.slice(0, CANDIDATES)) {
    if (removals.nodes.length >= most) break;
    const why = removals.add(node);
    if (why !== undefined) kept.push({ node: node.info.name, why });
  }
  return { nodes: removals.nodes, kept };
}
