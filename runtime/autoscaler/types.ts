import type { Eviction, NodeView, PodInfo } from '../cpu-scheduler/types';
import type { Reading } from '../shared/freshness';
import type { LabelSelector, NodeSelectorTerm, PodAffinityTerm } from '../shared/kubernetes/types';

/** A node, the pods on it, and what it uses. */
export interface WorkerView extends NodeView {
  /** False for nodes of the control plane, which are not counted, averaged or removed. */
  readonly worker: boolean;
  /** N of k3s-worker-N; null for nodes of other names, which are never removed. */
  readonly number: number | null;
  /** Share of its processors that is busy, 0..1. */
  readonly cpuRatio: Reading<number>;
  /** Share of its memory that is in use, 0..1. */
  readonly memoryRatio: Reading<number>;
}

/** A volume claim of a pod that waits. */
export type ClaimState =
  /** Bound; to a volume of certain nodes, if there are terms. */
  | { readonly state: 'bound'; readonly name: string; readonly terms?: readonly NodeSelectorTerm[] }
  /** Will be bound where the pod runs. */
  | { readonly state: 'waits-for-pod'; readonly name: string }
  | { readonly state: 'cannot-bind'; readonly name: string; readonly why: string };

/** A pod that its scheduler found no node for. */
export interface PendingPod {
  readonly pod: PodInfo;
  readonly claims: readonly ClaimState[];
  /** What it waits for that no new node brings (a closed scheduling gate, say), in words. */
  readonly obstacles: readonly string[];
}

/** A PodDisruptionBudget, as far as it matters here. */
export interface Budget {
  readonly namespace: string;
  readonly name: string;
  readonly selector: LabelSelector;
  readonly disruptionsAllowed: number;
}

/** Pods that run and keep others away by the same required anti-affinity: mostly those of one controller. */
export interface KeepingAway {
  readonly namespace: string;
  readonly term: PodAffinityTerm;
  /** By uid: the node of each. */
  readonly nodes: ReadonlyMap<string, string>;
}

/** What was observed. */
export interface Snapshot {
  /** Whether nodes and pods were listed completely; without it nothing is decided. */
  readonly synced: boolean;
  /** All nodes, by name. */
  readonly nodes: ReadonlyMap<string, WorkerView>;
  readonly pending: readonly PendingPod[];
  readonly budgets: readonly Budget[];
  readonly keepingAway: readonly KeepingAway[];
  /** What anyone evicted of late, since the budget of disruptions is one; undefined where that is not known. */
  readonly evictions: readonly Eviction[] | undefined;
  /** When it last grew and shrank, ms since 1970; 0 for never. */
  readonly scaledUpAtMs: number;
  readonly scaledDownAtMs: number;
  /** Workers that are being added: their names. */
  readonly adding: ReadonlySet<string>;
  /** Workers that are being removed. */
  readonly removing: ReadonlySet<string>;
}

/** Share of all workers' CPU or memory that is in use. What is unknown may be anything, so it is a range. */
export interface Usage {
  /** As if nodes without a reading used nothing, 0..1. */
  readonly leastRatio: number;
  /** As if they used all they have, 0..1. */
  readonly mostRatio: number;
  /** Workers without a fresh reading. */
  readonly unknown: number;
}

/** A pod that waits and does not make it grow. */
export interface PassedOver {
  readonly pod: string;
  readonly why: string;
}

/** A node that might have been removed, and why it is not. */
export interface Kept {
  readonly node: string;
  readonly why: string;
}

/** What a decision rests on, as it was seen. */
export interface Evidence {
  /** Workers, with those that are being added and without those that are being removed. */
  readonly workers: number;
  readonly adding: number;
  readonly removing: number;
  /** Pods that a new node would take. */
  readonly pending: number;
  readonly cpu: Usage;
  readonly memory: Usage;
  readonly passedOver: readonly PassedOver[];
  readonly kept: readonly Kept[];
}

/** Why it grows. */
export type UpTrigger = 'minimum' | 'pending' | 'usage';

/** What to do, and why. */
export type Decision = {
  readonly atMs: number;
  readonly reason: string;
  readonly evidence: Evidence;
} & (
  | { readonly kind: 'up'; readonly trigger: UpTrigger; readonly count: number }
  /** Nodes by name, the last that came first. */
  | { readonly kind: 'down'; readonly nodes: readonly string[] }
  | { readonly kind: 'hold' }
);

export type WorkerStatus = 'ready' | 'not-ready' | 'draining';

/** What is kept of a worker in Redis and MongoDB. */
export interface WorkerRecord {
  /** Of the container and of the node: k3s-worker-N. */
  readonly name: string;
  readonly number: number;
  readonly permanent: boolean;
  readonly status: WorkerStatus;
  readonly createdAtMs: number;
}

/** One thing that happened, for people and for the history. */
export interface ScalingEvent {
  /** Unique; the same event written twice is one. */
  readonly id: string;
  readonly kind: 'scale_up' | 'scale_down' | 'reconciliation';
  readonly outcome: 'done' | 'undone' | 'failed';
  readonly worker: string;
  readonly reason: string;
  readonly atMs: number;
}

/** Steps of adding a worker, in order. */
export const UP_STEPS = ['create', 'register', 'ready', 'record', 'cooldown'] as const;
/** Steps of removing one, in order. Up to `drain` it is undone if it fails; after that it is finished. */
export const DOWN_STEPS = [
  'cordon',
  'drain',
  'remove-container',
  'node-gone',
  'node-password',
  'record',
  'cooldown',
] as const;
export type UpStep = (typeof UP_STEPS)[number];
export type DownStep = (typeof DOWN_STEPS)[number];

/** An operation as the journal keeps it: the step is written before anything of it is done. */
export type Operation = {
  readonly id: string;
  readonly worker: string;
  readonly number: number;
  readonly reason: string;
  readonly startedAtMs: number;
  /** Set once it is to be undone: why. */
  readonly undoing?: string;
} & (
  | { readonly kind: 'up'; readonly step: UpStep }
  | {
      readonly kind: 'down';
      readonly step: DownStep;
      /** When the step began. */
      readonly stepAtMs: number;
      /** Whether the node was cordoned before: then it stays so when the operation is undone. */
      readonly wasCordoned: boolean;
    }
);
export type UpOperation = Extract<Operation, { kind: 'up' }>;
export type DownOperation = Extract<Operation, { kind: 'down' }>;
