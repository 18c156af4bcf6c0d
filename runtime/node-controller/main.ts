import { NodeCpuReadings } from '../node-availability/cpu-readings';
import { availabilityOptions } from '../node-availability/settings';
import { systemClock } from '../shared/clock';
import { startHealthServer } from '../shared/health-server';
import { KubeApi } from '../shared/kubernetes/api';
import { loadConnection } from '../shared/kubernetes/connection';
import { serviceElector } from '../shared/kubernetes/service-elector';
import type { Running } from '../shared/lifecycle';
import type { Logger } from '../shared/log';
import { PrometheusCpu } from '../shared/node-cpu/prometheus-cpu';
import { PrometheusClient } from '../shared/prometheus';
import { serviceMain } from '../shared/service-main';
import { checkLeaseSettings } from '../shared/service-settings';
import { KubeJobs, KubeNodeLabels } from './adapters/kube-objects';
import { KubeWatch } from './adapters/kube-watch';
import { NodeController } from './loop';
import { nodeControllerMetrics } from './metrics';
import { JobReleases } from './releases';
import { nodeControllerSettings, type NodeControllerSettings } from './settings';

async function start(settings: NodeControllerSettings, log: Logger): Promise<Running> {
  const clock = systemClock;
  const metrics = nodeControllerMetrics();
  const api = new KubeApi(await loadConnection(settings.kubeconfig), {
    timeoutMs: settings.requestTimeoutMs,
    connections: 8,
    userAgent: 'berth-node-controller',
  });
  const prometheus = new PrometheusClient(settings.promUrl, settings.promTimeoutMs);
  const { elector, identity } = serviceElector(
    api,
    settings,
    {
      started: () => controller.startLeading(),
      stopped: () => controller.stopLeading(),
    },
    clock,
    log,
  );
  const { namespace, releaseJobs } = settings;
  const watch = new KubeWatch(api, { jobsIn: releaseJobs ? namespace : undefined }, clock, log);
  const readings = new NodeCpuReadings(
    new PrometheusCpu(prometheus, clock, settings.cpuQuery, settings.cpuTimeQuery),
    {
      intervalMs: settings.cpuPollIntervalMs,
      nodes: () => watch.nodes(),
      onRead: (kind) => {
        if (kind !== 'ok') metrics.readingFailures.inc({ kind });
        controller.cpuRead();
      },
    },
    clock,
    log,
  );
  const releases = releaseJobs
    ? new JobReleases(watch, new KubeJobs(api, namespace), elector, log, metrics)
    : undefined;
  const controller: NodeController = new NodeController(
    { watch, readings, labels: new KubeNodeLabels(api), releases, leadership: elector },
    {
      intervalMs: settings.controllerIntervalMs,
      availability: availabilityOptions(settings),
      manageEligible: settings.manageEligible,
    },
    clock,
    log,
    metrics,
  );
  const server = await startHealthServer({
    host: settings.httpHost,
    port: settings.port,
    registry: metrics.registry,
    healthy: () => ({ ok: true }),
    ready: () => ({
      ok: controller.last !== undefined,
      detail: {
        synced: watch.synced,
        role: elector.isLeader() ? 'leader' : 'standby',
        leader: elector.holder ?? null,
        cpu: readings.problem ?? 'known',
      },
    }),
    routes: (app) =>
      app.get('/last', (_request, response) => {
        const { last } = controller;
        if (last === undefined) response.status(503).json({ error: 'nothing was counted yet' });
        else {
          const { readings } = controller;
          const release = releases && { release: releases.last ?? null };
          response.json({ ...last, ...release, ...(readings && { readings }) });
        }
      }),
  });
  log.info({ identity, port: server.port }, 'started');
  const following = new AbortController();
  const taking = new AbortController();
  const running = controller.run(following.signal);
  const electing = elector.run(taking.signal);
  return {
    stop: async () => {
      controller.stopLeading();
      taking.abort();
      await electing;
      following.abort();
      await running;
      await Promise.all([server.close(), api.close(), prometheus.close()]);
    },
  };
}

serviceMain({
  name: 'node-controller',
  summary:
    'counts and ranks the nodes that may take an analyzer, and releases queued Jobs. ' +
    'Runs with the service account of its pod, or, outside a cluster, with a kubeconfig.',
  settings: nodeControllerSettings,
  options: { kubeconfig: 'KUBECONFIG', 'prom-url': 'PROM_URL' },
  check: checkLeaseSettings,
  start,
});
