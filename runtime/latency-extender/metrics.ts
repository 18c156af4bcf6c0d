import { createMetrics, type MetricsFactory } from '../shared/metrics';

/** Every metric of the service; README.md lists them. */
export function latencyExtenderMetrics(
  factory: MetricsFactory = createMetrics('latency_extender'),
) {
  return {
    registry: factory.registry,
    requestSeconds: factory.histogram(
      'request_seconds',
      'Time to answer kube-scheduler, from the whole body being there',
      [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5],
      ['verb'],
    ),
    badRequests: factory.counter('bad_requests_total', 'Requests refused, by HTTP status', [
      'status',
    ]),
    nodes: factory.gauge('nodes', 'Nodes with a prober: in, or out by which rule', ['state']),
    target: factory.gauge('target_info', 'The node that latency is counted to; absent: none', [
      'node',
    ]),
    nothingFresh: factory.gauge('nothing_fresh', '1 while no node has a fresh probe'),
    placements: factory.gauge('placements', 'Pods placed that readings do not show yet'),
    probes: factory.counter('prober_requests_total', 'Questions to probers, by outcome', [
      'outcome',
    ]),
    trafficFailures: factory.counter(
      'traffic_failures_total',
      'Questions to Prometheus that failed, by kind',
      ['kind'],
    ),
    eventsDropped: factory.counter(
      'events_dropped_total',
      'Events that were not written, by cause',
      ['cause'],
    ),
  };
}

/** The metrics of the service. */
export type LatencyExtenderMetrics = ReturnType<typeof latencyExtenderMetrics>;
