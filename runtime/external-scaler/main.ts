import { NodeCpuReadings } from '../node-availability/cpu-readings';
import { systemClock } from '../shared/clock';
import { startHealthServer } from '../shared/health-server';
import { KubeApi } from '../shared/kubernetes/api';
import { loadConnection } from '../shared/kubernetes/connection';
import type { Running } from '../shared/lifecycle';
import type { Logger } from '../shared/log';
import { PrometheusCpu } from '../shared/node-cpu/prometheus-cpu';
import { PrometheusClient } from '../shared/prometheus';
import { serviceMain } from '../shared/service-main';
import { CertificateFiles } from '../shared/tls/certificate-files';
import { checkTlsFiles } from '../shared/tls/settings';
import { ControllerClient } from './adapters/controller-client';
import { KubeWatch } from './adapters/kube-watch';
import { SharedCpu } from './adapters/shared-cpu';
import { serverTls } from './adapters/tls';
import { startGrpcServer } from './grpc/server';
import { externalScalerMetrics } from './metrics';
import { observe } from './observe';
import { allowedReport, eligibleReport } from './report';
import { Scaler } from './scaler';
import { externalScalerSettings, type ExternalScalerSettings } from './settings';
import { Cluster } from './state/cluster';

const TICK_MS = 1000;

async function start(settings: ExternalScalerSettings, log: Logger): Promise<Running> {
  const clock = systemClock;
  const metrics = externalScalerMetrics();
  const certificates = CertificateFiles.open(settings, log);
  const tls = serverTls(certificates);
  const api = new KubeApi(await loadConnection(settings.kubeconfig), {
    timeoutMs: settings.requestTimeoutMs,
    connections: 4,
    userAgent: 'berth-external-scaler',
  });
  const prometheus = new PrometheusClient(settings.promUrl, settings.promTimeoutMs);
  const changed = (): void => scaler.changed();
  const cluster = new Cluster(changed);
  const watch = new KubeWatch(api, settings.namespace, clock, log);
  const controller =
    settings.controllerUrl === ''
      ? undefined
      : new ControllerClient(
          {
            url: settings.controllerUrl,
            pollMs: settings.controllerPollMs,
            timeoutMs: settings.requestTimeoutMs,
          },
          clock,
          log,
          () => {
            // Its readings are taken over when they come; that asks nobody.
            if (watch.synced && controller?.readings() !== undefined) void cpu.once();
            changed();
          },
        );
  const own = new PrometheusCpu(prometheus, clock, settings.cpuQuery, settings.cpuTimeQuery);
  const cpu: NodeCpuReadings = new NodeCpuReadings(
    controller === undefined ? own : new SharedCpu(controller, own),
    {
      intervalMs: settings.cpuPollIntervalMs,
      nodes: () => cluster.nodes.values(),
      onRead: (outcome) => {
        metrics.reads.inc({ outcome });
        changed();
      },
    },
    clock,
    log,
  );
  const scaler: Scaler = new Scaler({ cluster, watch, cpu, controller }, settings, clock, metrics);
  const grpc = await startGrpcServer(
    { host: settings.httpHost, port: settings.grpcPort, tls },
    scaler,
    metrics,
    log,
  );
  const http = await startHealthServer({
    host: settings.httpHost,
    port: settings.port,
    registry: metrics.registry,
    healthy: () => ({ ok: true }),
    ready: () => {
      const { degraded, source } = scaler;
      const detail = { synced: watch.synced, source, degraded };
      return { ok: watch.synced, detail };
    },
    routes: (app) => {
      app.get('/eligible', (_request, response) => {
        response.json(eligibleReport(scaler, clock.nowMs()));
      });
      app.get('/allowed', (_request, response) => {
        const [nowMs, monotonicMs] = [clock.nowMs(), clock.monotonicMs()];
        response.json(allowedReport(scaler, cluster.scaledJobs(), nowMs, monotonicMs));
      });
    },
  });
  const ending = new AbortController();
  const tick = (): void => {
    scaler.tick();
    grpc.serving(watch.synced);
    observe(scaler, metrics, { nowMs: clock.nowMs(), monotonicMs: clock.monotonicMs() });
  };
  const ticking = setInterval(tick, TICK_MS);
  const running = [
    watch.run(cluster, ending.signal),
    cpuWhenSynced(),
    controller?.run(ending.signal) ?? Promise.resolve(),
  ];
  log.info({ port: http.port, grpcPort: grpc.port, tls: certificates !== undefined }, 'started');

  /** Readings are told apart by node, so the nodes must be known first. */
  async function cpuWhenSynced(): Promise<void> {
    while (!watch.synced && !ending.signal.aborted) await clock.sleep(50, ending.signal);
    grpc.serving(watch.synced);
    await cpu.run(ending.signal);
  }

  return {
    stop: async () => {
      clearInterval(ticking);
      await grpc.close();
      certificates?.close();
      ending.abort();
      await Promise.all(running);
      await Promise.all([http.close(), api.close(), prometheus.close()]);
    },
  };
}

serviceMain({
  name: 'external-scaler',
  summary:
    'tells KEDA which ScaledJobs may have a Job, one for each free node. ' +
    'Runs with the service account of its pod, or, outside a cluster, with a kubeconfig.',
  settings: externalScalerSettings,
  options: { kubeconfig: 'KUBECONFIG', 'prom-url': 'PROM_URL', 'controller-url': 'CONTROLLER_URL' },
  check: checkTlsFiles,
  start,
});
