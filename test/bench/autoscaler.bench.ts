import { Bench } from 'tinybench';
import { decide } from '../../runtime/autoscaler/policy/decide';
import { node } from '../policy/cpu-scheduler/support';
import { bound, NOW_MS, settings, snapshot, waiting } from '../policy/autoscaler/support';
import { GOAL_MS, kwokDecisions } from './autoscaler-kwok';
import { workerTimes } from './autoscaler-workers';
import {
  latencyRows,
  rounded,
  type Bench as RegisteredBench,
  type Goal,
  type Row,
  timesOf,
} from './report';

const PODS_PER_NODE = 10;
const LARGEST = 5000;

const apartFrom = (app: string) => ({
  containers: [{ name: 'main', resources: { requests: { cpu: '100m' } } }],
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app } } },
      ],
    },
  },
});

/** What the autoscaler's goals are about. */
export const autoscalerBench: RegisteredBench = {
  what: 'a new worker of the autoscaler, on a real Docker engine; and one decision: alone, and on KWOK nodes of a real API server',
  async run({ rounds, quick }) {
    const workers = await workerTimes({ rounds, scrapeSeconds: quick ? 1 : 5 });
    const alone = await decisionsAlone(quick);
    const kwok = await kwokDecisions({
      ...{ nodes: quick ? [200] : [1000, 5000], podsEach: 2, waiting: quick ? 50 : 200 },
      ...{ rounds: quick ? 1 : rounds, decisionsPerRound: quick ? 50 : 200 },
    });
    return {
      rows: [...workers.rows, ...alone.rows, ...kwok.rows],
      raw: { workers: workers.raw, alone: alone.raw, kwok: kwok.raw },
      goals: [...workers.goals, goalOf(alone.rows), ...kwok.goals],
    };
  },
};

/** The costliest of all situations, by the policy alone. */
function goalOf(rows: readonly Row[]): Goal {
  const large = rows.filter((row) => String(row['case']).endsWith(`, ${LARGEST} nodes`));
  const ms = (row: Row, figure: string): number => rounded(Number(row[figure]) / 1000);
  const [worst = {}] = [...large].sort(
    (a, b) => Number(b['microseconds_p99']) - Number(a['microseconds_p99']),
  );
  const p99Ms = ms(worst, 'microseconds_p99');
  return {
    row: 'autoscaler-decision',
    what: `autoscaler: one decision by the policy alone, ${worst['case']}: p50, p99`,
    measured: `${ms(worst, 'microseconds_p50')}, ${p99Ms} ms`,
    ...{ peer: '—', ratio: '—', goal: `<= ${GOAL_MS} ms`, met: p99Ms <= GOAL_MS },
  };
}

/** By tinybench, on snapshots made in memory. */
async function decisionsAlone(quick: boolean): Promise<{ rows: Row[]; raw: unknown }> {
  const bench = new Bench(timesOf(quick, 1000));
  for (const count of [10, 1000, LARGEST]) {
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    const podsOf = (cpu: string) =>
      numbers.flatMap((number) =>
        Array.from({ length: PODS_PER_NODE }, (_, index) =>
          bound(`p-${number}-${index}`, number, { cpu }),
        ),
      );
    const env = { MAX_NODES: '10000' };
    const add = (what: string, view: ReturnType<typeof snapshot>, expected: string): void => {
      const limits = settings(env);
      bench.add(`${what}, ${count} nodes`, () => {
        const { kind, reason } = decide(view, limits, NOW_MS);
        if (kind !== expected) throw new Error(`${kind}: ${reason}`);
      });
    };
    add('nothing to do', snapshot({ workers: numbers, pods: podsOf('100m'), cpu: 0.5 }), 'hold');
    add('the last in goes', snapshot({ workers: numbers, pods: podsOf('100m') }), 'down');
    add('none can go: all are full', snapshot({ workers: numbers, pods: podsOf('400m') }), 'hold');
    const strangers = numbers.flatMap((number) =>
      Array.from({ length: PODS_PER_NODE }, (_, index) =>
        bound(`p-${number}-${index}`, number, {
          metadata: { labels: { app: `app-${index}` } },
          spec: apartFrom(`app-${index}`),
        }),
      ),
    );
    const keeping = snapshot({ workers: numbers, pods: strangers });
    add('none can go: all must stay apart from their like', keeping, 'hold');
    const pending = Array.from({ length: count * PODS_PER_NODE }, (_, index) =>
      waiting({ name: `w-${index}` }),
    );
    const crowd = { workers: [...numbers.map((n) => node(`k3s-worker-${n}`))], pending };
    add(`${pending.length} pods wait`, snapshot(crowd), 'up');
  }
  await bench.run();
  return { rows: latencyRows(bench), raw: bench.table() };
}
