import { createMetrics, type MetricsFactory } from '../shared/metrics';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20];

/** Every metric of the workload; README.md lists them. */
export function workloadMetrics(factory: MetricsFactory = createMetrics('workload')) {
  return {
    registry: factory.registry,
    requests: factory.counter('requests_total', 'Requests that ended, by status; 499: given up', [
      'status',
    ]),
    refused: factory.counter('refused_total', 'Requests not taken, by reason', ['reason']),
    seconds: factory.histogram('request_seconds', 'From a request to its whole answer', SECONDS),
    inFlight: factory.gauge('in_flight', 'Requests taken and not ended'),
    waiting: factory.gauge('waiting_for_thread', 'Tasks that wait for a thread'),
    bloatBytes: factory.gauge('bloat_bytes', 'Memory held for requests'),
  };
}

export type WorkloadMetrics = ReturnType<typeof workloadMetrics>;
