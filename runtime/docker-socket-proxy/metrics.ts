import { createMetrics } from '../shared/metrics';

/** What the docker-socket-proxy counts. */
export function proxyMetrics() {
  const { registry, counter } = createMetrics('docker_socket_proxy');
  return {
    registry,
    requests: counter('requests_total', 'Requests by what was wanted and what came of it', [
      'action',
      'outcome',
    ]),
  };
}

export type ProxyMetrics = ReturnType<typeof proxyMetrics>;
