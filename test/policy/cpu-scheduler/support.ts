import { projectNode, projectPod } from '../../../runtime/cpu-scheduler/adapters/project';
import { Cluster } from '../../../runtime/cpu-scheduler/loop/cluster';
import type { FilterContext, NodeInfo, PodInfo } from '../../../runtime/cpu-scheduler/types';
import type { Node, ObjectMeta, Pod, PodSpec } from '../../../runtime/shared/kubernetes/types';

export const NOW_MS = Date.parse('2026-01-01T12:00:00Z');

export const SETTINGS = {
  cpuThreshold: 0.9,
  nearTieWidthRatio: 0.05,
  readingMaxAgeMs: 30_000,
  defaultPodCpuMillis: 100,
  placementSettleMs: 15_000,
  podStartLimitMs: 120_000,
  offloadMinAgeMs: 60_000,
  offloadMaxPerCycle: 2,
  offloadMaxPerNode: 1,
  offloadCooldownMs: 600_000,
  offloadAvoidMs: 600_000,
};

export const NO_CONTEXT: FilterContext = { keepAways: [], leftNodes: new Set() };

const fail = (what: string, error: unknown): never => {
  throw new Error(what, { cause: error });
};

/** A pod as the API server gives it, projected as the watch does. */
export function pod(
  options: {
    name?: string;
    spec?: Partial<PodSpec>;
    metadata?: Partial<ObjectMeta>;
    status?: Pod['status'];
    cpu?: string;
  } = {},
): PodInfo {
  const name = options.name ?? 'pod';
  const requests = options.cpu === undefined ? {} : { requests: { cpu: options.cpu } };
  const raw: Pod = {
    metadata: { name, namespace: 'ns', uid: `uid-${name}`, ...options.metadata },
    spec: { containers: [{ name: 'main', resources: requests }], ...options.spec },
    ...(options.status && { status: options.status }),
  };
  return projectPod(raw, fail);
}

/** A Ready node of 4 processors, 8 GiB and 110 pods. */
export function node(
  name: string,
  options: {
    labels?: Record<string, string>;
    spec?: Node['spec'];
    allocatable?: Record<string, string>;
    ready?: boolean;
    addresses?: { type: string; address: string }[];
  } = {},
): NodeInfo {
  return projectNode(
    {
      metadata: { name, uid: `uid-${name}`, labels: options.labels ?? {} },
      ...(options.spec && { spec: options.spec }),
      status: {
        allocatable: { cpu: '4', memory: '8Gi', pods: '110', ...options.allocatable },
        conditions: [{ type: 'Ready', status: (options.ready ?? true) ? 'True' : 'False' }],
        addresses: options.addresses ?? [],
      },
    },
    fail,
  );
}

/** A cluster of these nodes; a ratio given is a reading taken now. */
export function cluster(
  nodes: readonly (readonly [NodeInfo, number?])[],
  settings = SETTINGS,
): Cluster {
  const made = new Cluster(settings);
  for (const [info] of nodes) made.setNode(info, NOW_MS);
  const readings = nodes.flatMap(([{ name }, cpuRatio]) =>
    cpuRatio === undefined ? [] : [[name, { cpuRatio, takenAtMs: NOW_MS }] as const],
  );
  made.refresh(new Map(readings), NOW_MS);
  return made;
}
