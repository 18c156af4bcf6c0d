import { createMetrics, type MetricsFactory } from '../shared/metrics';

/** Every metric of the service; README.md lists them. */
export function proberMetrics(factory: MetricsFactory = createMetrics('prober')) {
  return {
    registry: factory.registry,
    // With a label, for a gauge without one cannot be absent.
    cpu: factory.gauge('cpu_ratio', 'Smoothed CPU of this node, 0..1; absent when unknown', [
      'source',
    ]),
    latency: factory.gauge(
      'peer_latency_seconds',
      'Smoothed round trip to a peer; absent when unknown',
      ['peer'],
    ),
    peers: factory.gauge('peers', 'Peers that are asked, by what is known of them', ['state']),
    probes: factory.counter('probes_total', 'Probes of peers, by outcome', ['outcome']),
    failures: factory.counter('failures_total', 'What could not be read, by what it was', ['what']),
  };
}

/** The metrics of the service. */
export type ProberMetrics = ReturnType<typeof proberMetrics>;
