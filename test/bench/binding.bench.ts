import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { FakePrometheus } from '../wire/support/fake-prometheus';
import { processorMsOf } from '../wire/support/processes';
import { RunningService } from '../wire/support/running-service';
import { nodeNames, readingOf } from './extender-nodes';
import {
  PlacementCluster,
  type LightLoad,
  type Placed,
  type RunningScheduler,
  type Scheduling,
} from './extender-placement';
import { SCHEDULER } from './extender-servers';
import { progress } from './progress';
import { median, quantile, rounded, type Bench, type Goal, type Row } from './report';

const LIGHT_GOAL_MS = 100;
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
  what: 'waiting pods bound in a second, and how long one takes that comes alone, by cpu-scheduler, kube-scheduler and a client that only binds',
  async run({ rounds, quick, nodes }) {
    const sizes = nodes === undefined ? (quick ? [200] : [1000, 5000]) : [nodes];
    const pods = quick ? 400 : 10_000;
    const limitMs = quick ? 3000 : 15_000;
    const light: LightLoad = quick ? { pods: 30, gapMs: 20 } : { pods: 300, gapMs: 25 };
    const cluster = await PlacementCluster.start({ kwok: true });
    const prometheus = await FakePrometheus.start();
    const turns: Record<number, Turns> = {};
    const starts = (count: number): Readonly<Record<string, () => Promise<RunningScheduler>>> => ({
      [OURS]: () => startOurs(cluster.plane.kubeconfigPath, prometheus.url),
      [NULL_BINDER]: () => startNullBinder(cluster.plane.kubeconfigPath, count),
    });
    const place = (name: string, count: number): Promise<Placed> => {
      const start = starts(count)[name];
      const scheduling = KUBE_SCHEDULERS[name];
      if (start !== undefined) return cluster.placeWith(start, pods, limitMs, light);
      if (scheduling !== undefined) return cluster.place(scheduling, pods, limitMs, light);
      throw new Error(`${name}: no such scheduler`);
    };
    try {
      for (const count of sizes) {
        const of: Record<string, Placed[]> = (turns[count] = {});
        for (const name of nodeNames(count)) prometheus.ratios.set(name, readingOf(name).cpuRatio);
        await cluster.grow(nodeNames(count));
        // Before anything is counted the API server is warm.
        await place(NULL_BINDER, count);
        const names = [...Object.keys(KUBE_SCHEDULERS), ...Object.keys(starts(count))];
        for (let round = 0; round < rounds; round += 1)
          for (const name of round % 2 === 0 ? names : [...names].reverse()) {
            progress(`${count} nodes, round ${round + 1} of ${rounds}: ${name}`);
            (of[name] ??= []).push(await place(name, count));
          }
      }
    } finally {
      await prometheus.stop();
      await cluster.stop();
    }
    return {
      rows: sizes.flatMap((count) => rowsOf(turns[count] ?? {}, count)),
      raw: { pods, light, turns },
      goals: sizes.flatMap((count) => goalsOf(turns[count] ?? {}, count)),
    };
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

type Turns = Readonly<Record<string, readonly Placed[]>>;

const rates = (turns: Turns, name: string): number[] =>
  (turns[name] ?? []).map(({ podsPerSecond }) => podsPerSecond);

/** Medians of those of each round: what else the machine did meanwhile was much the same for both. */
const ratioOf = (turns: Turns, name: string, to: string): number =>
  rounded(median(rates(turns, name).map((rate, round) => rate / (rates(turns, to)[round] ?? NaN))));

/** Medians over the rounds of each round's quantiles. */
const lightMs = (turns: Turns, name: string, share: number): number =>
  rounded(median((turns[name] ?? []).map((placed) => quantile(placed.lightMs, share))));

function goalsOf(turns: Turns, nodes: number): Goal[] {
  const rate = (name: string): string => `${rounded(median(rates(turns, name)))}/s`;
  const over = (peer: string, least: number): Goal => ({
    row: 'binding',
    what: `cpu-scheduler: waiting pods bound in a second, ${nodes} nodes, beside ${peer}`,
    measured: rate(OURS),
    peer: `${rate(peer)}, ${peer}`,
    ratio: `${ratioOf(turns, OURS, peer)} x`,
    ...{ goal: `>= ${least} x`, met: ratioOf(turns, OURS, peer) >= least },
  });
  const both = (name: string): string =>
    `${lightMs(turns, name, 0.5)}, ${lightMs(turns, name, 0.99)} ms`;
  return [
    over(NULL_BINDER, 0.95),
    over(FASTEST, 1.5),
    {
      row: 'binding-latency',
      what: `cpu-scheduler: pod created -> bound at light load, ${nodes} nodes: p50, p99`,
      measured: both(OURS),
      peer: [NULL_BINDER, ...Object.keys(KUBE_SCHEDULERS)]
        .map((name) => `${both(name)}, ${name}`)
        .join('; '),
      ratio: `${rounded(lightMs(turns, OURS, 0.99) / lightMs(turns, NULL_BINDER, 0.99))} x ${NULL_BINDER} (p99)`,
      goal: `p99 <= ${LIGHT_GOAL_MS} ms`,
      met: lightMs(turns, OURS, 0.99) <= LIGHT_GOAL_MS,
    },
  ];
}

function rowsOf(turns: Turns, nodes: number): Row[] {
  return Object.entries(turns).map(([name, all]) => ({
    binding: `${name}, ${nodes} nodes`,
    pods_per_second: rounded(median(rates(turns, name))),
    ratio_to_kube_scheduler: ratioOf(turns, name, UNTHROTTLED),
    ratio_to_kube_scheduler_at_its_fastest: ratioOf(turns, name, FASTEST),
    ratio_to_only_binding: ratioOf(turns, name, NULL_BINDER),
    scheduler_cpu_ms_per_pod: rounded(median(all.map(({ schedulerMs }) => schedulerMs))),
    server_cpu_ms_per_pod: rounded(median(all.map(({ serverMs }) => serverMs))),
    created_to_bound_ms_p50: lightMs(turns, name, 0.5),
    created_to_bound_ms_p99: lightMs(turns, name, 0.99),
  }));
}
