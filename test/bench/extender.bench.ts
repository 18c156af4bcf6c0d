import { askAll, callRow, decisionRows, parsingRow, type Calls } from './extender-http';
import { nodeNames } from './extender-nodes';
import { PlacementCluster, type Scheduling } from './extender-placement';
import { ProberFarm, startPeer, type ExtenderServer } from './extender-servers';
import { progress } from './progress';
import { median, rounded, type Bench, type Goal, type Row } from './report';

/** A kube-scheduler of the comparison: what it asks, and how it is told to. */
interface Variant extends Omit<Scheduling, 'extenderUrl' | 'samplingPercent'> {
  readonly name: string;
  start?(farm: ProberFarm, kubeconfigPath: string): Promise<ExtenderServer>;
}

const OURS = 'latency-extender';
const NONE = 'no extender, its own scores';
const PLAIN = 'plain express, whole nodes';
const HANDLER = 'empty handler';
const EMPTY = 'an extender that passes all, by names';
const names = { nodeCacheCapable: true, ownScores: false };

/** Questions before anything is measured: an extender has been running for long when pods come. */
const WARM_PODS = 500;
const WARM_NODES = 500;

const VARIANTS: readonly Variant[] = [
  { name: NONE, ...names, ownScores: true },
  { name: 'no extender, no scores', ...names },
  { name: EMPTY, ...names, start: () => startPeer('empty') },
  { name: OURS, ...names, start: (farm, kubeconfig) => farm.startExtender(kubeconfig) },
  {
    name: PLAIN,
    nodeCacheCapable: false,
    ownScores: false,
    start: () => startPeer('plain'),
  },
];

/** What the extender costs: one decision, one call, and the kube-scheduler that asks it. */
export const extenderBench: Bench = {
  what: 'cost of a decision, of a call, and pods placed in a second by a real kube-scheduler with and without it',
  async run({ rounds, quick }) {
    const decisions = await decisionRows(quick);
    const parsing = parsingRow(5000);
    const cluster = await PlacementCluster.start();
    const rows: Row[] = [...decisions.rows, parsing];
    const raw: Record<string, unknown> = { decisions: decisions.raw };
    try {
      for (const count of quick ? [300] : [1000, 5000]) {
        const farm = await ProberFarm.start(nodeNames(count));
        try {
          await cluster.grow(nodeNames(count));
          const calls = await callRounds(farm, cluster, count, rounds, quick);
          rows.push(...calls.rows);
          raw[`calls, ${count} nodes`] = calls.raw;
          for (const samplingPercent of [0, 100]) {
            const turns = await placementRounds(farm, cluster, samplingPercent, rounds, quick);
            rows.push(...placementRows(turns, count, samplingPercent));
            raw[`placement, ${count} nodes, ${samplingPercent} %`] = turns;
          }
        } finally {
          await farm.stop();
        }
      }
    } finally {
      await cluster.stop();
    }
    return { rows, raw, goals: goalsOf(rows) };
  },
};

/** The goals of ours, at each size that was measured. */
function goalsOf(rows: readonly Row[]): Goal[] {
  const goals: Goal[] = [];
  for (const row of rows) {
    const is = (key: string, start: string): boolean => String(row[key] ?? '').startsWith(start);
    const value = (key: string): number => Number(row[key]);
    if (is('placement', OURS)) {
      const least = / 100 % of nodes$/.test(String(row['placement'])) ? 0.5 : 0.9;
      const ratio = value('ratio_to_no_extender');
      const none = rows.find(
        (one) => one['placement'] === String(row['placement']).replace(OURS, NONE),
      );
      goals.push({
        row: 'extender-placing',
        what: `pods placed in a second, ${row['placement']}`,
        measured: `${value('pods_per_second')}/s`,
        peer: `${none?.['pods_per_second']}/s, no extender; ours is ${value('ratio_to_passing_all')} x one that passes all`,
        ratio: `${ratio} x no extender`,
        ...{ goal: `>= ${least} x`, met: ratio >= least },
      });
    }
    if (is('http', OURS)) {
      const worst = Math.max(value('filter_ms_p99'), value('prioritize_ms_p99'));
      const peer = (name: string, figure: string): number =>
        Number(
          rows.find((one) => one['http'] === String(row['http']).replace(OURS, name))?.[figure],
        );
      const most = (name: string): number =>
        Math.max(peer(name, 'filter_ms_p99'), peer(name, 'prioritize_ms_p99'));
      goals.push({
        row: 'extender-calls',
        what: `p99 of /filter and /prioritize, ${row['http']}`,
        measured: `${worst} ms`,
        peer: `${most(PLAIN)} ms, ${PLAIN}; ${most(HANDLER)} ms, ${HANDLER}`,
        ratio: `${rounded(worst / most(PLAIN))} x ${PLAIN}`,
        ...{ goal: '< 5 ms', met: worst < 5 },
      });
    }
    if ('parsing' in row)
      goals.push({
        row: 'extender-calls',
        what: `extender: parsing of ${row['parsing']}, names against whole nodes`,
        measured: `${value('names_ms')} ms`,
        ratio: `${value('ratio')} x less`,
        peer: `${value('whole_nodes_ms')} ms, whole nodes`,
        ...{ goal: '>= 300 x less', met: value('ratio') >= 300 },
      });
  }
  return goals;
}

/** Calls of both verbs, against an empty handler and against plain express with whole nodes. */
async function callRounds(
  farm: ProberFarm,
  cluster: PlacementCluster,
  count: number,
  rounds: number,
  quick: boolean,
): Promise<{ rows: Row[]; raw: unknown }> {
  const servers = {
    [OURS]: await farm.startExtender(cluster.plane.kubeconfigPath),
    [HANDLER]: await startPeer('empty'),
    [PLAIN]: await startPeer('plain'),
  };
  const results: Record<string, Calls[]> = {};
  const pods = quick ? 200 : 1000;
  try {
    // The first round only warms up.
    for (let round = 0; round <= rounds; round += 1)
      for (const [name, server] of Object.entries(servers)) {
        const whole = name.startsWith('plain');
        const calls = await askAll(server, count, whole, whole ? 10 : pods, round * pods);
        if (round > 0) (results[name] ??= []).push(calls);
      }
  } finally {
    for (const server of Object.values(servers)) await server.stop();
  }
  const rows = Object.entries(results).map(([name, calls]) =>
    callRow(`${name}, ${count} nodes`, calls),
  );
  return { rows, raw: results };
}

/** What one variant did in one round. */
interface Turn {
  readonly podsPerSecond: number;
  /** Processor time of the extender for each pod; undefined where there is none. */
  readonly processorMs: number | undefined;
}

/** Each variant in turn, in the other order every other round. */
async function placementRounds(
  farm: ProberFarm,
  cluster: PlacementCluster,
  samplingPercent: number,
  rounds: number,
  quick: boolean,
): Promise<Record<string, Turn[]>> {
  const turns: Record<string, Turn[]> = {};
  for (let round = 0; round < rounds; round += 1) {
    for (const variant of round % 2 === 0 ? VARIANTS : [...VARIANTS].reverse()) {
      const { name, start, ...scheduling } = variant;
      progress(`${samplingPercent} % sampling, round ${round + 1} of ${rounds}: ${name}`);
      const server = await start?.(farm, cluster.plane.kubeconfigPath);
      try {
        if (server) {
          const whole = !scheduling.nodeCacheCapable;
          await askAll(server, WARM_NODES, whole, whole ? 20 : WARM_PODS, 0);
        }
        const how = { ...scheduling, samplingPercent, extenderUrl: server?.url };
        const before = await server?.processorMs();
        const placed = await cluster.place(how, quick ? 200 : 1000, quick ? 2000 : 8000);
        const after = await server?.processorMs();
        const used = after === undefined || before === undefined ? undefined : after - before;
        (turns[name] ??= []).push({
          podsPerSecond: placed.podsPerSecond,
          processorMs: used === undefined ? undefined : used / placed.pods,
        });
      } finally {
        await server?.stop();
      }
    }
  }
  return turns;
}

/** Ratios are medians of those of each round: what else the machine did meanwhile was much the same for both. */
function placementRows(
  turns: Readonly<Record<string, readonly Turn[]>>,
  count: number,
  samplingPercent: number,
): Row[] {
  const rates = (name: string): number[] =>
    (turns[name] ?? []).map(({ podsPerSecond }) => podsPerSecond);
  const ratio = (name: string, to: string): number =>
    rounded(median(rates(name).map((rate, round) => rate / (rates(to)[round] ?? NaN))));
  const sampling = samplingPercent === 0 ? 'default sampling' : `${samplingPercent} % of nodes`;
  return VARIANTS.map(({ name, start }) => ({
    placement: `${name}, ${count} nodes, ${sampling}`,
    pods_per_second: rounded(median(rates(name))),
    ratio_to_no_extender: ratio(name, NONE),
    ratio_to_passing_all: ratio(name, EMPTY),
    ...(start !== undefined && {
      extender_cpu_ms_per_pod: rounded(
        median((turns[name] ?? []).map(({ processorMs }) => processorMs ?? NaN)),
      ),
    }),
  }));
}
