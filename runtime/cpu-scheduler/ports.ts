import type { NodeInfo, PodInfo, PodRef } from './types';

export type { Disruptions } from '../shared/disruptions/types';
export type { EvictOutcome, Evictor } from '../shared/kubernetes/evictor';

/** What became of a binding. */
export type BindOutcome =
  | { readonly kind: 'bound' }
  /** The pod is gone, is another one by now, or ended. */
  | { readonly kind: 'gone' }
  /** Someone else bound it. */
  | { readonly kind: 'taken'; readonly node: string }
  /** It is certain that it is not bound; try again. */
  | { readonly kind: 'retry'; readonly message: string; readonly afterMs?: number }
  /** It may or may not be bound: look again before doing anything else with it. */
  | { readonly kind: 'unknown'; readonly message: string };

/** Binds pods. */
export interface Binder {
  /** Binds a pod to a node and sets its annotations in one write, if the pod still is the one with this uid. */
  bind(
    pod: PodRef,
    node: string,
    annotations: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<BindOutcome>;
  /** What became of a binding whose outcome was unknown; `retry` when the pod is not bound. */
  look(pod: PodRef, node: string): Promise<BindOutcome>;
}

/** Whether this may act. */
export interface Leadership {
  isLeader(): boolean;
}

/** Tells the user what happened, beside the pod. */
export interface Notices {
  scheduled(pod: PodRef, node: string): void;
  failedScheduling(pod: PodRef, message: string): void;
  /** The pod was placed by requested CPU, since no reading was known. */
  readingsUnknown(pod: PodRef, node: string): void;
  offloaded(pod: PodRef, message: string): void;
}

/** Follows nodes and pods. */
export interface ClusterWatch {
  /** Follows until the signal aborts; calls the sink synchronously, in order. */
  run(sink: ClusterSink, signal: AbortSignal): Promise<void>;
  /** Whether everything was listed once. */
  readonly synced: boolean;
}

/** Takes what a ClusterWatch sees. */
export interface ClusterSink {
  setNode(node: NodeInfo): void;
  removeNode(node: NodeInfo): void;
  /** A pod that waits for this scheduler. */
  setPending(pod: PodInfo): void;
  removePending(pod: PodInfo): void;
  /** A pod that is bound to a node and has not ended. */
  setBound(pod: PodInfo): void;
  removeBound(pod: PodInfo): void;
}
