import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { systemClock } from '../shared/clock';
import { startHealthServer } from '../shared/health-server';
import { KubeApi } from '../shared/kubernetes/api';
import { loadConnection } from '../shared/kubernetes/connection';
import { EventWriter } from '../shared/kubernetes/events';
import type { Running } from '../shared/lifecycle';
import type { Logger } from '../shared/log';
import { ProberClient } from '../shared/prober-client';
import { PrometheusClient } from '../shared/prometheus';
import { serviceMain } from '../shared/service-main';
import { CertificateFiles } from '../shared/tls/certificate-files';
import { clientProblem } from '../shared/tls/web-server';
import { KubeNotices } from './adapters/kube-notices';
import { KubePods } from './adapters/kube-pods';
import { KubeProbers, staticProbers } from './adapters/prober-directory';
import { PrometheusTraffic } from './adapters/prometheus-traffic';
import { addExtenderRoutes, extenderCalls, type ExtenderRoutes } from './app';
import { Answers } from './loop/answers';
import { explain, stateOf } from './loop/explanation';
import { RatingHistory } from './loop/history';
import { NodeTable } from './loop/node-table';
import { Placements } from './loop/placements';
import { Refresher } from './loop/refresher';
import { latencyExtenderMetrics } from './metrics';
import {
  checkLatencyExtenderSettings,
  latencyExtenderSettings,
  type LatencyExtenderSettings,
} from './settings';
import { Fragments } from './wire/fragments';

/** Longer than Go keeps a connection that it does not use (90 s), so that it is never Go that finds it closed. */
const KEEP_ALIVE_MS = 120_000;
const CONNECTIONS = 8;

async function start(settings: LatencyExtenderSettings, log: Logger): Promise<Running> {
  const clock = systemClock;
  const metrics = latencyExtenderMetrics();
  const certificates = CertificateFiles.open(settings, log);
  const api = new KubeApi(await loadConnection(settings.kubeconfig), {
    timeoutMs: settings.requestTimeoutMs,
    connections: CONNECTIONS,
    userAgent: 'berth-latency-extender',
  });
  const events = new EventWriter(
    api,
    {
      controller: 'latency-extender',
      instance: `${hostname()}_${randomBytes(4).toString('hex')}`,
      perSecond: settings.eventsPerSecond,
      allowed: () => true,
      dropped: (cause) => metrics.eventsDropped.inc({ cause }),
    },
    clock,
    log,
  );
  const prometheus = new PrometheusClient(settings.promUrl, settings.promTimeoutMs);
  const source = new ProberClient(settings.probeTimeoutMs);
  const found =
    settings.probers === ''
      ? new KubeProbers(
          api,
          settings.proberNamespace,
          settings.proberSelector,
          settings.proberPort,
          clock,
          log,
        )
      : undefined;
  const history = new RatingHistory(settings.explainHistory);
  const placements: Placements = new Placements(settings, (node) =>
    table.refresh(node, clock.nowMs()),
  );
  const table = new NodeTable(settings, placements);
  const pods = new KubePods(
    api,
    settings.schedulerName,
    {
      bound: (pod) => {
        placements.bound(pod, clock.nowMs());
        history.bound(pod, pod.node);
      },
      gone: (uid) => placements.gone(uid),
    },
    clock,
    log,
  );
  const directory = found ?? staticProbers(settings.probers);
  const traffic = new PrometheusTraffic(prometheus, settings.busiestQuery);
  const refresher = new Refresher(
    { traffic, directory, source },
    table,
    placements,
    settings,
    clock,
    log,
    metrics,
  );
  const answers = new Answers(
    table,
    placements,
    history,
    new KubeNotices(events),
    new Fragments(),
    settings,
  );
  const synced = (): boolean => pods.synced && (found?.synced ?? true);
  /** Why clients were refused; each is logged once. */
  const refused = new Set<string>();
  const routes: ExtenderRoutes = {
    answers,
    clock,
    metrics,
    maxBodyBytes: settings.maxBodyBytes,
    clientProblem: (request) => {
      const problem = clientProblem(request);
      if (problem !== undefined && !refused.has(problem)) {
        refused.add(problem);
        log.warn({ problem }, 'refuses clients whose certificate is not of its authority');
      }
      return problem;
    },
    state: () => stateOf(table, refresher, settings),
    explain: (namespace, pod) => explain(history, namespace, pod),
  };
  const server = await startHealthServer({
    host: settings.httpHost,
    port: settings.port,
    keepAliveMs: KEEP_ALIVE_MS,
    registry: metrics.registry,
    certificates,
    healthy: () => ({ ok: true }),
    ready: () => ({
      ok: synced() && refresher.ready,
      detail: {
        synced: synced(),
        degraded: table.freshNodes === 0,
        nodes: table.views.length,
        freshNodes: table.freshNodes,
        target: table.target.node ?? null,
        trafficProblem: refresher.trafficProblem ?? null,
      },
    }),
    direct: extenderCalls(routes),
    routes: (app) => addExtenderRoutes(app, routes),
  });
  const tls = certificates !== undefined;
  log.info({ port: server.port, tls, scheduler: settings.schedulerName }, 'started');
  const end = new AbortController();
  const running = Promise.all([
    pods.run(end.signal),
    found?.run(end.signal),
    refresher.run(end.signal),
  ]);
  return {
    stop: async () => {
      await server.close();
      certificates?.close();
      await events.flush(3000);
      end.abort();
      await running;
      await Promise.all([api.close(), prometheus.close(), source.close()]);
    },
  };
}

serviceMain({
  name: 'latency-extender',
  summary:
    'filters and rates nodes for a kube-scheduler by their CPU and their latency to the busiest node',
  settings: latencyExtenderSettings,
  options: { kubeconfig: 'KUBECONFIG', 'prom-url': 'PROM_URL' },
  check: checkLatencyExtenderSettings,
  start,
});
