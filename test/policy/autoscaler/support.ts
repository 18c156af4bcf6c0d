import { Fleet } from '../../../runtime/autoscaler/state/fleet';
import { scalingSettings, type ScalingSettings } from '../../../runtime/autoscaler/settings';
import type { PendingPod, Snapshot } from '../../../runtime/autoscaler/types';
import type { NodeInfo, PodInfo } from '../../../runtime/cpu-scheduler/types';
import type { Reading } from '../../../runtime/shared/freshness';
import { parseSettings } from '../../../runtime/shared/settings';
import { node, NOW_MS, pod } from '../cpu-scheduler/support';

export { NOW_MS };

/** The defaults, with some changed by the names of the environment. */
export const settings = (env: Readonly<Record<string, string>> = {}): ScalingSettings =>
  parseSettings(scalingSettings, env);

const known = (value: number): Reading<number> => ({ state: 'known', value, takenAtMs: NOW_MS });

/** A worker k3s-worker-N of 4 processors, 8 GiB and 110 pods. */
export const worker = (number: number, options: Parameters<typeof node>[1] = {}): NodeInfo => {
  const name = `k3s-worker-${number}`;
  return node(name, { ...options, labels: { 'kubernetes.io/hostname': name, ...options.labels } });
};

/** A pod of a ReplicaSet, bound to a node. */
export function bound(
  name: string,
  on: number,
  options: Parameters<typeof pod>[0] & { owner?: string | null } = {},
): PodInfo {
  const { owner = 'ReplicaSet', cpu = '100m', ...rest } = options;
  return pod({
    ...rest,
    name,
    spec: {
      containers: [{ name: 'main', resources: { requests: { cpu } } }],
      ...rest.spec,
      nodeName: `k3s-worker-${on}`,
    },
    metadata: {
      ...rest.metadata,
      ...(owner !== null && {
        ownerReferences: [
          { apiVersion: 'v1', kind: owner, name: 'owner', uid: `${owner}-uid`, controller: true },
        ],
      }),
    },
  });
}

/** A pod that waits. */
export const waiting = (
  options: Parameters<typeof pod>[0] = {},
  more: Partial<PendingPod> = {},
): PendingPod => ({ pod: pod({ cpu: '1', ...options }), claims: [], obstacles: [], ...more });

/** What is observed of these workers and pods; use is 10 % of each unless told otherwise. */
export function snapshot(
  options: {
    workers?: readonly (number | NodeInfo)[];
    pods?: readonly PodInfo[];
    cpu?: number | null;
    memory?: number | null;
  } & Partial<Omit<Snapshot, 'nodes'>> = {},
): Snapshot {
  const { workers = [1, 2, 3], pods = [], cpu = 0.1, memory = 0.1, ...rest } = options;
  const fleet = new Fleet();
  for (const one of workers) {
    const info = typeof one === 'number' ? worker(one) : one;
    fleet.setNode(info);
    const reading = (ratio: number | null): Reading<number> =>
      ratio === null ? { state: 'unknown', why: 'test' } : known(ratio);
    fleet.setUsage(info.name, reading(cpu), reading(memory));
  }
  for (const one of pods) fleet.setPod(one);
  return {
    ...{ synced: true, nodes: fleet.nodes, pending: [], budgets: [], evictions: [] },
    ...{ keepingAway: fleet.keepingAway, scaledUpAtMs: 0, scaledDownAtMs: 0 },
    ...{ adding: new Set<string>(), removing: new Set<string>() },
    ...rest,
  };
}
