import type { V1Node } from '@kubernetes/client-node';
import type { AutoscalerReport } from './autoscaler-report';
import type { ClusterObjects, Workload } from './cluster-objects';
import { jobRows, type JobRow } from './job-rows';
import type { LatencyReport } from './latency-report';
import { slotOf } from './node-slot';
import { scaledJobRows, type QueueReport, type ScaledJobRow } from './scaled-job-rows';

/** A node as `status` shows it. */
export interface NodeRow {
  readonly name: string;
  readonly ready: boolean;
  readonly eligible: boolean;
  /** 1..10, null for a node without one. */
  readonly slot: number | null;
  /** Used share of its processors (0..1), null where it is not known. */
  readonly cpuRatio: number | null;
}

/** A service as `status` shows it: ready when all the pods it wants are. */
export interface ServiceRow {
  readonly name: string;
  readonly ready: boolean;
  readonly image: string;
}

/** What `npm run status -- --json` prints. */
export interface Status {
  readonly nodes: readonly NodeRow[];
  readonly jobs: readonly JobRow[];
  readonly scaledJobs: readonly ScaledJobRow[];
  /** Null for an estate without latency-aware scheduling. */
  readonly latency: LatencyReport | null;
  /** Null for an estate without the autoscaler. */
  readonly autoscaling: AutoscalerReport | null;
  readonly services: readonly ServiceRow[];
}

/**
 * The status of an estate.
 * @param cpuRatios used share of each node whose reading is known, by node name.
 * @param report what the external scaler says.
 * @param systems what the latency extender and the autoscaler say; null for an estate without them.
 */
export function statusOf(
  cluster: ClusterObjects,
  cpuRatios: ReadonlyMap<string, number>,
  report: QueueReport,
  systems: Pick<Status, 'latency' | 'autoscaling'>,
): Status {
  return {
    nodes: cluster.nodes.map((node) => nodeRow(node, cpuRatios)).sort(byName),
    jobs: jobRows(cluster.jobs, cluster.pods),
    scaledJobs: scaledJobRows(cluster.scaledJobs, cluster, report),
    latency: systems.latency,
    autoscaling: systems.autoscaling,
    services: cluster.services.map(serviceRow).sort(byName),
  };
}

function nodeRow(node: V1Node, cpuRatios: ReadonlyMap<string, number>): NodeRow {
  const name = node.metadata?.name ?? '';
  const labels = node.metadata?.labels ?? {};
  return {
    name,
    ready: isReady(node),
    eligible: labels['posture/eligible'] === 'true',
    slot: slotOf(node),
    cpuRatio: cpuRatios.get(name) ?? null,
  };
}

function isReady(node: V1Node): boolean {
  return (node.status?.conditions ?? []).some(
    ({ type, status }) => type === 'Ready' && status === 'True',
  );
}

function serviceRow(workload: Workload): ServiceRow {
  const { spec, status = {} } = workload;
  const isDaemonSet = 'desiredNumberScheduled' in status;
  const wanted = isDaemonSet
    ? status.desiredNumberScheduled
    : ((spec && 'replicas' in spec ? spec.replicas : undefined) ?? 1);
  const ready =
    ('numberReady' in status ? status.numberReady : undefined) ??
    ('readyReplicas' in status ? status.readyReplicas : undefined) ??
    0;
  return {
    name: workload.metadata?.name ?? '',
    ready: ready >= wanted,
    image: spec?.template.spec?.containers.map(({ image }) => image ?? '').join(', ') ?? '',
  };
}

const byName = (a: { name: string }, b: { name: string }) =>
  a.name.localeCompare(b.name, 'en', { numeric: true });
