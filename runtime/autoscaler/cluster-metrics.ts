import { seenAt, type Reading } from '../shared/freshness';
import type { MetricsFactory } from '../shared/metrics';
import type { Observed } from './loop';
import type { ScalingSettings } from './settings';
import type { WorkerView } from './types';

/** What is shown of the cluster, asked anew whenever somebody reads the metrics. */
export interface ClusterMetricsParts {
  readonly settings: Pick<ScalingSettings, 'minNodes' | 'maxNodes' | 'readingMaxAgeMs'>;
  /** Answers from memory. */
  observe(): Pick<Observed, 'nodes' | 'pending'>;
  nowMs(): number;
}

/**
 * Metrics of each worker, so that dashboards show what decisions rest on, whatever else Prometheus scrapes. A node
 * without a fresh reading has no usage, rather than 0. Nodes of the control plane are left out.
 */
export function addClusterMetrics(
  { gauge }: Pick<MetricsFactory, 'gauge'>,
  { settings, observe, nowMs }: ClusterMetricsParts,
): void {
  const perNode = (name: string, help: string, of: (node: WorkerView) => number | undefined) => {
    const made = gauge(`node_${name}`, help, ['node'], () => {
      made.reset();
      for (const view of observe().nodes.values()) {
        const value = view.worker ? of(view) : undefined;
        if (value !== undefined) made.set({ node: view.info.name }, value);
      }
    });
  };
  const fresh = (reading: Reading<number>): number | undefined => {
    const seen = seenAt(reading, nowMs(), settings.readingMaxAgeMs);
    return seen.state === 'fresh' ? seen.value : undefined;
  };
  perNode('ready', '1 for a worker that is Ready, 0 for others', ({ info }) => Number(info.ready));
  perNode('cpu_usage_ratio', 'Used share of its CPU, 0..1', (node) => fresh(node.cpuRatio));
  perNode('memory_usage_ratio', 'Used share of its memory, 0..1', (node) =>
    fresh(node.memoryRatio),
  );
  perNode('cpu_allocatable_cores', 'CPU that pods may request', ({ info }) =>
    cores(info.allocatable.cpuMillis),
  );
  perNode('cpu_requested_cores', 'CPU that its pods request', ({ requested }) =>
    cores(requested.cpuMillis),
  );
  perNode(
    'memory_allocatable_bytes',
    'Memory that pods may request',
    ({ info }) => info.allocatable.memoryBytes,
  );
  perNode(
    'memory_requested_bytes',
    'Memory that its pods request',
    ({ requested }) => requested.memoryBytes,
  );
  perNode('pods_allocatable', 'Pods that it takes at most', ({ info }) => info.allocatablePods);
  perNode('pods', 'Pods that are bound to it and have not ended', ({ podCount }) => podCount);
  const waiting = gauge(
    'unschedulable_pods',
    'Pods for which a scheduler has found no node, with those that no new node would take',
    [],
    (): void => waiting.set(observe().pending.length),
  );
  gauge('min_nodes', 'Fewest workers (min_nodes)').set(settings.minNodes);
  gauge('max_nodes', 'Most workers (max_nodes)').set(settings.maxNodes);
}

const cores = (millis: number): number => millis / 1000;
