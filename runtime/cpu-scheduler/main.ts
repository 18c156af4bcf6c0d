import { systemClock } from '../shared/clock';
import { LeaseDisruptions } from '../shared/disruptions/lease-disruptions';
import { startHealthServer } from '../shared/health-server';
import { KubeApi } from '../shared/kubernetes/api';
import { loadConnection } from '../shared/kubernetes/connection';
import { EventWriter } from '../shared/kubernetes/events';
import { KubeEvictor } from '../shared/kubernetes/evictor';
import type { LeaderElector } from '../shared/kubernetes/leader';
import { kubeLeaseStore } from '../shared/kubernetes/lease-store';
import { serviceElector } from '../shared/kubernetes/service-elector';
import type { Running } from '../shared/lifecycle';
import type { Logger } from '../shared/log';
import { PrometheusCpu } from '../shared/node-cpu/prometheus-cpu';
import { PrometheusClient } from '../shared/prometheus';
import { serviceMain } from '../shared/service-main';
import { checkLeaseSettings } from '../shared/service-settings';
import { KubeBinder } from './adapters/kube-binder';
import { KubeNotices } from './adapters/kube-notices';
import { KubeWatch } from './adapters/kube-watch';
import { explain } from './loop/explanation';
import { Scheduler } from './loop/scheduler';
import { cpuSchedulerMetrics } from './metrics';
import { cpuSchedulerSettings, type CpuSchedulerSettings } from './settings';

async function start(settings: CpuSchedulerSettings, log: Logger): Promise<Running> {
  const clock = systemClock;
  const metrics = cpuSchedulerMetrics();
  const api = new KubeApi(await loadConnection(settings.kubeconfig), {
    timeoutMs: settings.requestTimeoutMs,
    connections: settings.bindConcurrency,
    userAgent: 'berth-cpu-scheduler',
  });
  const prometheus = new PrometheusClient(settings.promUrl, settings.promTimeoutMs);
  const { elector, identity } = serviceElector(
    api,
    settings,
    {
      started: () => void scheduler.startLeading(),
      stopped: () => scheduler.stopLeading(),
    },
    clock,
    log,
  );
  const events = new EventWriter(
    api,
    {
      controller: settings.schedulerName,
      instance: identity,
      perSecond: settings.eventsPerSecond,
      allowed: () => elector.isLeader(),
      dropped: (cause) => metrics.eventsDropped.inc({ cause }),
    },
    clock,
    log,
  );
  const watch = new KubeWatch(api, settings.schedulerName, clock, log);
  const scheduler = new Scheduler(
    {
      watch,
      cpu: new PrometheusCpu(prometheus, clock, settings.cpuQuery, settings.cpuTimeQuery),
      binder: new KubeBinder(api),
      evictor: new KubeEvictor(api),
      disruptions: new LeaseDisruptions(
        kubeLeaseStore(api, settings.leaseNamespace, settings.disruptionsLease),
        clock,
        settings.requestTimeoutMs,
      ),
      notices: new KubeNotices(events),
      leadership: elector,
    },
    settings,
    clock,
    log,
    metrics,
  );
  const server = await startHealthServer({
    host: settings.httpHost,
    port: settings.port,
    registry: metrics.registry,
    healthy: () => ({ ok: true }),
    ready: () => ({ ok: watch.synced, detail: readiness(scheduler, elector, watch.synced) }),
    routes: (app) =>
      app.get('/explain/:namespace/:pod', (request, response) => {
        const { namespace, pod } = request.params;
        const answer = explain(scheduler, namespace, pod, clock.nowMs());
        if (answer !== undefined) response.json(answer);
        else if (scheduler.leading) {
          response.status(404).json({ error: 'no decision about this pod is known' });
        } else {
          const error = 'this replica stands by, ask the leader';
          response.status(503).json({ error, leader: elector.holder ?? null });
        }
      }),
  });
  log.info({ identity, port: server.port, scheduler: settings.schedulerName }, 'started');
  const following = new AbortController();
  const taking = new AbortController();
  const running = scheduler.run(following.signal);
  const electing = elector.run(taking.signal);
  return {
    stop: async () => {
      scheduler.stopLeading();
      await events.flush(3000);
      taking.abort();
      await electing;
      following.abort();
      await running;
      await Promise.all([server.close(), api.close(), prometheus.close()]);
    },
  };
}

/** What /readyz says beside yes or no. Standing by is ready: it has listed everything and can take over. */
function readiness(
  scheduler: Scheduler,
  elector: LeaderElector,
  synced: boolean,
): Record<string, unknown> {
  const { readings, leading } = scheduler;
  const state = readings.state;
  return {
    synced,
    role: leading ? 'leader' : 'standby',
    leader: elector.holder ?? null,
    // Only the leader reads CPU.
    ...(leading && {
      degraded: state.fallback,
      cpu: state.fallback ? 'no readings to compare nodes by: placing by requested CPU' : 'known',
      readings: state,
    }),
    pendingPods: scheduler.queue.size,
  };
}

serviceMain({
  name: 'cpu-scheduler',
  summary:
    'binds pending pods to the least busy node, and offloads hot nodes. ' +
    'Runs with the service account of its pod, or, outside a cluster, with a kubeconfig.',
  settings: cpuSchedulerSettings,
  options: { kubeconfig: 'KUBECONFIG', 'prom-url': 'PROM_URL' },
  check: checkLeaseSettings,
  start,
});
