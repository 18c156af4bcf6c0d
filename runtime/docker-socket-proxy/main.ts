import { workerMould } from '../autoscaler/containers/settings';
import { workerFiles } from '../autoscaler/containers/worker-files';
import { startHealthServer } from '../shared/health-server';
import type { Running } from '../shared/lifecycle';
import type { Logger } from '../shared/log';
import { serviceMain } from '../shared/service-main';
import { DockerEngine } from './adapters/docker-engine';
import { addProxy } from './app';
import { proxyMetrics } from './metrics';
import { dockerSocketProxySettings, type DockerSocketProxySettings } from './settings';

async function start(settings: DockerSocketProxySettings, log: Logger): Promise<Running> {
  const metrics = proxyMetrics();
  const engine = new DockerEngine(settings.dockerSocket, settings.engineTimeoutMs);
  const mould = workerMould(settings);
  const rules = { mould, files: await workerFiles(mould.template) };
  const server = await startHealthServer({
    host: settings.httpHost,
    port: settings.port,
    registry: metrics.registry,
    healthy: () => ({ ok: true }),
    ready: () => ({ ok: true }),
    routes: (app) =>
      addProxy(app, {
        ...{ rules, engine, token: settings.dockerToken },
        handled: ({ action, outcome, status, why }) => {
          metrics.requests.inc({ action, outcome });
          const level = outcome === 'passed' ? 'debug' : 'warn';
          log[level]({ action, outcome, status, why }, 'request');
        },
      }),
  });
  log.info({ port: server.port, estate: mould.template.estate }, 'started');
  return {
    stop: async () => {
      await server.close();
      await engine.close();
    },
  };
}

serviceMain({
  name: 'docker-socket-proxy',
  summary:
    "lets the autoscaler list, make, start, stop and remove its own workers' containers, and nothing else.",
  settings: dockerSocketProxySettings,
  start,
});
