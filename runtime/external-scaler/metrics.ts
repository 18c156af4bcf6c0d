import { createMetrics, type MetricsFactory } from '../shared/metrics';

/** Every metric of the service; README.md lists them. */
export function externalScalerMetrics(factory: MetricsFactory = createMetrics('external_scaler')) {
  return {
    registry: factory.registry,
    requests: factory.counter('requests_total', 'Calls, by method and gRPC status', [
      'method',
      'code',
    ]),
    answers: factory.counter('answers_total', 'Answers to ScaledJobs, by what decided them', [
      'rule',
    ]),
    decisionSeconds: factory.histogram(
      'decision_seconds',
      'Time from taking a call to its answer',
      [0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.1],
    ),
    grantEvents: factory.counter('grants_total', 'Grants, by what became of them', ['event']),
    grants: factory.gauge('grants', 'Berths promised whose Job is not seen yet'),
    identities: factory.gauge('identities', 'ScaledJobs remembered because they asked'),
    waiting: factory.gauge('waiting', 'ScaledJobs that wait for a berth'),
    streams: factory.gauge('streams', 'Open StreamIsActive calls'),
    nodes: factory.gauge('nodes', 'Nodes, by whether their berth is to be had, or the rule', [
      'state',
    ]),
    freeBerths: factory.gauge('free_berths', 'Berths that are free and promised to nobody'),
    closed: factory.gauge('closed', '1 while nothing is granted at all'),
    ownCount: factory.gauge('own_count', '1 while it counts without the node-controller'),
    readingAge: factory.gauge(
      'oldest_reading_age_seconds',
      'Age of the oldest CPU reading of an eligible node',
    ),
    reads: factory.counter('cpu_reads_total', 'Looks at Prometheus, by outcome', ['outcome']),
  };
}

/** The metrics of the service. */
export type ExternalScalerMetrics = ReturnType<typeof externalScalerMetrics>;
