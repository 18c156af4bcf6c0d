import type { Goal, StoredResult } from './report';

/** Everything that has goals, one line each: what is printed at the end of a run, and what the README shows. */
export const GOAL_ROWS = {
  binding: 'cpu-scheduler: waiting pods bound in a second',
  'binding-latency': 'cpu-scheduler: pod created -> bound at light load',
  placement: 'placement of a recorded CPU trace',
  'extender-placing': 'pods placed in a second with the latency extender',
  'extender-calls': 'latency extender: its calls',
  'scaler-calls': 'external scaler at 3,000 calls a second',
  'autoscaler-worker': 'autoscaler: reason -> container started -> node Ready',
  'autoscaler-decision': 'autoscaler: one decision at 5,000 nodes',
  queries: 'Prometheus queries of the whole estate in a minute',
  prober: 'prober: a round of probes, and how true it is',
  up: 'whole estate: `npm run up` with nothing to change',
  'up-warm': 'whole estate: `npm run up` from a warm cache',
} as const;

/** A line of that table. */
export type GoalRow = keyof typeof GOAL_ROWS;

const ALL_ROWS = Object.keys(GOAL_ROWS) as GoalRow[];
type Results = readonly Pick<StoredResult, 'goals'>[];

/** Those that these results say something about, in their order. */
export function rowsOf(results: Results): GoalRow[] {
  const there = new Set(results.flatMap(({ goals }) => goals.map(({ row }) => row)));
  return ALL_ROWS.filter((row) => there.has(row));
}

/** A line as it is shown. */
export interface SummaryRow {
  readonly what: string;
  readonly ours: string;
  readonly peer: string;
  readonly ratio: string;
  readonly goal: string;
  readonly met: string;
}

/**
 * A line for each row, in their order. Where one has several goals, the first that was missed stands for all, or the
 * first; how many were met stands beside it. A row of which nothing was measured says so.
 */
export function summaryOf(results: Results, rows: readonly GoalRow[] = ALL_ROWS): SummaryRow[] {
  const all = results.flatMap(({ goals }) => goals);
  return rows.map((row) => {
    const goals = all.filter((goal) => goal.row === row);
    const shown = goals.find(({ met }) => met === false) ?? goals[0];
    if (shown === undefined)
      return {
        ...{ what: GOAL_ROWS[row], ours: 'not measured', peer: '—', ratio: '—', goal: '—' },
        met: '—',
      };
    const { measured, peer, ratio, goal } = shown;
    const what = goals.length > 1 ? shown.what : GOAL_ROWS[row];
    return { what, ours: measured, peer, ratio, goal, met: metOf(goals) };
  });
}

function metOf(goals: readonly Goal[]): string {
  const judged = goals.filter(({ met }) => met !== 'not measured');
  if (judged.length === 0) return 'not measured';
  const met = judged.filter((goal) => goal.met === true).length;
  const word = met === judged.length ? 'met' : '**missed**';
  return goals.length === 1 ? word : `${word} (${met} of ${goals.length} met)`;
}
