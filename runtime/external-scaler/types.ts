import type { NodeRule, NodeVerdict, ObservedNode } from '../node-availability/types';
import type { Reading } from '../shared/freshness';

/** Whether a ScaledJob is to run again and again, or once for each of its generations. */
export type Mode = 'continuous' | 'once';

/** What a ScaledJob asks for: the settings, and what its trigger metadata says instead. */
export interface Demand {
  /** Only nodes whose CPU is below this count; 0..1. */
  readonly thresholdRatio: number;
  /** 1..10: only the node of this slot will do; null: any node. */
  readonly slot: number | null;
  readonly mode: Mode;
}

/** A ScaledJob as the API server shows it. */
export interface ScaledJobInfo {
  /** `namespace/name`. */
  readonly key: string;
  readonly uid: string;
  readonly generation: number;
  /** KEDA is told not to ask for it. */
  readonly paused: boolean;
}

/** A Job whose pods are analyzers. */
export interface JobInfo {
  readonly uid: string;
  readonly name: string;
  /** Key of the ScaledJob that KEDA made it for. */
  readonly scaledJob: string | null;
  /** Uid of that ScaledJob. */
  readonly ownerUid: string | null;
  /** Generation of that ScaledJob when it was made. */
  readonly generation: number | null;
  /** `idle`: not ended, but it makes no pods now, since it is suspended or being deleted. */
  readonly phase: 'active' | 'idle' | 'complete' | 'failed';
}

/** An analyzer's pod that has not ended. */
export interface PodInfo {
  readonly uid: string;
  /** Name of its Job. */
  readonly job: string | null;
  /** Key of the ScaledJob. */
  readonly scaledJob: string | null;
  /** Node that it is bound to. */
  readonly node: string | null;
}

/** What is known of a ScaledJob and its Jobs. */
export interface ScaledJobFacts {
  readonly generation: number;
  readonly paused: boolean;
  /** Jobs of any generation that have not ended. */
  readonly unfinishedJobs: number;
  /** Jobs ever seen; grows by one with each new one. */
  readonly jobsSeen: number;
  /** Jobs of the present generation that completed. */
  readonly completed: number;
  /** Jobs of the present generation that failed. */
  readonly failed: number;
}

/** What the node-controller said of a node. */
export type ControllerVerdict = Pick<NodeVerdict, 'available' | 'rule' | 'why'>;

/** A node and all that decides whether its berth is free. */
export interface BerthNode {
  readonly node: ObservedNode;
  readonly reading: Reading<number>;
  /** Analyzers that are bound to it and have not ended. */
  readonly runningJobs: number;
  /** undefined: the scaler counts for itself; null: the controller does not know the node. */
  readonly controller: ControllerVerdict | null | undefined;
}

/** Why a node's berth is not to be had: a rule of the node's, what the controller says, or that it is held. */
export type BerthRule = NodeRule | 'controller' | 'held';

/** Whether a node's berth is to be had. */
export interface BerthVerdict {
  readonly node: string;
  /** It is labelled posture/eligible=true. */
  readonly eligible: boolean;
  /** It may take an analyzer, if none is on it. */
  readonly available: boolean;
  /** Available, and none is on it. */
  readonly allowed: boolean;
  readonly rule?: BerthRule;
  readonly why?: string;
  readonly slot: number | null;
  readonly cpuRatio: number | null;
  readonly ageMs: number | null;
  readonly runningJobs: number;
}

/** Berths with nobody on them, of the nodes below some threshold. */
export interface FreeBerths {
  readonly count: number;
  /** How many of them have a slot, by its number. */
  readonly bySlot: ReadonlyMap<number, number>;
}

/** Counts free berths. */
export interface Berths {
  free(thresholdRatio: number): FreeBerths;
  /** No threshold has more. */
  readonly most: number;
}

/** All that a decision rests on, as it was at one moment. */
export interface World {
  /** Another one for each world. */
  readonly version: number;
  /** Why nothing may be granted at all. */
  readonly closed?: string;
  readonly berths: Berths;
  /** Berths that are taken by what has no node yet (pods not bound, Jobs without a pod), by ScaledJob; '' for none. */
  readonly claims: ReadonlyMap<string, number>;
  scaledJob(key: string): ScaledJobFacts | undefined;
}

/** What decided an answer. */
export type DecisionRule =
  | 'granted'
  | 'grant-closing'
  | 'unknown'
  | 'running'
  | 'done'
  | 'failed'
  | 'closed'
  | 'no-free-berth'
  | 'slot-not-free'
  | 'waits-its-turn';

/** The answer to a ScaledJob, and why. */
export interface Decision {
  readonly value: 0 | 1;
  readonly rule: DecisionRule;
}
