import type { ProberScores } from '../shared/prober-scores';

/** What a prober answered about its node, and when. */
export interface ProbeReading {
  readonly scores: ProberScores;
  /** When the answer came; the ages in it count from then. */
  readonly receivedAtMs: number;
}

/** A node with a prober. */
export interface ProbedNode {
  readonly node: string;
  /** The last answer, however old; undefined before the first. */
  readonly reading: ProbeReading | undefined;
  /** Why the last question was not answered; undefined when it was. */
  readonly failure: string | undefined;
}

/** The rules that keep a node out, in the order in which they are looked at. */
export const FILTER_RULES = [
  'no-fresh-probe',
  'no-fresh-cpu',
  'no-fresh-latency',
  'cpu-over-limit',
  'latency-over-limit',
] as const;
export type FilterRule = (typeof FILTER_RULES)[number];

/** Where a node's latency is counted to. */
export type LatencyBasis =
  /** The busiest node. */
  | 'target'
  /** The median of the node's peers, where there is no target. */
  | 'median'
  /** There is one node only: it is as near as can be. */
  | 'only-node';

/** All that was known of a node when the table was last made, and what follows from it. Never changes once made. */
export interface NodeView {
  readonly node: string;
  readonly probeAgeMs: number | null;
  /** As measured, 0..1; null is unknown. */
  readonly cpuRatio: number | null;
  /** What the pods placed moments ago will add, which no reading shows yet. */
  readonly placedCpuRatio: number;
  /** cpuRatio + placedCpuRatio, at most 1: what limits and formula look at. */
  readonly effectiveCpuRatio: number | null;
  readonly latencyMs: number | null;
  readonly latencyRatio: number | null;
  readonly latencyBasis: LatencyBasis | null;
  /** What was taken from the score for CPU near the limit. */
  readonly penalty: number;
  /** 0..1; null for a node that is out. */
  readonly score: number | null;
  /** The rule that keeps it out; undefined when it is in. */
  readonly rule?: FilterRule;
  /** Why its prober's last answer is missing, where it is. */
  readonly failure?: string;
}

/** The node that latency is counted to, or that there is none; and why. */
export interface Target {
  readonly node: string | undefined;
  readonly why: string;
}

/** The node that takes the most traffic, as Prometheus has it. */
export interface BusiestNode {
  readonly node: string;
  readonly requestsPerSecond: number;
}

/** A pod that the scheduler asked about. */
export interface AskedPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Sum of its containers' CPU requests, in thousandths of a processor; undefined when it requests none. */
  readonly cpuMillis: number | undefined;
}

/** A pod that was put on a node moments ago. */
export interface Placement {
  readonly node: string;
  readonly cpuMillis: number;
  readonly placedAtMs: number;
  /** False: it is the node that was rated best, and nobody has seen the pod there yet. */
  readonly confirmed: boolean;
}
