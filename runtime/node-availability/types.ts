import type { Taint } from '../shared/kubernetes/types';
import type { AddressedNode } from '../shared/node-cpu/types';

/** Label that allows analyzers on a node, when its value is `true`. */
export const ELIGIBLE_LABEL = 'posture/eligible';
/** Label with a node's place in the order in which nodes are preferred: `slot-1` first. */
export const SLOT_LABEL = 'posture/slot';
/** Label with a node's rank among the available ones: 1 is the least busy. */
export const RANK_LABEL = 'posture/rank';

/** A node as far as it matters to whether it may take an analyzer. */
export interface ObservedNode extends AddressedNode {
  readonly labels: Readonly<Record<string, string>>;
  /** Its condition Ready is True. */
  readonly ready: boolean;
  /** It is cordoned. */
  readonly unschedulable: boolean;
  readonly taints: readonly Taint[];
}

/** Whether a taint keeps analyzers away: they tolerate none. */
export const repels = ({ effect }: Taint): boolean =>
  effect === 'NoSchedule' || effect === 'NoExecute';

/** Why a node may take no analyzer, in the order in which the rules are looked at. */
export type NodeRule =
  | 'not-eligible'
  | 'excluded'
  | 'not-ready'
  | 'unschedulable'
  | 'tainted'
  | 'cpu-unknown'
  | 'over-threshold';

/** Whether a node may take an analyzer, and what that rests on. */
export interface NodeVerdict {
  readonly node: string;
  readonly available: boolean;
  /** The first rule that says no; absent on an available node. */
  readonly rule?: NodeRule;
  /** The same as a sentence. */
  readonly why?: string;
  /** N of its label `posture/slot=slot-N`; null without one. */
  readonly slot: number | null;
  /** Measured CPU, 0..1; null when it is not known, or too old to be used. */
  readonly cpuRatio: number | null;
  /** Age of the last reading, also of one that is too old to be used; null when there never was one. */
  readonly cpuAgeMs: number | null;
}

/** What the rules are set to. */
export interface AvailabilityOptions {
  /** A node whose CPU is at or above this is busy; 0..1. */
  readonly thresholdRatio: number;
  /** A CPU reading older than this is as good as none. */
  readonly maxAgeMs: number;
  /** Names of nodes that are left out, whatever their labels say. */
  readonly excluded: ReadonlySet<string>;
}
