import type { DockerClusterConfig, NodeConfig, PostureConfig } from './config-schema';

/** Number of posture analyzers, and so of jobs and of images. */
export const ANALYZER_COUNT = 10;

/** Names of the analyzer apps: `pi1`, `pi1-1` … `pi1-9`. They are the build argument APP. */
export const ANALYZER_APPS: readonly string[] = Array.from(
  { length: ANALYZER_COUNT },
  (_, index) => (index === 0 ? 'pi1' : `pi1-${index}`),
);

/** Labels of every analyzer's pod. */
export const ANALYZER_LABELS = { app: 'posture' } as const;

export const NAMESPACES = {
  posture: 'posture',
  system: 'berth-system',
  probers: 'berth-probers',
  hello: 'hello',
} as const;
/** Name of the k3s server's node in a Docker cluster. */
export const SERVER_NODE_NAME = 'server';
export const CPU_SCHEDULER_NAME = 'cpu-scheduler';
/** `schedulerName` of pods that go where the latency is low. */
export const LATENCY_SCHEDULER_NAME = 'latency-aware-scheduler';
export const LATENCY_EXTENDER_NAME = 'latency-extender';
export const AUTOSCALER_NAME = 'autoscaler';
export const DOCKER_SOCKET_PROXY_NAME = 'docker-socket-proxy';

export const NODE_CONTROLLER_NAME = 'posture-node-controller';
export const EXTERNAL_SCALER_NAME = 'posture-external-scaler';
/** Port of the external scaler's gRPC service. */
export const EXTERNAL_SCALER_PORT = 8080;
/** Where KEDA finds the external scaler. */
export const EXTERNAL_SCALER_ADDRESS = `${EXTERNAL_SCALER_NAME}.${NAMESPACES.posture}.svc.cluster.local:${EXTERNAL_SCALER_PORT}`;
/** Metric of the node controller and of every trigger: how many nodes may take an analyzer. */
export const AVAILABLE_NODES_METRIC = 'available_node_count_30s';
/** ConfigMap in namespace posture whose PROM_URL says where Prometheus is. */
export const PROMETHEUS_CONFIG_NAME = 'prometheus-config';
export const ELIGIBLE_LABEL = 'posture/eligible';
/** On each node that may take an analyzer now, set by the node controller: 1 for the least busy. */
export const RANK_LABEL = 'posture/rank';
/** On plain Jobs that the node controller releases. */
export const QUEUE_LABEL = 'posture/queue';

/** Name of the Job of an analyzer app. */
export const postureJobName = (app: string): string => `posture-${app}`;

/** Name of the ScaledJob (or queued Job) of the analyzer app at an index (0..9). */
export const queuedAnalyzerName = (index: number): string => `posture-analyzer-job-${index}`;

/** Labels that a node's configuration stands for: slot, eligibility and the operator's own. */
export function nodeLabels(node: NodeConfig): Record<string, string> {
  return {
    ...node.labels,
    ...(node.eligible ? { [ELIGIBLE_LABEL]: 'true' } : {}),
    ...(node.slot === undefined ? {} : { 'posture/slot': `slot-${node.slot}` }),
  };
}

/** Weight (1..100) with which work prefers a slot (1..10): 100 for slot 1, 10 less for each further one. */
export const slotWeight = (slot: number): number => 110 - 10 * slot;

/** A term of a node affinity: the label has one of the values. */
const oneOf = (key: string, values: readonly string[]) => ({
  matchExpressions: [{ key, operator: 'In', values: [...values] }],
});

/** Prefers slot 1 with weight 100, slot 2 with 90 … slot 10 with 10. */
const preferredSlots = () =>
  Array.from({ length: 10 }, (_, index) => ({
    weight: slotWeight(index + 1),
    preference: oneOf('posture/slot', [`slot-${index + 1}`]),
  }));

/** Node affinity of the posture jobs: the devices they require, and the slots they prefer. */
export function postureAffinity(posture: PostureConfig) {
  return {
    ...(posture.devices.length === 0
      ? {}
      : {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [oneOf('device', posture.devices)],
          },
        }),
    ...(posture.preferSlots
      ? { preferredDuringSchedulingIgnoredDuringExecution: preferredSlots() }
      : {}),
  };
}

/**
 * Affinity of queued analyzers: only nodes that may take one now (eligible, and ranked by the node controller), none
 * that has an analyzer already, lower slots first.
 */
export const queuedAffinity = () => ({
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [
        {
          matchExpressions: [
            { key: ELIGIBLE_LABEL, operator: 'In', values: ['true'] },
            { key: RANK_LABEL, operator: 'Exists' },
          ],
        },
      ],
    },
    preferredDuringSchedulingIgnoredDuringExecution: preferredSlots(),
  },
  podAntiAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [
      {
        topologyKey: 'kubernetes.io/hostname',
        labelSelector: { matchLabels: { ...ANALYZER_LABELS } },
      },
    ],
  },
});

/** What services ask Prometheus about CPU: the used share of each node, and when it was scraped. */
export interface CpuQueries {
  /** Used share (0..1), one series a node, labelled `node` or `instance`. */
  readonly cpuQuery: string;
  /** Time of the newest sample (seconds since 1970), with the same labels. */
  readonly cpuTimeQuery: string;
}

/** For hosts: one minus the idle share of the processors that node-exporter reads. */
export const HOST_CPU_QUERIES: CpuQueries = {
  cpuQuery: '1 - avg by (instance, node) (irate(node_cpu_seconds_total{mode="idle"}[1m]))',
  cpuTimeQuery: 'max by (instance, node) (timestamp(node_cpu_seconds_total{mode="idle"}))',
};

/** A Docker node's own cgroup, as its kubelet reports it: `/` in a private namespace, in the host's the container's path. */
const dockerCgroup = (cgroupnsMode: DockerClusterConfig['cgroupnsMode']): string =>
  cgroupnsMode === 'private' ? 'id="/"' : 'id=~"/([^/]+/)?[0-9a-f]{64}"';

/**
 * For Docker nodes, as a share of the container's CPU limit. Docker nodes share one machine, whose processors
 * node-exporter would report for each of them; so the usage is that of the node's own cgroup.
 */
export function dockerCpuQueries(cgroupnsMode: DockerClusterConfig['cgroupnsMode']): CpuQueries {
  const id = dockerCgroup(cgroupnsMode);
  return {
    cpuQuery:
      `sum by (node) (irate(container_cpu_usage_seconds_total{${id}}[1m]))` +
      ` / sum by (node) (container_spec_cpu_quota{${id}} / container_spec_cpu_period{${id}})`,
    cpuTimeQuery: `max by (node) (timestamp(container_cpu_usage_seconds_total{${id}}))`,
  };
}

/** What the autoscaler asks Prometheus about memory: the used share of each node, and when it was scraped. */
export interface MemoryQueries {
  /** Used share (0..1), one series a node, labelled `node` or `instance`. */
  readonly memoryQuery: string;
  /** Time of the newest sample (seconds since 1970), with the same labels. */
  readonly memoryTimeQuery: string;
}

/** For Docker nodes, as a share of the container's memory limit, like {@link dockerCpuQueries}. */
export function dockerMemoryQueries(
  cgroupnsMode: DockerClusterConfig['cgroupnsMode'],
): MemoryQueries {
  const id = dockerCgroup(cgroupnsMode);
  return {
    memoryQuery:
      `sum by (node) (container_memory_working_set_bytes{${id}})` +
      ` / sum by (node) (container_spec_memory_limit_bytes{${id}})`,
    memoryTimeQuery: `max by (node) (timestamp(container_memory_working_set_bytes{${id}}))`,
  };
}

/**
 * What the kubelet of a Docker node must keep back so that its allocatable CPU and memory are the
 * container's limits: the kubelet sees the whole machine. Nothing, where the machine's size is not configured.
 */
export function systemReserved(
  docker: DockerClusterConfig,
  size: { readonly cpus: number; readonly memoryMb: number },
): string | undefined {
  const parts: string[] = [];
  if (docker.hostCpus !== undefined && docker.hostCpus > size.cpus)
    parts.push(`cpu=${Math.round((docker.hostCpus - size.cpus) * 1000)}m`);
  if (docker.hostMemoryMb !== undefined && docker.hostMemoryMb > size.memoryMb)
    parts.push(`memory=${docker.hostMemoryMb - size.memoryMb}Mi`);
  return parts.length === 0 ? undefined : parts.join(',');
}
