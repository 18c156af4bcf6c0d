import { setTimeout as pause } from 'node:timers/promises';
import { AutoscalerSystem } from '../wire/support/autoscaler-system';
import { createNamespace, eventually } from '../wire/support/kube';
import { FakeExporter, startPrometheus } from '../wire/support/prometheus';
import { RunningService } from '../wire/support/running-service';
import { defineScaledJobs, SCALED_JOBS_NAMESPACE } from '../wire/support/scaled-job-definition';
import { progress } from './progress';
import { QueryCounter } from './query-counter';
import { median, rounded, type Bench, type Row } from './report';

/** What load-watcher, which schedulers that follow the load of nodes commonly ask, asks of Prometheus. */
const LOAD_WATCHER_PER_MINUTE = 102;
const GOAL_PER_MINUTE = 12;
const NODES = ['server-1', 'k3s-worker-1', 'k3s-worker-2'];

/** How often the estate reads CPU by its defaults. */
const POLLING = { CPU_POLL_INTERVAL_MS: '10000' };

/** Services that ask Prometheus, as many of each as the estate for one machine runs. */
const SERVICES: Readonly<Record<string, number>> = {
  'cpu-scheduler': 2,
  'latency-extender': 2,
  'node-controller': 2,
  'external-scaler': 1,
  autoscaler: 1,
};

/** Every service that asks Prometheus, with its defaults, on one cluster; a counting proxy before Prometheus for each. */
export const queriesBench: Bench = {
  what: 'queries of Prometheus in a minute, by all services of the estate, counted as they arrive',
  async run({ rounds, quick }) {
    const windowMs = quick ? 30_000 : 60_000;
    const turns: Record<string, number[]> = {};
    const exporter = new FakeExporter();
    for (const node of NODES) exporter.ratios.set(node, 0.3);
    const target = await exporter.start();
    const [prometheus, system] = await Promise.all([
      startPrometheus(target),
      AutoscalerSystem.start(),
    ]);
    const running: RunningService[] = [];
    const counters: Record<string, QueryCounter> = {};
    try {
      await defineScaledJobs(system.api);
      await createNamespace(system.api, SCALED_JOBS_NAMESPACE);
      for (const [service, replicas] of Object.entries(SERVICES)) {
        const counter = (counters[service] = await QueryCounter.start(prometheus.url));
        const env = { ...POLLING, PROM_URL: counter.url, ...ENV[service] };
        for (let replica = 0; replica < replicas; replica += 1)
          if (service === 'autoscaler')
            // A system stops its own replicas.
            await system.startReplica({ ...env, CHECK_INTERVAL_MS: '5000', DRY_RUN: 'true' });
          else
            running.push(
              await RunningService.start(service, {
                KUBECONFIG: system.plane.kubeconfigPath,
                ...env,
              }),
            );
      }
      progress('all services run');
      await eventually('every service has asked', async () =>
        Object.values(counters).every(({ queries }) => queries > 0),
      );
      for (let round = 0; round < rounds; round += 1) {
        progress(`round ${round + 1} of ${rounds}: ${windowMs / 1000} s`);
        const before = queriesOf(counters);
        const startedMs = performance.now();
        await pause(windowMs);
        const minutes = (performance.now() - startedMs) / 60_000;
        for (const [service, queries] of Object.entries(queriesOf(counters)))
          (turns[service] ??= []).push((queries - (before[service] ?? 0)) / minutes);
      }
    } finally {
      await Promise.all(running.map((service) => service.stop()));
      await system.stop();
      await Promise.all(Object.values(counters).map((counter) => counter.stop()));
      await prometheus.stop();
      await exporter.stop();
    }
    const perMinute = (service: string): number => median(turns[service] ?? []);
    const all = rounded(Object.keys(turns).reduce((sum, service) => sum + perMinute(service), 0));
    const rows: Row[] = [
      ...Object.keys(turns).map((service) => ({
        queries: `${service}, replicas: ${SERVICES[service]}`,
        per_minute: rounded(perMinute(service)),
      })),
      {
        queries: 'all services',
        per_minute: all,
        ratio_to_load_watcher: rounded(all / LOAD_WATCHER_PER_MINUTE),
      },
    ];
    return {
      rows,
      raw: { windowMs, turns },
      goals: [
        {
          what: 'Prometheus queries of the whole estate',
          measured: `${all} a minute, ${rounded(all / LOAD_WATCHER_PER_MINUTE)} x load-watcher`,
          peer: `${LOAD_WATCHER_PER_MINUTE} a minute, load-watcher (as published, not run)`,
          ...{ goal: `<= ${GOAL_PER_MINUTE} a minute`, met: all <= GOAL_PER_MINUTE },
        },
      ],
    };
  },
};

/** What a service is told beside that. Nobody answers as a prober: that keeps no query back. */
const ENV: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'latency-extender': {
    SCHEDULER_NAME: 'latency-aware-scheduler',
    PROBERS: NODES.map((node) => `${node}=127.0.0.1:9`).join(),
  },
  'external-scaler': { GRPC_PORT: '0' },
};

const queriesOf = (counters: Readonly<Record<string, QueryCounter>>): Record<string, number> =>
  Object.fromEntries(Object.entries(counters).map(([service, { queries }]) => [service, queries]));
