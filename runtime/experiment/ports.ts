import type { CpuRow, PlacementRow } from '../experiment-report/types';
import type { LoadResult } from './policy/load-log';
import type { TimeSpan } from './policy/cpu-rows';
import type { PodCounts } from './policy/pod-tally';

/** The workloads that are placed. */
export interface Workloads {
  /** Remembers how they are, in the cluster, so that it outlives this process. Must come before any change. */
  remember(): Promise<void>;
  /** Takes all their pods away. Resolves when none is left. */
  park(signal: AbortSignal): Promise<void>;
  /** Starts them with a scheduler. Resolves when the least number of pods of each is ready. */
  start(scheduler: string, signal: AbortSignal): Promise<void>;
  /** Makes them what they were, also before an experiment that was killed, and forgets it. */
  restore(): Promise<void>;
}

/** The load generators. */
export interface Loads {
  /**
   * Runs one load against a service to its end, and leaves nothing of it.
   * @param ended told how many requests have ended, now and then.
   */
  run(service: string, signal: AbortSignal, ended: (requests: number) => void): Promise<LoadResult>;
  /** Removes what is left of loads that were cut off. */
  clear(): Promise<void>;
}

/** What happens to pods, and what autoscalers want. */
export interface PodWatch {
  counts(): PodCounts;
  /** Replicas that each autoscaler wants, by its name. */
  desired(): Readonly<Record<string, number>>;
  placements(): PlacementRow[];
  stop(): Promise<void>;
}

/** Everything that an experiment is made with. */
export interface ExperimentPorts {
  readonly workloads: Workloads;
  readonly loads: Loads;
  /** Begins to follow pods and autoscalers. Resolves when it knows those that are there. */
  watch(signal: AbortSignal): Promise<PodWatch>;
  /** CPU of every node over a span of time. */
  readonly cpu: { range(span: TimeSpan): Promise<CpuRow[]> };
}
