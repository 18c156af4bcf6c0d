import type { NodeVerdict } from '../../../runtime/node-availability/types';
import type { ObservedJob, ObservedPod } from '../../../runtime/node-controller/types';

/** A node that is available, unless it says otherwise. */
export const verdict = (node: string, changes: Partial<NodeVerdict> = {}): NodeVerdict => ({
  node,
  available: true,
  slot: null,
  cpuRatio: 0.1,
  cpuAgeMs: 0,
  ...changes,
});

/** A Job that waits in the queue, unless it says otherwise. */
export const job = (name: string, changes: Partial<ObservedJob> = {}): ObservedJob => ({
  name,
  uid: `uid-${name}`,
  resourceVersion: '1',
  createdAtMs: 0,
  queued: true,
  posture: true,
  suspended: true,
  deleting: false,
  ended: false,
  parallelism: 1,
  remaining: 1,
  ...changes,
});

/** An analyzer's pod that runs nowhere yet, unless it says otherwise. */
export const pod = (name: string, changes: Partial<ObservedPod> = {}): ObservedPod => ({
  name,
  uid: `uid-${name}`,
  posture: true,
  ended: false,
  ...changes,
});
