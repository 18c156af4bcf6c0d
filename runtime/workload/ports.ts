import type { ThreadResult, ThreadTask } from './types';

/** Computes beside the thread that answers requests. */
export interface Computer {
  /** Tasks that wait for a thread. */
  readonly waiting: number;
  /** Does a task; an aborted one that still waits is dropped. @throws when its thread died or the signal aborted. */
  run(task: Omit<ThreadTask, 'id'>, signal: AbortSignal): Promise<ThreadResult>;
  /** False when a thread died and no other could be started. */
  readonly healthy: boolean;
  close(): Promise<void>;
}
