import { z } from 'zod';
import { defineSettings, integerSetting, SettingsError, stringSetting } from './settings';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;

/** Settings of every service: how much it logs. */
export const logSettings = defineSettings({
  logLevel: {
    env: 'LOG_LEVEL',
    description: 'Least level that is logged',
    schema: z
      .enum(['debug', 'info', 'warn', 'error'], { error: 'must be debug, info, warn or error' })
      .default('info'),
  },
});

/** Settings of a service that answers HTTP. @param paths what it answers, for the description. */
export const httpSettings = (port: number, paths: string) =>
  defineSettings({
    httpHost: {
      env: 'HTTP_HOST',
      description: 'Address the HTTP server listens on',
      schema: stringSetting('0.0.0.0'),
    },
    port: {
      env: 'PORT',
      description: `Port of ${paths}; 0 takes a free one`,
      schema: integerSetting(0, 65_535, port),
    },
  });

/** Settings of a service that talks to the API server. */
export const kubernetesSettings = defineSettings({
  kubeconfig: {
    env: 'KUBECONFIG',
    description: 'Path of a kubeconfig; empty means the service account of the pod it runs in',
    schema: stringSetting(''),
  },
  requestTimeoutMs: {
    env: 'REQUEST_TIMEOUT_MS',
    description: 'Time limit of one request to the API server',
    unit: 'ms',
    schema: integerSetting(100, MINUTE_MS, 10 * SECOND_MS),
  },
});

/** Settings of a service that asks Prometheus. */
export const prometheusSettings = defineSettings({
  promUrl: {
    env: 'PROM_URL',
    description: 'Base URL of Prometheus',
    schema: z
      .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
      .default('http://kube-prom-stack-prometheus.monitoring.svc:9090'),
  },
  promTimeoutMs: {
    env: 'PROM_TIMEOUT_MS',
    description: 'Time limit of one Prometheus query',
    unit: 'ms',
    schema: integerSetting(100, MINUTE_MS, 5 * SECOND_MS),
  },
});

/** Settings of a service that reads the CPU of the nodes from Prometheus. */
export const nodeCpuSettings = defineSettings({
  ...prometheusSettings,
  cpuQuery: {
    env: 'CPU_QUERY',
    description:
      'PromQL of CPU use, one series for each node with label node or instance, value a ratio 0..1',
    schema: stringSetting(
      '1 - avg by (instance, node) (irate(node_cpu_seconds_total{mode="idle"}[1m]))',
    ),
  },
  cpuTimeQuery: {
    env: 'CPU_TIME_QUERY',
    description:
      'PromQL of when those samples were scraped, with the same labels; sent as one query with CPU_QUERY',
    unit: 's since 1970',
    schema: stringSetting(
      'max by (instance, node) (timestamp(node_cpu_seconds_total{mode="idle"}))',
    ),
  },
  cpuPollIntervalMs: {
    env: 'CPU_POLL_INTERVAL_MS',
    description: 'Time between two Prometheus queries',
    unit: 'ms',
    schema: integerSetting(SECOND_MS, MINUTE_MS, 10 * SECOND_MS),
  },
});

/** Settings of a service that talks to an MQTT broker, beside the broker's host. */
export const mqttSettings = defineSettings({
  mqttPort: {
    env: 'MQTT_PORT',
    description: 'Port of the broker',
    schema: integerSetting(1, 65_535, 1883),
  },
  mqttUsername: {
    env: 'MQTT_USERNAME',
    description: 'User at the broker; empty means anonymous',
    schema: stringSetting(''),
  },
  mqttPassword: {
    env: 'MQTT_PASSWORD',
    description: 'Password at the broker',
    schema: stringSetting(''),
    secret: true,
  },
});

/** Settings of a service of which one replica leads. */
export const leaseSettings = (namespace: string, name: string) =>
  defineSettings({
    leaseNamespace: {
      env: 'LEASE_NAMESPACE',
      description: 'Namespace of the Lease; the one the service runs in',
      schema: stringSetting(namespace),
    },
    leaseName: {
      env: 'LEASE_NAME',
      description: 'Name of the Lease that the leader holds',
      schema: stringSetting(name),
    },
    leaseDurationMs: {
      env: 'LEASE_DURATION_MS',
      description: 'Others take the Lease when its holder has not renewed it for this long',
      unit: 'ms',
      schema: integerSetting(2 * SECOND_MS, 10 * MINUTE_MS, 15 * SECOND_MS),
    },
    leaseRenewDeadlineMs: {
      env: 'LEASE_RENEW_DEADLINE_MS',
      description:
        'A leader that could not renew for this long stops acting; below LEASE_DURATION_MS',
      unit: 'ms',
      schema: integerSetting(SECOND_MS, 10 * MINUTE_MS, 10 * SECOND_MS),
    },
    leaseRetryMs: {
      env: 'LEASE_RETRY_MS',
      description: 'Time between two tries to take or renew the Lease',
      unit: 'ms',
      schema: integerSetting(100, MINUTE_MS, 2 * SECOND_MS),
    },
    podName: {
      env: 'POD_NAME',
      description: 'Identity in the Lease; empty means the host name',
      schema: stringSetting(''),
    },
  });

/** Settings of a service that evicts pods, next to those of its Lease. */
export const disruptionSettings = defineSettings({
  disruptionsLease: {
    env: 'DISRUPTIONS_LEASE',
    description:
      'Name of the Lease in LEASE_NAMESPACE that carries the evictions of all services that evict',
    schema: stringSetting('disruptions'),
  },
});

/** Refuses lease settings by which a leader would still act after another may have taken over. @throws SettingsError */
export function checkLeaseSettings(settings: {
  readonly leaseRenewDeadlineMs: number;
  readonly leaseDurationMs: number;
}): void {
  if (settings.leaseRenewDeadlineMs >= settings.leaseDurationMs)
    throw new SettingsError(['LEASE_RENEW_DEADLINE_MS: must be below LEASE_DURATION_MS']);
}
