import { Gauge } from 'prom-client';
import { createMetrics, type MetricsFactory } from '../shared/metrics';

/** Every metric of the service; README.md lists them. */
export function nodeControllerMetrics(factory: MetricsFactory = createMetrics('node_controller')) {
  const availableNodes = new Gauge({
    // Dashboards and the trigger metadata of ScaledJobs know it by this name, without a prefix.
    name: 'available_node_count_30s',
    help: 'Nodes that may take an analyzer; absent until the first count',
    registers: [factory.registry],
  });
  // No count is not a count of zero.
  availableNodes.remove();
  return {
    registry: factory.registry,
    availableNodes,
    leader: factory.gauge('leader', '1 while this replica holds the Lease'),
    nodes: factory.gauge('nodes', 'Nodes by the first rule that says no, or available', ['state']),
    nodeCpu: factory.gauge('node_cpu_ratio', 'CPU of a node, 0..1; absent when unknown', ['node']),
    nodeRank: factory.gauge('node_rank', 'Rank of an available node, 1 the least busy', ['node']),
    cycles: factory.counter('cycles_total', 'Counts made'),
    cycleSeconds: factory.histogram(
      'cycle_seconds',
      'Time to count, rank, label and release',
      [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
    ),
    labelPatches: factory.counter('label_patches_total', 'Nodes labelled, by outcome', ['outcome']),
    readingFailures: factory.counter(
      'reading_failures_total',
      'Looks at Prometheus that failed, by kind',
      ['kind'],
    ),
    queuedJobs: factory.gauge('queued_jobs', 'Suspended Jobs that wait in the queue'),
    freeBerths: factory.gauge('free_berths', 'Free berths when Jobs were last released'),
    releases: factory.counter('job_releases_total', 'Jobs released, by outcome', ['outcome']),
  };
}

/** The metrics of the service. */
export type NodeControllerMetrics = ReturnType<typeof nodeControllerMetrics>;
