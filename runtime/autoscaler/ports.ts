import type { EvictOutcome } from '../shared/kubernetes/evictor';
import type { NodeInfo, PodInfo } from '../cpu-scheduler/types';
import type { Eviction } from '../shared/disruptions/types';
import type { Reading } from '../shared/freshness';
import type { Pod } from '../shared/kubernetes/types';
import type { EventData, EventName } from './events/types';
import type { Claim, StorageClass, Volume } from './policy/claim-state';
import type { Rule } from './policy/rules';
import type { Budget, Decision, Operation, ScalingEvent, WorkerRecord } from './types';

export type { Clock } from '../shared/clock';
export type { Disruptions } from '../shared/disruptions/types';

/** A container that runs a k3s agent and carries the autoscaler's label. */
export interface WorkerContainer {
  readonly name: string;
  readonly running: boolean;
  readonly createdAtMs: number;
  /** The operation that made it; empty for one that was there before. */
  readonly operation: string;
}

/** A container of this name was made by someone else. */
export class ContainerTaken extends Error {
  constructor(readonly container: string) {
    super(`container ${container}: it exists, and another operation made it`);
    this.name = 'ContainerTaken';
  }
}

/** Containers with k3s agents; only those with the autoscaler's label are seen or touched. */
export interface Containers {
  list(): Promise<readonly WorkerContainer[]>;
  /**
   * Makes and starts a container for an operation. One that the same operation has made before is started if it does
   * not run. @throws ContainerTaken
   */
  create(name: string, operation: string): Promise<void>;
  /** Stops and removes it with its anonymous volumes. One that is not there is no error. */
  remove(name: string): Promise<void>;
}

/** A node as the operations see it. */
export interface NodeState {
  readonly name: string;
  readonly ready: boolean;
  readonly cordoned: boolean;
  readonly controlPlane: boolean;
}

/** A pod that has to leave before its node goes. */
export interface LeavingPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Of its controller; empty when it has none. */
  readonly ownerUid: string;
  /** It is being deleted already. */
  readonly deleting: boolean;
  /** Something starts another in its place. */
  readonly controlled: boolean;
}

/** What the operations change in Kubernetes. */
export interface Cluster {
  nodes(): Promise<readonly NodeState[]>;
  node(name: string): Promise<NodeState | undefined>;
  /** A node that is not there is no error. */
  setCordoned(name: string, cordoned: boolean): Promise<void>;
  /** Pods on a node that have to leave: not those that ended, of a DaemonSet, or of a file on the node. */
  leavingPods(node: string): Promise<readonly LeavingPod[]>;
  evict(pod: LeavingPod): Promise<EvictOutcome>;
  /** Neither of them has to exist. */
  deleteNode(name: string): Promise<void>;
  /** The secret that ties a node's name to the password of the agent that first had it. */
  deleteNodePassword(name: string): Promise<void>;
}

/** Takes what is seen of a collection; called synchronously, in order. */
export interface Followed<T> {
  set(object: T): void;
  /** An object that is gone, as it was last seen. */
  remove(object: T): void;
}

export type WatchedBudget = Budget & { readonly uid: string };
/** The record of all evictions; undefined while it is not what was written. */
export interface RecordedEvictions {
  readonly uid: string;
  readonly name: string;
  readonly evictions: readonly Eviction[] | undefined;
}

/** What decisions rest on. */
export interface ClusterSink {
  readonly nodes: Followed<NodeInfo>;
  /** Pods that are bound to a node and have not ended. */
  readonly bound: Followed<PodInfo>;
  /** Pods that are not bound. */
  readonly unbound: Followed<Pod>;
  readonly claims: Followed<Claim>;
  readonly volumes: Followed<Volume>;
  readonly classes: Followed<StorageClass>;
  readonly budgets: Followed<WatchedBudget>;
  readonly evictions: Followed<RecordedEvictions>;
}

/** Follows the cluster. */
export interface ClusterWatch {
  /** Whether everything was listed once. */
  readonly synced: boolean;
  /** Follows until the signal aborts. Never rejects. */
  run(sink: ClusterSink, signal: AbortSignal): Promise<void>;
}

/** What nodes use of something, 0..1; unknown, with the reason, where it was never read. */
export interface NodeReadings {
  /** Another whenever any reading may be. */
  readonly version: number;
  reading(node: string): Reading<number>;
}

/** What was answered to a request with a key. */
export interface KeyedAnswer {
  /** Of the body it was given for. */
  readonly fingerprint: string;
  /** Undefined while the first request is under way. */
  readonly answer?: unknown;
}

/** The state that outlives the process: Redis. */
export interface LiveState {
  /** The next number of a worker; never given twice. */
  nextNumber(): Promise<number>;
  counter(): Promise<number>;
  /** Raises the counter to this if it is lower. */
  raiseCounter(atLeast: number): Promise<void>;
  workers(): Promise<readonly WorkerRecord[]>;
  putWorker(worker: WorkerRecord): Promise<void>;
  removeWorker(name: string): Promise<void>;
  /** Writes the names of the permanent workers down, for people. */
  notePermanent(names: readonly string[]): Promise<void>;
  /** The journal, oldest first. */
  operations(): Promise<readonly Operation[]>;
  saveOperation(operation: Operation): Promise<void>;
  endOperation(id: string): Promise<void>;
  /** When it last grew or shrank, ms since 1970; 0 for never. */
  scaledAtMs(direction: 'up' | 'down'): Promise<number>;
  /** Notes that it grew or shrank; an earlier time than what is noted changes nothing. */
  noteScaled(direction: 'up' | 'down', atMs: number): Promise<void>;
  /** Adds an event to the recent ones and to those that the history has not got yet; once for each id. */
  addEvent(event: ScalingEvent): Promise<void>;
  /** The most recent first. */
  recentEvents(limit: number): Promise<readonly ScalingEvent[]>;
  /** Events that the history has not got yet, oldest first. */
  unsentEvents(limit: number): Promise<readonly ScalingEvent[]>;
  eventsSent(ids: readonly string[]): Promise<void>;
  /** Takes a key for a day; when it is taken, what it was taken with. */
  takeKey(key: string, fingerprint: string): Promise<KeyedAnswer | undefined>;
  answerKey(key: string, answer: KeyedAnswer): Promise<void>;
  /** Gives a key back, after a request that changed nothing. */
  releaseKey(key: string): Promise<void>;
}

/** Which events are asked for. */
export interface HistoryQuery {
  readonly limit: number;
  readonly sinceMs?: number | undefined;
}

/** The history and the workers' records: MongoDB. May be away; then events wait in LiveState. */
export interface History {
  /** Stores events, each id once. */
  addEvents(events: readonly ScalingEvent[]): Promise<void>;
  /** The most recent first. */
  events(query: HistoryQuery): Promise<readonly ScalingEvent[]>;
  /** Workers that have not been removed. */
  workers(): Promise<readonly WorkerRecord[]>;
  putWorker(worker: WorkerRecord): Promise<void>;
  /** The record stays, marked as removed. */
  removeWorker(name: string, atMs: number): Promise<void>;
}

/** A decision, and what it rested on, packed as `state/recorder.ts` does. */
export interface DecisionRecord {
  readonly decision: Decision;
  readonly snapshot: string;
}

/** Which decisions are asked for, by when they were made. */
export interface DecisionQuery {
  readonly limit: number;
  readonly sinceMs?: number | undefined;
  /** Only earlier ones. */
  readonly beforeMs?: number | undefined;
}

/** A rule, and what writing it down has changed. */
export type RuleChange = Rule & { readonly change: 'created' | 'updated' | 'unchanged' };

/** What people look at later: MongoDB. Nothing rests on it. */
export interface Decisions {
  /** Keeps a decision, and drops the oldest ones beyond a number. */
  add(record: DecisionRecord): Promise<void>;
  /** The most recent first. */
  list(query: DecisionQuery): Promise<readonly DecisionRecord[]>;
  /** Writes rules down; again, it changes nothing but what differs. */
  initRules(rules: readonly Rule[]): Promise<readonly RuleChange[]>;
}

/** Tells those who do something about it what was seen. */
export interface Events {
  /** Waits for the handlers, within the time limit. @throws Error when it is over, or events are not taken now */
  publish<N extends EventName>(name: N, data: EventData[N]): Promise<void>;
  /** Does not wait; never throws. */
  send<N extends EventName>(name: N, data: EventData[N]): void;
}
