import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { FakePrometheus } from '../wire/support/fake-prometheus';
import { processorMsOf } from '../wire/support/processes';
import { RunningService } from '../wire/support/running-service';
import { nodeNames, readingOf } from './extender-nodes';
import {
  PlacementCluster,
  type Placed,
  type RunningScheduler,
  type Scheduling,
} from './extender-placement';
import { SCHEDULER } from './extender-servers';
import { median, rounded, type Bench, type Row } from './report';

const OURS = 'cpu-scheduler';
const NULL_BINDER = 'a client that only binds';
const UNTHROTTLED = 'kube-scheduler, client not throttled';
const FASTEST = 'kube-scheduler, client not throttled, looks at 100 nodes';

const kube: Scheduling = {
  extenderUrl: undefined,
  nodeCacheCapable: true,
  ownScores: true,
  samplingPercent: 0,
};

/** What is compared. kube-scheduler looks at 100 nodes at least, however few it is told to. */
const KUBE_SCHEDULERS: Readonly<Record<string, Scheduling>> = {
  'kube-scheduler, as shipped': { ...kube, qps: 50 },
  [UNTHROTTLED]: kube,
  [FASTEST]: { ...kube, samplingPercent: 1 },
};

/** Pods that wait, bound in a second by a fresh scheduler on a real API server whose nodes kwok plays. */
export const bindingBench: Bench = {
  what: 'waiting pods bound in a second, by cpu-scheduler, kube-scheduler and a client that only binds',
  async run({ rounds, quick, nodes = quick ? 200 : 1000 }) {
    const pods = quick ? 400 : 3000;
    const limitMs = quick ? 3000 : 10_000;
    const cluster = await PlacementCluster.start({ kwok: true });
    const prometheus = await FakePrometheus.start();
    const turns: Record<string, Placed[]> = {};
    const starts: Readonly<Record<string, () => Promise<RunningScheduler>>> = {
      [OURS]: () => startOurs(cluster.plane.kubeconfigPath, prometheus.url),
      [NULL_BINDER]: () => startNullBinder(cluster.plane.kubeconfigPath, nodes),
    };
    const place = (name: string): Promise<Placed> => {
      const start = starts[name];
      const scheduling = KUBE_SCHEDULERS[name];
      if (start !== undefined) return cluster.placeWith(start, pods, limitMs);
      if (scheduling !== undefined) return cluster.place(scheduling, pods, limitMs);
      throw new Error(`${name}: no such scheduler`);
    };
    try {
      for (const name of nodeNames(nodes)) prometheus.ratios.set(name, readingOf(name).cpuRatio);
      await cluster.grow(nodeNames(nodes));
      // Before anything is counted the API server is warm.
      await place(NULL_BINDER);
      const names = [...Object.keys(KUBE_SCHEDULERS), ...Object.keys(starts)];
      for (let round = 0; round < rounds; round += 1)
        for (const name of round % 2 === 0 ? names : [...names].reverse())
          (turns[name] ??= []).push(await place(name));
    } finally {
      await prometheus.stop();
      await cluster.stop();
    }
    return { rows: rowsOf(turns, nodes), raw: { nodes, pods, turns } };
  },
};

async function startOurs(kubeconfig: string, prometheusUrl: string): Promise<RunningScheduler> {
  return RunningService.start('cpu-scheduler', {
    KUBECONFIG: kubeconfig,
    SCHEDULER_NAME: SCHEDULER,
    PROM_URL: prometheusUrl,
  });
}

async function startNullBinder(kubeconfig: string, nodes: number): Promise<RunningScheduler> {
  const file = path.join(__dirname, 'null-binder.ts');
  const child = fork(file, [kubeconfig, SCHEDULER, String(nodes)], {
    execArgv: ['--require', 'tsx/cjs'],
  });
  return {
    processorMs: () => processorMsOf(child.pid),
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Ratios are medians of those of each round: what else the machine did meanwhile was much the same for both. */
function rowsOf(turns: Readonly<Record<string, readonly Placed[]>>, nodes: number): Row[] {
  const rates = (name: string): number[] =>
    (turns[name] ?? []).map(({ podsPerSecond }) => podsPerSecond);
  const ratio = (name: string, to: string): number =>
    rounded(median(rates(name).map((rate, round) => rate / (rates(to)[round] ?? NaN))));
  return Object.entries(turns).map(([name, all]) => ({
    binding: `${name}, ${nodes} nodes`,
    pods_per_second: rounded(median(rates(name))),
    ratio_to_kube_scheduler: ratio(name, UNTHROTTLED),
    ratio_to_kube_scheduler_at_its_fastest: ratio(name, FASTEST),
    ratio_to_only_binding: ratio(name, NULL_BINDER),
    scheduler_cpu_ms_per_pod: rounded(median(all.map(({ schedulerMs }) => schedulerMs))),
    server_cpu_ms_per_pod: rounded(median(all.map(({ serverMs }) => serverMs))),
  }));
}
