import { createMetrics, type MetricsFactory } from '../shared/metrics';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Every metric of the service; README.md lists them. */
export function cpuSchedulerMetrics(factory: MetricsFactory = createMetrics('cpu_scheduler')) {
  return {
    registry: factory.registry,
    leader: factory.gauge('leader', '1 while this replica holds the Lease'),
    nodes: factory.gauge('nodes', 'Nodes known'),
    pendingPods: factory.gauge('pending_pods', 'Pods that wait for this scheduler'),
    inFlight: factory.gauge('bindings_in_flight', 'Bindings that were sent and not answered'),
    bound: factory.counter('pods_bound_total', 'Pods bound, by what CPU was known by', ['basis']),
    bindFailures: factory.counter('binding_failures_total', 'Bindings that failed, by kind', [
      'kind',
    ]),
    unschedulable: factory.counter('unschedulable_total', 'Tries of a pod that fitted nowhere'),
    decisionSeconds: factory.histogram(
      'decision_seconds',
      'Time to choose a node',
      [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1],
    ),
    bindSeconds: factory.histogram(
      'binding_seconds',
      'Time from sending a binding to its answer',
      SECONDS,
    ),
    waitSeconds: factory.histogram(
      'pod_wait_seconds',
      'Time from first seeing a pod to having bound it',
      SECONDS,
    ),
    readings: factory.gauge('readings', 'Nodes by state of their CPU reading', ['state']),
    nodeCpu: factory.gauge('node_cpu_ratio', 'Measured CPU of a node, 0..1; absent when unknown', [
      'node',
    ]),
    pollFailures: factory.counter(
      'reading_failures_total',
      'Looks at Prometheus that failed, by kind',
      ['kind'],
    ),
    unmapped: factory.gauge(
      'unmapped_instances',
      'Instances in the last answer that are no known node',
    ),
    invalid: factory.gauge('invalid_series', 'Series in the last answer with no ratio or no time'),
    fallback: factory.gauge('fallback_active', '1 while no node has a fresh CPU reading'),
    evictions: factory.counter('evictions_total', 'Evictions, by outcome', ['outcome']),
    eventsDropped: factory.counter(
      'events_dropped_total',
      'Events that were not written, by cause',
      ['cause'],
    ),
  };
}

/** The metrics of the service. */
export type CpuSchedulerMetrics = ReturnType<typeof cpuSchedulerMetrics>;
