import { defineSettings, integerSetting, stringSetting, type SettingsOf } from '../shared/settings';
import { httpSettings, logSettings } from '../shared/service-settings';
import { workerSettings } from '../autoscaler/containers/settings';

const SECOND_MS = 1000;

/** Every setting of the docker-socket-proxy. */
export const dockerSocketProxySettings = defineSettings({
  ...workerSettings,
  ...httpSettings(2375, 'the requests that it lets through, /healthz and /metrics'),
  dockerSocket: {
    env: 'DOCKER_SOCKET',
    description: "Path of the Docker engine's socket",
    schema: stringSetting('/var/run/docker.sock'),
  },
  engineTimeoutMs: {
    env: 'ENGINE_TIMEOUT_MS',
    description:
      'Time limit of one request to the engine; stopping a container may take its time more',
    unit: 'ms',
    schema: integerSetting(SECOND_MS, 600 * SECOND_MS, 25 * SECOND_MS),
  },
  ...logSettings,
});

export type DockerSocketProxySettings = SettingsOf<typeof dockerSocketProxySettings>;
