import type { Reading } from '../../../runtime/shared/freshness';
import type { AvailabilityOptions, ObservedNode } from '../../../runtime/node-availability/types';

export const NOW_MS = Date.UTC(2026, 0, 1);

export const OPTIONS: AvailabilityOptions = {
  thresholdRatio: 0.7,
  maxAgeMs: 120_000,
  excluded: new Set(),
};

/** A node to which no rule says no. */
export const observed = (name: string, changes: Partial<ObservedNode> = {}): ObservedNode => ({
  name,
  labels: { 'posture/eligible': 'true' },
  ready: true,
  unschedulable: false,
  taints: [],
  internalIps: [],
  hostnames: [],
  ...changes,
});

/** A reading taken ageMs before NOW_MS. */
export const cpu = (value: number, ageMs = 0): Reading<number> => ({
  state: 'known',
  value,
  takenAtMs: NOW_MS - ageMs,
});
