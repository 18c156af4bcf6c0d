import type { NodeVerdict } from '../node-availability/types';

/** CPU of a node as others may take it over, 0..1, and how long ago it was taken. */
export interface SharedReading {
  readonly cpuRatio: number;
  readonly ageMs: number;
}

/** Label that puts a suspended Job into the queue, when its value is `true`. */
export const QUEUE_LABEL = 'posture/queue';
/** What the pods of analyzers are labelled: `app=posture`. */
export const POSTURE_APP = 'posture';

/** A node as it was judged, and its rank among the available ones. */
export interface RankedVerdict extends NodeVerdict {
  /** 1 is the least busy; null where the node is not available. */
  readonly rank: number | null;
}

/** Labels of one node to set, or, with null, to take off. */
export interface LabelPatch {
  readonly node: string;
  readonly labels: Readonly<Record<string, string | null>>;
}

/** A Job as far as it matters to who may take a berth. */
export interface ObservedJob {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly createdAtMs: number;
  /** It is labelled posture/queue=true. */
  readonly queued: boolean;
  /** Its pods are labelled app=posture. */
  readonly posture: boolean;
  readonly suspended: boolean;
  readonly deleting: boolean;
  /** It is complete or has failed. */
  readonly ended: boolean;
  /** Pods that it wants to run at the same time. */
  readonly parallelism: number;
  /** Pods that must still succeed; Infinity where it does not say how many. */
  readonly remaining: number;
}

/** A pod as far as it matters to who holds a berth. */
export interface ObservedPod {
  readonly name: string;
  readonly uid: string;
  /** It is labelled app=posture. */
  readonly posture: boolean;
  /** The node it is bound to. */
  readonly nodeName?: string;
  /** It has succeeded or failed, so that it holds nothing any more. */
  readonly ended: boolean;
  /** The Job that made it. */
  readonly jobUid?: string;
}

/** The Jobs and pods of the namespace, seen at about the same time: the Jobs no later than the pods. */
export interface Work {
  readonly jobs: readonly ObservedJob[];
  readonly pods: readonly ObservedPod[];
}

/** Which Jobs to unsuspend, and why the others are not. */
export interface ReleaseDecision {
  /** Available nodes on which nothing is, less what is about to take one; before the release. */
  readonly freeBerths: number;
  /** Oldest first. */
  readonly release: readonly ObservedJob[];
  readonly waiting: readonly WaitingJob[];
}

/** A Job in the queue that is not released. */
export interface WaitingJob {
  readonly job: string;
  readonly why: string;
}

/** What the last count came to; the answer of `/last`. */
export interface LastCount {
  readonly takenAtMs: number;
  readonly availableNodeCount: number;
  readonly nodes: readonly RankedVerdict[];
  /** Whether this replica leads. */
  readonly leader: boolean;
  /** Why CPU cannot be read; null while it can. */
  readonly cpuProblem: string | null;
}
