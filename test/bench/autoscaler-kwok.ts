import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { projectNode, projectPod } from '../../runtime/cpu-scheduler/adapters/project';
import { KubeWatch } from '../../runtime/autoscaler/adapters/kube-watch';
import { decide } from '../../runtime/autoscaler/policy/decide';
import { Fleet } from '../../runtime/autoscaler/state/fleet';
import { View } from '../../runtime/autoscaler/state/view';
import type { Snapshot } from '../../runtime/autoscaler/types';
import { systemClock } from '../../runtime/shared/clock';
import type { Reading } from '../../runtime/shared/freshness';
import type { Node, Pod } from '../../runtime/shared/kubernetes/types';
import { settings } from '../policy/autoscaler/support';
import { eventually } from '../wire/support/kube';
import { KwokCluster } from './kwok-cluster';
import { progress } from './progress';
import { median, quantile, rounded, type Goal, type Row } from './report';

/** One decision at that many nodes. */
export const GOAL_MS = 10;
const LISTS = 'from lists of the API server';
/** Between two decisions the watch goes on: heartbeats arrive as they do in a cluster. */
const GAP_MS = 5;
/** KWOK makes some tens of nodes Ready in a second, fewer on a busy machine. */
const READY_LIMIT_MS = 1_200_000;
/** Decisions that are not counted. */
const WARM = 20;

const LIMITS = settings({ MAX_NODES: '10000', PERMANENT_WORKERS: 'k3s-worker-1,k3s-worker-2' });
const NOTHING_UNDER_WAY = {
  ...{ scaledUpAtMs: 0, scaledDownAtMs: 0 },
  ...{ adding: new Set<string>(), removing: new Set<string>() },
};
const fail = (what: string, error: unknown): never => {
  throw new Error(what, { cause: error });
};
const known = (value: number): Reading<number> => ({
  ...{ state: 'known', value, takenAtMs: Date.now() },
});

/** What is decided upon. */
interface Situation {
  readonly what: string;
  /** CPU and memory of every worker, 0..1. */
  readonly ratio: number;
  readonly waiting: number;
  readonly expected: 'hold' | 'up' | 'down';
}

type Times = Record<string, number[][]>;

/** How large the clusters are, and how often each decision is made. */
export interface KwokSizes {
  readonly nodes: readonly number[];
  readonly podsEach: number;
  readonly waiting: number;
  readonly rounds: number;
  readonly decisionsPerRound: number;
}

/**
 * The decision of the autoscaler on what its watch has of a real API server with so many KWOK nodes, from looking at the
 * memory to the decision: that is what a cycle does. Readings of CPU and memory are the bench's own. Beside it the same
 * decision from lists of nodes and pods, asked of the API server each time, and the clock alone.
 */
export async function kwokDecisions(
  sizes: KwokSizes,
): Promise<{ rows: Row[]; raw: Times; goals: Goal[] }> {
  const cluster = await KwokCluster.start();
  const end = new AbortController();
  let ratio = 0.5;
  // As a look at Prometheus leaves them.
  let look = { version: 0, reading: known(ratio) };
  const read = (): void => void (look = { version: look.version + 1, reading: known(ratio) });
  const readings = {
    reading: () => look.reading,
    get version() {
      return look.version;
    },
  };
  const log = pino({ level: 'silent' });
  const record = { leaseNamespace: 'kube-system', disruptionsLease: 'none' };
  const watch = new KubeWatch(cluster.api, record, systemClock, log);
  const view = new View({
    ...{ cpu: readings, memory: readings, synced: () => watch.synced, onBad: fail },
  });
  const watching = watch.run(view, end.signal);
  const times: Times = {};
  const goals: Goal[] = [];
  let present = 0;
  try {
    for (const nodes of sizes.nodes) {
      await cluster.addWorkers(present + 1, nodes, sizes.podsEach);
      present = nodes;
      await eventually(
        `${nodes} nodes are Ready, their pods known`,
        async () => isWhole(nodes),
        READY_LIMIT_MS,
      );
      for (const situation of SITUATIONS(sizes.waiting)) {
        if (situation.waiting > 0) await cluster.addWaiting(situation.waiting);
        await eventually(
          'the waiting pods are known',
          async () => view.observe().pending.length === situation.waiting,
        );
        ratio = situation.ratio;
        const of = (peer: string): string => `${situation.what}, ${nodes} nodes: ${peer}`;
        progress(`${situation.what}, ${nodes} nodes: ${sizes.rounds} rounds`);
        for (let round = 0; round <= sizes.rounds; round += 1) {
          read();
          const count = round === 0 ? WARM : sizes.decisionsPerRound;
          const taken: Record<string, number[]> = {
            autoscaler: await timed(count, () => fromMemory(situation)),
            [LISTS]: await timed(1, () => fromLists(situation)),
            'the clock alone': await timed(count, () => undefined),
          };
          if (round === 0) continue;
          for (const [peer, values] of Object.entries(taken)) (times[of(peer)] ??= []).push(values);
        }
        if (nodes === sizes.nodes.at(-1)) {
          const lists = times[of(LISTS)] ?? [];
          goals.push(
            goalOf(`${nodes} KWOK nodes, ${situation.what}`, times[of('autoscaler')] ?? [], lists),
          );
        }
        if (situation.waiting > 0) await cluster.removeWaiting();
        await eventually(
          'no pod waits',
          async () => view.observe().pending.length === 0 || situation.waiting === 0,
        );
      }
    }
  } finally {
    end.abort();
    await watching;
    await cluster.stop();
  }
  return {
    rows: Object.entries(times).map(([what, rounds]) => row(what, rounds)),
    raw: times,
    goals,
  };

  function isWhole(nodes: number): boolean {
    const all = [...view.fleet.nodes.values()];
    return (
      watch.synced &&
      all.length === nodes &&
      all.every(({ info, podCount }) => info.ready && podCount === sizes.podsEach)
    );
  }

  function check(snapshot: Snapshot, { what, expected }: Situation): void {
    const { kind, reason } = decide(snapshot, LIMITS, Date.now());
    if (kind !== expected) throw new Error(`${what}: ${kind}: ${reason}`);
  }

  function fromMemory(situation: Situation): void {
    check({ ...view.observe(), ...NOTHING_UNDER_WAY }, situation);
  }

  async function fromLists(situation: Situation): Promise<void> {
    const list = async <T>(path: string): Promise<readonly T[]> => {
      const request = { method: 'GET', path, timeoutMs: 600_000 } as const;
      return (await cluster.api.request<{ items: T[] }>(request)).items;
    };
    const fleet = new Fleet();
    for (const node of await list<Node>('/api/v1/nodes')) {
      const info = projectNode(node, fail);
      fleet.setNode(info);
      fleet.setUsage(info.name, known(ratio), known(ratio));
    }
    const pods = (await list<Pod>('/api/v1/pods')).map((pod) => projectPod(pod, fail));
    for (const pod of pods) fleet.setPod(pod);
    const pending = pods.filter(({ nodeName }) => nodeName === undefined);
    check(
      {
        ...{ synced: true, nodes: fleet.nodes, keepingAway: fleet.keepingAway, budgets: [] },
        ...{ evictions: [], ...NOTHING_UNDER_WAY },
        pending: pending.map((pod) => ({ pod, claims: [], obstacles: [] })),
      },
      situation,
    );
  }
}

const SITUATIONS = (waiting: number): readonly Situation[] => [
  { what: 'nothing to do', ratio: 0.5, waiting: 0, expected: 'hold' },
  { what: 'the last in goes', ratio: 0.1, waiting: 0, expected: 'down' },
  { what: `${waiting} pods wait`, ratio: 0.5, waiting, expected: 'up' },
];

async function timed(count: number, act: () => void | Promise<void>): Promise<number[]> {
  const took: number[] = [];
  for (let made = 0; made < count; made += 1) {
    await sleep(GAP_MS);
    const startedMs = performance.now();
    await act();
    took.push(performance.now() - startedMs);
  }
  return took;
}

/** Medians over the rounds of each round's quantiles. */
const over = (rounds: readonly number[][], share: number): number =>
  rounded(median(rounds.map((times) => quantile(times, share))));

const row = (what: string, rounds: readonly number[][]): Row => ({
  kwok: what,
  milliseconds_p50: over(rounds, 0.5),
  milliseconds_p99: over(rounds, 0.99),
});

const goalOf = (what: string, rounds: readonly number[][], lists: readonly number[][]): Goal => ({
  row: 'autoscaler-decision',
  what: `autoscaler: one decision at ${what}: p50, p99`,
  measured: `${over(rounds, 0.5)} ms, ${over(rounds, 0.99)} ms`,
  peer: `${over(lists, 0.5)} ms, from lists of the API server`,
  ratio: `${rounded(over(rounds, 0.5) / over(lists, 0.5))} x (p50)`,
  goal: `<= ${GOAL_MS} ms`,
  met: over(rounds, 0.99) <= GOAL_MS,
});
