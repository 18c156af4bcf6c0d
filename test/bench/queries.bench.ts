import { setTimeout as pause } from 'node:timers/promises';
import { AutoscalerSystem } from '../wire/support/autoscaler-system';
import { createNamespace, eventually } from '../wire/support/kube';
import { FakeExporter, startPrometheus } from '../wire/support/prometheus';
import { RunningService } from '../wire/support/running-service';
import { defineScaledJobs, SCALED_JOBS_NAMESPACE } from '../wire/support/scaled-job-definition';
import { progress } from './progress';
import { QueryCounter } from './query-counter';
import { getMetrics, scalerClient } from './scaler-client';
import { median, rounded, type Bench, type Row } from './report';

/** What load-watcher, which schedulers that follow the load of nodes commonly ask, asks of Prometheus. */
const LOAD_WATCHER_PER_MINUTE = 102;
const GOAL_PER_MINUTE = 12;
/** Calls of the external scaler. */
const CALLS = 1000;
const SETTLE_MS = 5000;
const TAKES_OVER = 'external-scaler';
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
    const windowMs = quick ? 20_000 : 60_000;
    const turns: Record<string, number[]> = {};
    const exporter = new FakeExporter();
    for (const node of NODES) exporter.ratios.set(node, 0.3);
    const target = await exporter.start();
    const [prometheus, system] = await Promise.all([
      startPrometheus(target),
      AutoscalerSystem.start(),
    ]);
    const running: { readonly service: string; readonly running: RunningService }[] = [];
    let perCall = NaN;
    const counters: Record<string, QueryCounter> = {};
    try {
      await defineScaledJobs(system.api);
      await createNamespace(system.api, SCALED_JOBS_NAMESPACE);
      for (const [service, replicas] of Object.entries(SERVICES)) {
        const counter = (counters[service] = await QueryCounter.start(prometheus.url));
        // As in the estate.
        const [controller] = running.filter(({ service: name }) => name === 'node-controller');
        const asking = { CONTROLLER_URL: controller?.running.url ?? '' };
        const env = {
          ...{ ...POLLING, PROM_URL: counter.url, ...ENV[service] },
          ...(service === TAKES_OVER && asking),
        };
        for (let replica = 0; replica < replicas; replica += 1)
          if (service === 'autoscaler')
            // A system stops its own replicas.
            await system.startReplica({ ...env, CHECK_INTERVAL_MS: '5000', DRY_RUN: 'true' });
          else
            running.push({
              service,
              running: await RunningService.start(service, {
                KUBECONFIG: system.plane.kubeconfigPath,
                ...env,
              }),
            });
      }
      progress('all services run');
      await eventually('every service has asked', async () =>
        // The external scaler takes over what the node-controller has read, and need not ask.
        Object.entries(counters).every(([name, { queries }]) => name === TAKES_OVER || queries > 0),
      );
      // What was asked at the start, before anybody knew anything, is no habit.
      await pause(SETTLE_MS);
      for (let round = 0; round < rounds; round += 1) {
        progress(`round ${round + 1} of ${rounds}: ${windowMs / 1000} s`);
        const before = queriesOf(counters);
        const startedMs = performance.now();
        await pause(windowMs);
        const minutes = (performance.now() - startedMs) / 60_000;
        for (const [service, queries] of Object.entries(queriesOf(counters)))
          (turns[service] ??= []).push((queries - (before[service] ?? 0)) / minutes);
      }
      const scaler = running.find(({ service }) => service === TAKES_OVER);
      const before = counters[TAKES_OVER]?.queries ?? NaN;
      await callScaler(
        Number(scaler?.running.lines.find(({ msg }) => msg === 'started')?.['grpcPort']),
      );
      perCall = ((counters[TAKES_OVER]?.queries ?? NaN) - before) / CALLS;
    } finally {
      await Promise.all(running.map((one) => one.running.stop()));
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
      raw: { windowMs, turns, perCall },
      goals: [
        {
          row: 'queries',
          what: 'Prometheus queries of the whole estate',
          measured: `${all} a minute`,
          ratio: `${rounded(all / LOAD_WATCHER_PER_MINUTE)} x`,
          peer: `${LOAD_WATCHER_PER_MINUTE} a minute, load-watcher (as published, not run)`,
          ...{ goal: `<= ${GOAL_PER_MINUTE} a minute`, met: all <= GOAL_PER_MINUTE },
        },
        {
          row: 'scaler-calls',
          what: `external scaler: Prometheus queries for each call, over ${CALLS} calls`,
          measured: String(perCall),
          // One that is due while it is called is none for a call.
          ...{ peer: '—', ratio: '—', goal: '0', met: perCall < 10 / CALLS },
        },
      ],
    };
  },
};

async function callScaler(port: number): Promise<void> {
  const client = scalerClient(port);
  try {
    for (let call = 0; call < CALLS; call += 1) await getMetrics(client, `job-${call}`);
  } finally {
    client.close();
  }
}

/** What a service is told beside that. Nobody answers as a prober: that keeps no query back. */
const ENV: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'latency-extender': {
    SCHEDULER_NAME: 'latency-aware-scheduler',
    PROBERS: NODES.map((node) => `${node}=127.0.0.1:9`).join(),
    // A node has traffic; while none has it is asked for more often.
    BUSIEST_QUERY:
      'topk(1, label_replace(node_memory_MemTotal_bytes, "node", "$1", "instance", "(.*)"))',
  },
  'external-scaler': { GRPC_PORT: '0' },
};

const queriesOf = (counters: Readonly<Record<string, QueryCounter>>): Record<string, number> =>
  Object.fromEntries(Object.entries(counters).map(([service, { queries }]) => [service, queries]));
