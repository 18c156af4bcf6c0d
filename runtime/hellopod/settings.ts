import { httpSettings, logSettings } from '../shared/service-settings';
import { defineSettings, integerSetting, stringSetting, type SettingsOf } from '../shared/settings';

const SECOND = 1000;

/** Every setting of hellopod; the components generate the container's environment from it. */
export const hellopodSettings = defineSettings({
  podName: {
    env: 'POD_NAME',
    description: 'Name of the pod (metadata.name); empty means the host name',
    schema: stringSetting(''),
  },
  nodeName: {
    env: 'NODE_NAME',
    description: 'Name of the node it runs on (spec.nodeName)',
    schema: stringSetting(),
  },
  proberAddress: {
    env: 'PROBER_ADDRESS',
    description:
      'host:port of the prober of its node, or of a Service that leads to it; empty: latency is not asked for',
    schema: stringSetting('prober.berth-system.svc:3000'),
  },
  proberIntervalMs: {
    env: 'PROBER_INTERVAL_MS',
    description: 'Time between two questions to the prober',
    unit: 'ms',
    schema: integerSetting(100, 600 * SECOND, 10 * SECOND),
  },
  proberTimeoutMs: {
    env: 'PROBER_TIMEOUT_MS',
    description: 'Time limit of one question to the prober',
    unit: 'ms',
    schema: integerSetting(10, 60 * SECOND, 2 * SECOND),
  },
  latencyMaxAgeMs: {
    env: 'LATENCY_MAX_AGE_MS',
    description: 'A latency that was heard of longer ago is unknown',
    unit: 'ms',
    schema: integerSetting(100, 600 * SECOND, 30 * SECOND),
  },
  ...httpSettings(8080, '/, /healthz, /readyz and /metrics'),
  ...logSettings,
});

export type HellopodSettings = SettingsOf<typeof hellopodSettings>;
