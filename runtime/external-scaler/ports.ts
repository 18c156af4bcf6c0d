import type { ObservedNode } from '../node-availability/types';
import type { Reading } from '../shared/freshness';
import type { ControllerVerdict, JobInfo, PodInfo, ScaledJobInfo } from './types';

/** Takes what a ClusterWatch sees. */
export interface ClusterSink {
  setNode(node: ObservedNode): void;
  removeNode(name: string): void;
  setPod(pod: PodInfo): void;
  removePod(uid: string): void;
  setJob(job: JobInfo): void;
  removeJob(uid: string): void;
  setScaledJob(scaledJob: ScaledJobInfo): void;
  removeScaledJob(scaledJob: ScaledJobInfo): void;
}

/** Follows nodes, and the ScaledJobs, Jobs and analyzer pods of one namespace. */
export interface ClusterWatch {
  /** Follows until the signal aborts; calls the sink synchronously, in order. */
  run(sink: ClusterSink, signal: AbortSignal): Promise<void>;
  /** Whether everything was listed once. */
  readonly synced: boolean;
  /** Milliseconds since the API server last said something on the watch that has been silent longest. */
  readonly silentMs: number;
}

/** CPU of the nodes, from memory. */
export interface CpuSource {
  reading(node: string): Reading<number>;
  /** What is wrong with it. */
  readonly problem: string | undefined;
}

/** What the node-controller last said, and how long ago that was new. */
export interface ControllerWord {
  readonly ageMs: number;
  readonly nodes: ReadonlyMap<string, ControllerVerdict>;
}

/** The node-controller, from memory. */
export interface ControllerSource {
  /** undefined before it ever answered. */
  last(): ControllerWord | undefined;
  readonly problem: string | undefined;
}
