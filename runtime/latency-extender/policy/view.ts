import type { FilterRule, LatencyBasis, NodeView, ProbedNode } from '../types';
import { cpuPenaltyOf, scoreOf, type ScoreSettings } from './score';

export interface ViewSettings extends ScoreSettings {
  /** An answer, or a reading in it, that is older is not fresh. */
  readonly probeMaxAgeMs: number;
  /** A node with more latency is out. */
  readonly latencyLimitRatio: number;
}

/** What a node is judged by besides its own readings. */
export interface Surroundings {
  /** The node that latency is counted to; undefined: the median of the peers counts. */
  readonly target: string | undefined;
  /** Whether there is no other node. */
  readonly alone: boolean;
}

interface Latency {
  readonly latencyMs: number;
  readonly latencyRatio: number;
  readonly basis: LatencyBasis;
}

/** What is known of a node at nowMs, whether it is in, and its score. What is not fresh is unknown, and keeps it out. */
export function viewOf(
  probed: ProbedNode,
  placedCpuRatio: number,
  around: Surroundings,
  settings: ViewSettings,
  nowMs: number,
): NodeView {
  const { node, reading, failure } = probed;
  const ageMs = reading === undefined ? null : Math.max(0, nowMs - reading.receivedAtMs);
  const fresh = ageMs !== null && ageMs <= settings.probeMaxAgeMs;
  const cpuRatio = fresh ? freshCpu(probed, ageMs, settings.probeMaxAgeMs) : undefined;
  const latency = fresh ? freshLatency(probed, around, ageMs, settings.probeMaxAgeMs) : undefined;
  const effective = cpuRatio === undefined ? undefined : Math.min(1, cpuRatio + placedCpuRatio);
  const rule = ruleOf(fresh, effective, latency?.latencyRatio, settings);
  const inside = rule === undefined && effective !== undefined && latency !== undefined;
  return {
    node,
    probeAgeMs: ageMs,
    cpuRatio: cpuRatio ?? null,
    placedCpuRatio,
    effectiveCpuRatio: effective ?? null,
    latencyMs: latency?.latencyMs ?? null,
    latencyRatio: latency?.latencyRatio ?? null,
    latencyBasis: latency?.basis ?? null,
    penalty: inside ? cpuPenaltyOf(effective, settings) : 0,
    score: inside ? scoreOf(effective, latency.latencyRatio, settings) : null,
    ...(rule !== undefined && { rule }),
    ...(failure !== undefined && { failure }),
  };
}

/** Whether this node has a fresh latency to another. */
export function reaches(
  probed: ProbedNode,
  target: string,
  maxAgeMs: number,
  nowMs: number,
): boolean {
  if (probed.reading === undefined) return false;
  const ageMs = Math.max(0, nowMs - probed.reading.receivedAtMs);
  return (
    ageMs <= maxAgeMs &&
    freshLatency(probed, { target, alone: false }, ageMs, maxAgeMs) !== undefined
  );
}

function freshCpu(
  { reading }: ProbedNode,
  answerAgeMs: number,
  maxAgeMs: number,
): number | undefined {
  const cpu = reading?.scores.cpu ?? undefined;
  return cpu !== undefined && answerAgeMs + cpu.ageMs <= maxAgeMs ? cpu.cpuRatio : undefined;
}

function freshLatency(
  { node, reading }: ProbedNode,
  { target, alone }: Surroundings,
  answerAgeMs: number,
  maxAgeMs: number,
): Latency | undefined {
  if (reading === undefined) return undefined;
  const { peers, median } = reading.scores;
  if (target !== undefined) {
    if (target === node) return { latencyMs: 0, latencyRatio: 0, basis: 'target' };
    const peer = Object.hasOwn(peers, target) ? peers[target] : undefined;
    return peer !== undefined && answerAgeMs + peer.ageMs <= maxAgeMs
      ? { latencyMs: peer.latencyMs, latencyRatio: peer.latencyRatio, basis: 'target' }
      : undefined;
  }
  if (alone) return { latencyMs: 0, latencyRatio: 0, basis: 'only-node' };
  return median === null ? undefined : { ...median, basis: 'median' };
}

function ruleOf(
  fresh: boolean,
  cpuRatio: number | undefined,
  latencyRatio: number | undefined,
  settings: ViewSettings,
): FilterRule | undefined {
  if (!fresh) return 'no-fresh-probe';
  if (cpuRatio === undefined) return 'no-fresh-cpu';
  if (latencyRatio === undefined) return 'no-fresh-latency';
  if (cpuRatio > settings.cpuLimitRatio) return 'cpu-over-limit';
  if (latencyRatio > settings.latencyLimitRatio) return 'latency-over-limit';
  return undefined;
}
