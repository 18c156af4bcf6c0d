import type { Reading } from '../shared/freshness';
import type { PodRef } from '../shared/kubernetes/evictor';
import type {
  NodeSelectorTerm,
  PodAffinityTerm,
  PreferredSchedulingTerm,
  Taint,
  Toleration,
} from '../shared/kubernetes/types';

export type { Eviction } from '../shared/disruptions/types';
export type { PodRef };

/** Amounts of what a node has and pods ask for. */
export interface Resources {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly ephemeralStorageBytes: number;
  /** Extended resources and huge pages, in whole units. */
  readonly others: ReadonlyMap<string, number>;
}

/** A port of the node that a pod takes. */
export interface HostPort {
  /** `0.0.0.0` means all addresses of the node. */
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

/** A node as the policies see it. */
export interface NodeInfo {
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly unschedulable: boolean;
  readonly ready: boolean;
  readonly internalIps: readonly string[];
  readonly hostnames: readonly string[];
  readonly allocatable: Resources;
  readonly allocatablePods: number;
}

/** What was known of a node when a pod was placed there, as text. */
export interface Placement {
  readonly nodeCpuRatio: string;
  readonly effectiveCpuRatio: string;
  readonly readingAgeMs: string;
}

/** The controller that made a pod. */
export interface Owner {
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** A pod as the policies see it. */
export interface PodInfo {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly schedulerName: string;
  readonly priority: number;
  readonly createdAtMs: number;
  readonly deleting: boolean;
  readonly phase: string;
  /** Where it is bound; undefined while it waits. */
  readonly nodeName?: string | undefined;
  readonly boundAtMs?: number | undefined;
  /** When its containers began to run; undefined before. */
  readonly startedAtMs?: number | undefined;
  /** Whether this scheduler placed it, which its annotations say. */
  readonly placedHere: boolean;
  /** What its annotations say about its node when it was chosen. */
  readonly placement?: Placement | undefined;
  readonly owner?: Owner | undefined;
  readonly requests: Resources;
  readonly hostPorts: readonly HostPort[];
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** Required node affinity: one of these terms has to match; undefined means none is asked for. */
  readonly requiredTerms?: readonly NodeSelectorTerm[];
  readonly preferredTerms: readonly PreferredSchedulingTerm[];
  readonly tolerations: readonly Toleration[];
  /** Required anti-affinity, which keeps other pods away from this one. */
  readonly antiAffinity: readonly PodAffinityTerm[];
  /** What it needs that this scheduler does not handle, each in words. */
  readonly unhandled: readonly string[];
  /** Equal for pods that fit the same nodes: a verdict about one holds for the other. */
  readonly schedulingClass: string;
}

/** A node, what is on it, and how busy it is: what a decision about it rests on. */
export interface NodeView {
  readonly info: NodeInfo;
  /** Sum of the requests of the pods bound, just bound, and reserved for. */
  readonly requested: Resources;
  readonly podCount: number;
  readonly hostPorts: readonly HostPort[];
  readonly reading: Reading<number>;
  /** The reading before that one, for looking at two running. */
  readonly previousReading: Reading<number>;
  /** Estimated CPU, as a ratio of the node's, of the pods that the reading does not show yet. */
  readonly unseenCpuRatio: number;
  /** Estimated CPU of all its pods by what they request, as a ratio of the node's. */
  readonly requestedCpuRatio: number;
  readonly pods: Iterable<PodInfo>;
}

/** What keeps other pods away from a node or a group of nodes: an existing pod's required anti-affinity. */
export interface KeepAway {
  readonly namespace: string;
  readonly term: PodAffinityTerm;
  /** Value of the term's topology key on the node that pod runs on. */
  readonly topologyValue: string;
}

/** What filters look at beside the pod and the node. */
export interface FilterContext {
  readonly keepAways: readonly KeepAway[];
  /** Nodes the pod must not go back to, by name. */
  readonly leftNodes: ReadonlySet<string>;
}

/** Why a node is out. */
export interface Rejection {
  /** Name of the rule. */
  readonly rule: string;
  /** In kube-scheduler's words; more than one only for resources. */
  readonly reasons: readonly string[];
}

/** How busy a node is taken to be. */
export type CpuView =
  | {
      readonly basis: 'measured';
      readonly cpuRatio: number;
      readonly readingAgeMs: number;
      readonly unseenCpuRatio: number;
      readonly effectiveCpuRatio: number;
    }
  | {
      readonly basis: 'requested';
      /** Why there is no reading that counts. */
      readonly why: string;
      readonly effectiveCpuRatio: number;
    };

/** One node in an explanation. */
export interface NodeVerdict {
  readonly node: string;
  readonly cpu: CpuView;
  /** 0..1: share of the pod's preferred affinity weights that the node matches. */
  readonly preference: number;
  /** Lower is better. */
  readonly rank: number;
  readonly rejected?: Rejection;
}

/** What to do with a pod, and why. */
export type Decision =
  | {
      readonly kind: 'bind';
      readonly pod: PodRef;
      readonly chosen: NodeVerdict;
      /** Nodes that were looked at, best first, before the choice was certain. */
      readonly looked: number;
      readonly reason: string;
    }
  | {
      readonly kind: 'wait';
      readonly pod: PodRef;
      /** As in kube-scheduler's FailedScheduling. */
      readonly message: string;
      /** How many nodes each reason excludes. */
      readonly reasons: Readonly<Record<string, number>>;
    };

/** A pod to evict, and where its replacement has room. */
export interface OffloadDecision {
  readonly pod: PodInfo;
  readonly node: string;
  readonly nodeCpuRatio: number;
  readonly target: string;
  readonly targetEffectiveCpuRatio: number;
  readonly reason: string;
}
