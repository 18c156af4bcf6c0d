import type { ScalingEvent } from '../types';

/** What each event carries. */
export interface EventData {
  /** All four sources were compared and mended. */
  readonly ClusterStateSynced: { readonly atMs: number; readonly fixed: number };
  /** A worker is not Ready. */
  readonly NodeHealthDegraded: { readonly node: string; readonly why: string };
  /** Nothing has to change: what would only swing back and forth is not begun. */
  readonly OptimalStateTrigger: { readonly atMs: number; readonly workers: number };
  /** Pods wait that a new node would take. */
  readonly PendingPodsDetected: { readonly atMs: number; readonly pods: number };
  /** A worker was added or removed, or neither after all. */
  readonly ScalingCompleted: ScalingEvent;
  /** There are fewer workers than min_nodes. */
  readonly MinimumNodeEnforcement: { readonly workers: number; readonly minNodes: number };
}

export type EventName = keyof EventData;
export const EVENT_NAMES = [
  'ClusterStateSynced',
  'NodeHealthDegraded',
  'OptimalStateTrigger',
  'PendingPodsDetected',
  'ScalingCompleted',
  'MinimumNodeEnforcement',
] as const satisfies readonly EventName[];

/** Takes one kind of event. What it throws makes it be called again. */
export type EventHandler<N extends EventName> = (data: EventData[N]) => void | Promise<void>;

/** How the bus is. */
export interface BusHealth {
  readonly state: 'starting' | 'healthy' | 'degraded';
  /** Events whose handlers have not ended. */
  readonly inFlight: number;
  readonly published: number;
  /** Handlers that failed in the end, after every retry. */
  readonly failed: number;
  readonly lastFailure?: string;
}
