import { peakOf, playNode, type CpuTrace, type TracedJob } from './cpu-world';

/** Where each job goes, and what comes of it. */
export interface Plan {
  readonly nodeOf: ReadonlyMap<TracedJob, string>;
  readonly makespanMs: number;
  /** Highest use of any node, 0..1. */
  readonly peakRatio: number;
}

interface NodePlan {
  readonly jobs: readonly TracedJob[];
  readonly endMs: number;
  readonly peak: number;
}
type NodePlans = Readonly<Record<string, NodePlan>>;

/** Ends that differ by less are the same. */
const SAME_MS = 1000;
/** Use that differs by less is the same. */
const SAME_RATIO = 0.001;

/**
 * Places the jobs knowing all that is to come: each as it arrives, to stay. First the last is to be done as early as
 * possible, then the busiest node as little busy as possible. It begins with each job where it does best beside those
 * before, and then moves jobs, and exchanges two, as long as that is better: so it is no proven optimum, but what no
 * single move betters.
 */
export function planWithHindsight(trace: CpuTrace, windowMs: number): Plan {
  const nodes = Object.keys(trace.background);
  // A node counts while anything runs anywhere, also one without jobs: what others use there is seen as well. Nobody is
  // done sooner than this.
  const soonestMs = Math.max(
    0,
    ...trace.jobs.map(({ arrivalMs, workMs, processors }) => arrivalMs + workMs / processors),
  );
  const run = (node: string, jobs: readonly TracedJob[], untilMs = soonestMs): NodePlan => {
    const { endMs, samples } = playNode(trace, node, jobs, untilMs);
    return { jobs, endMs, peak: peakOf(samples, windowMs) };
  };
  let plans: NodePlans = Object.fromEntries(nodes.map((node) => [node, run(node, [])]));
  const isBetterBy = (change: NodePlans): boolean => better({ ...plans, ...change }, plans);
  for (const job of [...trace.jobs].sort((a, b) => a.arrivalMs - b.arrivalMs)) {
    const ways = nodes.map((node) => ({
      ...plans,
      [node]: run(node, [...(plans[node]?.jobs ?? []), job]),
    }));
    plans = ways.reduce((best, way) => (better(way, best) ? way : best));
  }
  const without = (node: string, job: TracedJob): TracedJob[] =>
    (plans[node]?.jobs ?? []).filter((one) => one !== job);
  const move = (from: string, job: TracedJob, to: string): NodePlans => ({
    [from]: run(from, without(from, job)),
    [to]: run(to, [...(plans[to]?.jobs ?? []), job]),
  });
  const exchange = (from: string, job: TracedJob, to: string, other: TracedJob): NodePlans => ({
    [from]: run(from, [...without(from, job), other]),
    [to]: run(to, [...without(to, other), job]),
  });
  function* changes(): Generator<NodePlans> {
    // Only what leaves the node that ends last, or the busiest, can better either.
    for (const from of worstOf(plans))
      for (const job of plans[from]?.jobs ?? [])
        for (const to of nodes.filter((node) => node !== from)) {
          yield move(from, job, to);
          for (const other of plans[to]?.jobs ?? []) yield exchange(from, job, to, other);
        }
  }
  for (let found = true; found;) {
    found = false;
    for (const change of changes())
      if (isBetterBy(change)) {
        plans = { ...plans, ...change };
        found = true;
        break;
      }
  }
  const { endMs } = worst(plans);
  const peaks = Object.entries(plans).map(([node, { jobs }]) => run(node, jobs, endMs).peak);
  const nodeOf = new Map(
    Object.entries(plans).flatMap(([node, { jobs }]) => jobs.map((job) => [job, node] as const)),
  );
  return { nodeOf, makespanMs: endMs, peakRatio: Math.max(...peaks) };
}

const worst = (plans: NodePlans): { endMs: number; peak: number } => ({
  endMs: Math.max(...Object.values(plans).map(({ endMs }) => endMs)),
  peak: Math.max(...Object.values(plans).map(({ peak }) => peak)),
});

function worstOf(plans: NodePlans): string[] {
  const { endMs, peak } = worst(plans);
  return Object.keys(plans).filter(
    (node) => plans[node]?.endMs === endMs || plans[node]?.peak === peak,
  );
}

/** Lower is better, the first that differs decides. Whole numbers, so that no circle of small differences is run in. */
function better(a: NodePlans, b: NodePlans): boolean {
  const [left, right] = [costOf(a), costOf(b)];
  const at = left.findIndex((cost, index) => cost !== right[index]);
  return at >= 0 && (left[at] ?? 0) < (right[at] ?? 0);
}

function costOf(plans: NodePlans): number[] {
  const { endMs, peak } = worst(plans);
  // Where neither differs, the one that leaves more room elsewhere.
  const squares = Object.values(plans).reduce((sum, one) => sum + one.peak ** 2, 0);
  return [
    Math.ceil(endMs / SAME_MS),
    Math.ceil(peak / SAME_RATIO),
    Math.ceil(squares / SAME_RATIO),
  ];
}
