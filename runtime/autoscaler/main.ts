import { NodeCpuReadings } from '../node-availability/cpu-readings';
import { systemClock, type Clock } from '../shared/clock';
import { LeaseDisruptions } from '../shared/disruptions/lease-disruptions';
import { startHealthServer } from '../shared/health-server';
import { KubeApi } from '../shared/kubernetes/api';
import { loadConnection } from '../shared/kubernetes/connection';
import { kubeLeaseStore } from '../shared/kubernetes/lease-store';
import { serviceElector } from '../shared/kubernetes/service-elector';
import type { Running } from '../shared/lifecycle';
import type { Logger } from '../shared/log';
import { PrometheusUsages } from '../shared/node-cpu/prometheus-usages';
import type { AddressedNode, CpuMetrics } from '../shared/node-cpu/types';
import { PrometheusClient } from '../shared/prometheus';
import { serviceMain } from '../shared/service-main';
import { checkLeaseSettings } from '../shared/service-settings';
import { CertificateFiles } from '../shared/tls/certificate-files';
import { checkTlsFiles } from '../shared/tls/settings';
import { connectDocker } from './adapters/docker-connection';
import { DockerContainers } from './adapters/docker-containers';
import { KubeCluster } from './adapters/kube-cluster';
import { KubeWatch } from './adapters/kube-watch';
import { mongoClient } from './adapters/mongo-connection';
import { MongoDecisions } from './adapters/mongo-decisions';
import { MongoHistory } from './adapters/mongo-history';
import { connectRedis } from './adapters/redis-connection';
import { RedisLiveState } from './adapters/redis-state';
import { healthOf } from './api/health';
import { LiveControl } from './api/live-control';
import { startApi } from './api/server';
import { workerMould } from './containers/settings';
import { autoscalerLog } from './log/logger';
import { addClusterMetrics } from './cluster-metrics';
import { autoscalerMetrics } from './metrics';
import { Autoscaler } from './service';
import { autoscalerSettings, checkScalingSettings, type AutoscalerSettings } from './settings';
import { View } from './state/view';

/** Of the REST API. */
const API_VERSION = '1';
/** Prometheus has what it scrapes so long after it has begun to. */
const SETTLE_AFTER_SCRAPE_MS = 150;
/** What is under way has so long to reach its next step when the process is to end. */
const SETTLE_MS = 12_000;

async function start(settings: AutoscalerSettings, log: Logger): Promise<Running> {
  const clock = systemClock;
  const metrics = autoscalerMetrics();
  const certificates = CertificateFiles.open(settings, log);
  const api = new KubeApi(await loadConnection(settings.kubeconfig), {
    timeoutMs: settings.requestTimeoutMs,
    connections: 8,
    userAgent: 'berth-autoscaler',
  });
  const stores = connectStores(settings, log);
  const { elector, identity } = serviceElector(
    api,
    settings,
    {
      started: () => autoscaler.startLeading(),
      stopped: () => autoscaler.stopLeading(),
    },
    clock,
    log,
  );
  const watch = new KubeWatch(api, settings, clock, log);
  const prometheus = new PrometheusClient(settings.promUrl, settings.promTimeoutMs);
  const nodes = () => [...view.fleet.nodes.values()].map(({ info }) => info);
  const { cpu, memory } = readings(
    prometheus,
    settings,
    { nodes, onRead: () => autoscaler.usageRead() },
    clock,
    log,
  );
  const view: View = new View({
    ...{ cpu, memory, synced: () => watch.synced },
    onBad: (what, error) => log.error({ what, err: error }, 'an object cannot be read'),
  });
  addClusterMetrics(metrics, {
    ...{ settings, observe: () => view.observe(), nowMs: () => clock.nowMs() },
  });
  const { live, history, containers } = stores;
  const disruptions = new LeaseDisruptions(
    kubeLeaseStore(api, settings.leaseNamespace, settings.disruptionsLease),
    clock,
    settings.requestTimeoutMs,
  );
  const cluster = new KubeCluster(api);
  const autoscaler: Autoscaler = new Autoscaler({
    outside: { containers, cluster, live, history, disruptions, clock },
    decisions: stores.decisions,
    ...{ watch, view, cpu, memory, leadership: elector, settings, metrics, clock, log },
  });
  const { httpHost: host, port, metricsPort } = settings;
  const rest = await startApi(
    {
      control: new LiveControl(autoscaler, API_VERSION, () => {
        log.info('asked to stop');
        process.kill(process.pid, 'SIGTERM');
      }),
      ...{ live, token: settings.apiToken, version: API_VERSION },
      failed: (what, error) => {
        metrics.errors.inc({ type: 'api' });
        log.warn({ err: error }, `${what} failed`);
      },
    },
    { host, port, certificates },
  );
  const probes = await startHealthServer({
    ...{ host, port: metricsPort, registry: metrics.registry },
    healthy: () => ({ ok: true }),
    ready: () => ({ ok: watch.synced, detail: { health: healthOf(autoscaler) } }),
  });
  const { dryRun } = settings;
  log.info({ identity, port: rest.port, metricsPort: probes.port, dryRun }, 'started');
  const following = new AbortController();
  const taking = new AbortController();
  const running = autoscaler.run(following.signal);
  const electing = elector.run(taking.signal);
  return {
    stop: async () => {
      autoscaler.stopLeading();
      // The Lease is given up when nothing acts any more.
      if (!(await autoscaler.settled(SETTLE_MS)))
        log.warn('what is under way has not reached its next step; the journal has it');
      taking.abort();
      await electing;
      following.abort();
      await running;
      autoscaler.bus.stop();
      await Promise.all([rest.close(), probes.close()]);
      certificates?.close();
      await Promise.all([stores.close(), api.close(), prometheus.close()]);
    },
  };
}

/** Redis, MongoDB and Docker. None of them has to be there yet, and each may go and come back. */
function connectStores(settings: AutoscalerSettings, log: Logger) {
  const { redisUrl, redisTimeoutMs, mongoUrl, mongoTimeoutMs, mongoDatabase } = settings;
  // That it is away is said once, by who looks at it now and then.
  const redis = connectRedis({ url: redisUrl, timeoutMs: redisTimeoutMs }, (error) =>
    log.debug({ err: error }, 'the connection to Redis failed'),
  );
  const mongo = mongoClient({ url: mongoUrl, timeoutMs: mongoTimeoutMs });
  const docker = connectDocker({ url: settings.dockerUrl, token: settings.dockerToken });
  return {
    live: new RedisLiveState(redis, (key, field, error) =>
      log.error({ key, field, err: error }, 'a record in Redis cannot be read'),
    ),
    history: new MongoHistory(mongo.db(mongoDatabase), mongoTimeoutMs, (collection, id, error) =>
      log.error({ collection, id, err: error }, 'a record in MongoDB cannot be read'),
    ),
    decisions: new MongoDecisions(mongo.db(mongoDatabase), mongoTimeoutMs, settings.decisionsKept),
    containers: new DockerContainers(docker, workerMould(settings), settings.dockerTimeoutMs),
    close: async (): Promise<void> => {
      redis.disconnect();
      await mongo.close();
    },
  };
}

/** CPU and memory of the nodes, read in the same manner, with one query for both. */
function readings(
  prometheus: PrometheusClient,
  settings: AutoscalerSettings,
  told: { nodes(): Iterable<AddressedNode>; onRead(): void },
  clock: Clock,
  log: Logger,
) {
  const { cpuQuery, cpuTimeQuery, memoryQuery, memoryTimeQuery } = settings;
  const usages = new PrometheusUsages(prometheus, clock, {
    cpu: { ratioQuery: cpuQuery, timeQuery: cpuTimeQuery },
    memory: { ratioQuery: memoryQuery, timeQuery: memoryTimeQuery },
  });
  const of = (what: string, source: CpuMetrics): NodeCpuReadings =>
    new NodeCpuReadings(
      source,
      { what, intervalMs: settings.cpuPollIntervalMs, settleMs: SETTLE_AFTER_SCRAPE_MS, ...told },
      clock,
      log,
    );
  return { cpu: of('CPU', usages.of('cpu')), memory: of('memory', usages.of('memory')) };
}

serviceMain({
  name: 'autoscaler',
  summary:
    'adds and removes Docker containers that run k3s agents. ' +
    'Runs with the service account of its pod, or, outside a cluster, with a kubeconfig.',
  settings: autoscalerSettings,
  options: { kubeconfig: 'KUBECONFIG', 'prom-url': 'PROM_URL' },
  check: (settings) => {
    checkScalingSettings(settings);
    checkLeaseSettings(settings);
    checkTlsFiles(settings);
  },
  log: (settings) => autoscalerLog(settings),
  start,
});
