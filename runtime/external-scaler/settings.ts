import { z } from 'zod';
import { availabilitySettings } from '../node-availability/settings';
import {
  httpSettings,
  kubernetesSettings,
  logSettings,
  nodeCpuSettings,
} from '../shared/service-settings';
import { defineSettings, integerSetting, stringSetting, type SettingsOf } from '../shared/settings';
import { clientTlsSettings } from '../shared/tls/settings';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** Every setting of the external scaler; the components generate the container's environment from it. */
export const externalScalerSettings = defineSettings({
  namespace: {
    env: 'NAMESPACE',
    description: 'Namespace whose ScaledJobs, Jobs and pods are followed',
    schema: stringSetting('posture'),
  },
  metricName: {
    env: 'METRIC_NAME',
    description: 'Name of the metric, where the trigger metadata has no metricName',
    schema: stringSetting('available_node_count_30s'),
  },
  mode: {
    env: 'MODE',
    description:
      'continuous: a ScaledJob gets a berth again whenever one is free; once: not after one Job of its present generation has completed',
    schema: z
      .enum(['continuous', 'once'], { error: 'must be continuous or once' })
      .default('continuous'),
  },
  retryLimit: {
    env: 'RETRY_LIMIT',
    description: 'Mode once: after this many failed Jobs of one generation it gets no more',
    schema: integerSetting(1, 100, 3),
  },
  ...kubernetesSettings,
  ...nodeCpuSettings,
  ...availabilitySettings,
  controllerUrl: {
    env: 'CONTROLLER_URL',
    description: 'Base URL of the node-controller; empty means to count without it',
    schema: z
      .union([z.literal(''), z.url({ protocol: /^https?$/ })], {
        error: 'must be empty, or an http or https URL',
      })
      .default(''),
  },
  controllerPollMs: {
    env: 'CONTROLLER_POLL_MS',
    description: 'Time between two looks at what the node-controller says',
    unit: 'ms',
    schema: integerSetting(100, 10 * MINUTE, 10 * SECOND),
  },
  controllerMaxAgeMs: {
    env: 'CONTROLLER_MAX_AGE_MS',
    description: 'What the node-controller said counts for this long; two of its intervals or more',
    unit: 'ms',
    schema: integerSetting(SECOND, 60 * MINUTE, 75 * SECOND),
  },
  grantTtlMs: {
    env: 'GRANT_TTL_MS',
    description:
      'How long a grant keeps its berth for a Job that was not seen; it is answered with 1 in the first half',
    unit: 'ms',
    schema: integerSetting(2 * SECOND, 10 * MINUTE, 45 * SECOND),
  },
  identityTtlMs: {
    env: 'IDENTITY_TTL_MS',
    description: 'A ScaledJob that has not asked for this long loses its place in the queue',
    unit: 'ms',
    schema: integerSetting(SECOND, 60 * MINUTE, MINUTE),
  },
  startHoldMs: {
    env: 'START_HOLD_MS',
    description:
      'Nothing is granted this long after the start: a Job may be under way that an earlier process granted',
    unit: 'ms',
    schema: integerSetting(0, 10 * MINUTE, 10 * SECOND),
  },
  clusterMaxSilenceMs: {
    env: 'CLUSTER_MAX_SILENCE_MS',
    description: 'Nothing is granted while the API server has been silent on a watch for longer',
    unit: 'ms',
    schema: integerSetting(90 * SECOND, 60 * MINUTE, 3 * MINUTE),
  },
  grpcPort: {
    env: 'GRPC_PORT',
    description: 'Port of the gRPC service; 0 takes a free one',
    schema: integerSetting(0, 65_535, 8080),
  },
  ...httpSettings(8088, '/healthz, /readyz, /metrics, /eligible and /allowed'),
  ...clientTlsSettings('the gRPC service'),
  ...logSettings,
});

/** The parsed settings. */
export type ExternalScalerSettings = SettingsOf<typeof externalScalerSettings>;
