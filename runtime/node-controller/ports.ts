import type { ObservedNode } from '../node-availability/types';
import type { LabelPatch, ObservedJob, Work } from './types';

/** What is watched all the time. */
export interface ClusterWatch {
  /** Whether everything was listed once. */
  readonly synced: boolean;
  nodes(): readonly ObservedNode[];
  /** Jobs that wait in the queue, as far as the watch has seen; 0 where Jobs are not watched. */
  readonly queuedJobs: number;
  /** Follows the cluster until the signal aborts; calls back on what may change a decision. Never rejects. */
  run(onChange: () => void, signal: AbortSignal): Promise<void>;
}

/**
 * `gone`: there is no such object any more. `changed`: it is not as it was when it was looked at, so nothing was done.
 * `failed`: it was refused, or the outcome is unknown.
 */
export type WriteOutcome =
  | { readonly kind: 'done' | 'gone' | 'changed' }
  | { readonly kind: 'failed'; readonly message: string };

/** Sets and takes off labels of nodes; other labels stay. Never rejects. */
export interface NodeLabels {
  patch(patch: LabelPatch, signal: AbortSignal): Promise<WriteOutcome>;
}

/** The Jobs and pods of the namespace. */
export interface Jobs {
  /** Asks the server, not the watch: a release that the watch does not show yet is seen. @throws when it cannot. */
  look(signal: AbortSignal): Promise<Work>;
  /** Unsuspends the Job, if it still is as it was looked at. Never rejects. */
  release(job: ObservedJob, signal: AbortSignal): Promise<WriteOutcome>;
}

/** Whether this replica may act right now; asked before every write. */
export interface Leadership {
  isLeader(): boolean;
}
