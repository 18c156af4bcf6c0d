import { eventually } from '../../wire/support/kube';
import { progress } from '../progress';
import { median, rounded, type Bench, type Goal, type Row } from '../report';
import { backgroundAt, type CpuTrace } from './cpu-world';
import { LiveCluster } from './live-cluster';
import { LiveRun, type Outcome } from './live-run';
import { planWithHindsight } from './oracle';
import recorded from './recorded-trace.json';
import { playable } from './recording';
import {
  kubeScheduler,
  scrapeIntervalMs,
  startOurs,
  startPublished,
  usesOf,
  type Pace,
  type PlacingScheduler,
} from './schedulers';

/** A node is as busy as it was in the mean over so long. */
const WINDOW_MS = 10_000;
/** Readings come this near to what a node uses, 0..1, before jobs arrive. */
const SETTLED_RATIO = 0.1;

/** With the two of the recorded machine not even the oracle would keep a node below all of its CPU. */
const PROCESSORS = 3;
/** Which jobs arrive, and how much faster than it was recorded that is played. */
const FULL = { untilMs: 300_000, speed: 4 };
const QUICK = { untilMs: 60_000, longestMs: 25_000, speed: 12 };

const OURS = 'cpu-scheduler';
const ORACLE = 'an oracle that knows the trace';
const PEAK_POINTS = 5;
const MAKESPAN_RATIO = 1.1;

const LIVE: Readonly<Record<string, (on: LiveCluster, pace: Pace) => Promise<PlacingScheduler>>> = {
  [OURS]: startOurs,
  'kube-scheduler': kubeScheduler,
  'the published algorithm': startPublished,
};

/** One outcome without what led to it. */
type Figures = Pick<Outcome, 'peakRatio' | 'makespanMs' | 'evictions' | 'repeatEvictions'>;

/**
 * One recorded CPU trace under one scheduler after the other, on a real API server whose kubelets kwok plays: what nodes
 * use follows the pods placed, Prometheus scrapes it, and the schedulers read that.
 */
export const placementBench: Bench = {
  what: 'one recorded CPU trace, placed by cpu-scheduler, kube-scheduler, the published algorithm and an oracle',
  async run({ rounds, quick, nodes = quick ? 3 : 4 }) {
    const { speed, ...arrivals } = quick ? QUICK : FULL;
    const trace = playable(recorded, { nodes, processorsPerNode: PROCESSORS, ...arrivals });
    const pace = { speed, processorsPerNode: PROCESSORS };
    const plan = planWithHindsight(trace, WINDOW_MS);
    progress(`${trace.jobs.length} jobs; the oracle needs ${Math.round(plan.makespanMs / 1000)} s`);
    const cluster = await LiveCluster.start(
      Object.keys(trace.background),
      trace.processorsPerNode,
      scrapeIntervalMs(pace.speed),
    );
    const turns: Record<string, Outcome[]> = {};
    try {
      const names = Object.keys(LIVE);
      for (let round = 0; round < rounds; round += 1)
        for (const name of round % 2 === 0 ? names : [...names].reverse()) {
          progress(`round ${round + 1} of ${rounds}: ${name}`);
          (turns[name] ??= []).push(await playWith(name, cluster, trace, pace));
        }
    } finally {
      await cluster.stop();
    }
    const { peakRatio, makespanMs } = plan;
    const oracle = { peakRatio, makespanMs, evictions: 0, repeatEvictions: 0 };
    const figures = { ...turns, [ORACLE]: [oracle] };
    const nodeOf = Object.fromEntries([...plan.nodeOf].map(([{ name }, node]) => [name, node]));
    return {
      rows: rowsOf(figures),
      goals: goalsOf(figures),
      raw: { pace, trace, oracle: { ...oracle, nodeOf }, turns },
    };
  },
};

async function playWith(
  name: string,
  cluster: LiveCluster,
  trace: CpuTrace,
  pace: Pace,
): Promise<Outcome> {
  const start = LIVE[name];
  if (start === undefined) throw new Error(`${name}: no such scheduler`);
  for (const node of cluster.nodes) await cluster.setBackground(node, backgroundAt(trace, node, 0));
  const uses = usesOf(cluster, pace);
  try {
    await eventually('Prometheus says what each node uses', async () => {
      const read = await uses.read();
      return (
        read.length === cluster.nodes.length &&
        read.every(({ node, cpuRatio }) => {
          const used = backgroundAt(trace, node, 0) / trace.processorsPerNode;
          return Math.abs(cpuRatio - used) <= SETTLED_RATIO;
        })
      );
    });
  } finally {
    await uses.close();
  }
  const scheduler = await start(cluster, pace);
  try {
    const { schedulerName } = scheduler;
    return await new LiveRun(cluster, {
      ...{ trace, schedulerName, speed: pace.speed, windowMs: WINDOW_MS },
    }).run();
  } finally {
    await scheduler.stop();
    await cluster.clear();
  }
}

type AllFigures = Readonly<Record<string, readonly Figures[]>>;

const middle = (all: AllFigures, name: string, figure: keyof Figures): number =>
  median((all[name] ?? []).map((one) => one[figure]));

function rowsOf(all: AllFigures): Row[] {
  return Object.keys(all).map((name) => ({
    placement: name,
    peak_node_cpu_percent: rounded(100 * middle(all, name, 'peakRatio')),
    makespan_seconds: rounded(middle(all, name, 'makespanMs') / 1000),
    evictions: middle(all, name, 'evictions'),
    repeat_evictions: middle(all, name, 'repeatEvictions'),
    makespan_ratio_to_oracle: rounded(
      middle(all, name, 'makespanMs') / middle(all, ORACLE, 'makespanMs'),
    ),
    makespan_ratio_of_ours: rounded(
      middle(all, OURS, 'makespanMs') / middle(all, name, 'makespanMs'),
    ),
  }));
}

function goalsOf(all: AllFigures): Goal[] {
  const percent = (name: string): number => rounded(100 * middle(all, name, 'peakRatio'));
  const seconds = (name: string): number => rounded(middle(all, name, 'makespanMs') / 1000);
  const peers = Object.keys(all).filter((name) => name !== OURS);
  const told = (of: (name: string) => string): string =>
    peers.map((name) => `${of(name)}, ${name}`).join('; ');
  const points = percent(OURS) - percent(ORACLE);
  const ratio = seconds(OURS) / seconds(ORACLE);
  // Over all rounds, and not in the median: one is too many.
  const repeats = Math.max(...(all[OURS] ?? []).map(({ repeatEvictions }) => repeatEvictions));
  return [
    {
      row: 'placement',
      what: 'placement: highest CPU of a node, mean over 10 s',
      measured: `${percent(OURS)} %`,
      ratio: `${rounded(percent(OURS) / percent(ORACLE))} x, ${rounded(points)} points over the oracle`,
      peer: told((name) => `${percent(name)} %`),
      goal: `<= ${PEAK_POINTS} points over the oracle`,
      met: points <= PEAK_POINTS,
    },
    {
      row: 'placement',
      what: 'placement: makespan of the jobs',
      measured: `${seconds(OURS)} s`,
      ratio: `${rounded(ratio)} x the oracle`,
      peer: told((name) => `${seconds(name)} s`),
      goal: `<= ${MAKESPAN_RATIO} x the oracle`,
      met: ratio <= MAKESPAN_RATIO,
    },
    {
      row: 'placement',
      what: 'placement: evictions, and of pods whose job had lost one before',
      measured: `${middle(all, OURS, 'evictions')}, ${repeats}`,
      peer: told(
        (name) => `${middle(all, name, 'evictions')}, ${middle(all, name, 'repeatEvictions')}`,
      ),
      ...{ ratio: '—', goal: 'none twice', met: repeats === 0 },
    },
  ];
}
