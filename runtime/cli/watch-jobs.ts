import { setTimeout as wait } from 'node:timers/promises';
import type { V1Node } from '@kubernetes/client-node';
import { readJobs, readScaledJobs, type ClusterObjects } from './cluster-objects';
import { jobRows } from './job-rows';
import { UnreachableError, type Kube } from './kube';
import type { Phase, RunningItem } from './progress';
import { scaledJobRows, type QueueReport } from './scaled-job-rows';

const POLL_MS = 2_000;

/** An API server may restart while jobs run. */
const UNREACHABLE_LIMIT_MS = 60_000;

export interface WatchOptions {
  readonly phase: Phase;
  readonly signal: AbortSignal;
  /** How long to wait for all of them. */
  readonly limitMs: number;
  readonly pollMs?: number;
}

/** What is watched of a job or a ScaledJob. */
interface WatchedRow {
  readonly name: string;
  readonly phase: string;
  readonly node: string | null;
  readonly images: number | null;
  readonly why?: string | null;
}

/** The jobs and their pods. */
export type JobObjects = Pick<ClusterObjects, 'jobs' | 'pods'>;
/** The ScaledJobs, and all that their rows are made of. */
export type ScaledJobObjects = JobObjects & Pick<ClusterObjects, 'nodes' | 'scaledJobs'>;

/**
 * Waits until every named job is complete or failed, or the limit is over, showing each one's phase and node.
 * @returns the jobs and pods as they were last.
 */
export function watchJobs(
  kube: Kube,
  names: readonly string[],
  options: WatchOptions,
): Promise<JobObjects> {
  const look = async () => {
    const seen = await readJobs(kube);
    return { seen, rows: jobRows(seen.jobs, seen.pods) };
  };
  return watchRows(names, look, { jobs: [], pods: [] }, options);
}

/** Waits for ScaledJobs in the same way. @param ask what the external scaler says of them. */
export function watchScaledJobs(
  kube: Kube,
  names: readonly string[],
  ask: () => Promise<QueueReport>,
  options: WatchOptions,
): Promise<ScaledJobObjects> {
  const look = async () => {
    const [work, scaledJobs, { items: nodes }, report] = await Promise.all([
      readJobs(kube),
      readScaledJobs(kube),
      kube.json<{ items: V1Node[] }>('/api/v1/nodes'),
      ask(),
    ]);
    const seen = { ...work, scaledJobs, nodes };
    return { seen, rows: scaledJobRows(scaledJobs, seen, report) };
  };
  return watchRows(names, look, { jobs: [], pods: [], scaledJobs: [], nodes: [] }, options);
}

async function watchRows<T>(
  names: readonly string[],
  look: () => Promise<{ seen: T; rows: readonly WatchedRow[] }>,
  nothing: T,
  { phase, signal, limitMs, pollMs = POLL_MS }: WatchOptions,
): Promise<T> {
  const untilMs = Date.now() + limitMs;
  const items = new Map<string, RunningItem>();
  let answeredMs = Date.now();
  let last: { seen: T; rows: readonly WatchedRow[] } = { seen: nothing, rows: [] };
  for (;;) {
    signal.throwIfAborted();
    try {
      last = await look();
      answeredMs = Date.now();
    } catch (error) {
      const gone = Date.now() - answeredMs > UNREACHABLE_LIMIT_MS;
      if (!(error instanceof UnreachableError) || gone) throw error;
    }
    const rows = new Map(last.rows.map((row) => [row.name, row]));
    for (const name of names) show(name, rows.get(name), items, phase);
    const ended = names.filter((name) => isEnded(rows.get(name))).length;
    phase.summary(`${ended} of ${names.length} ended`);
    if (ended === names.length || Date.now() > untilMs) return last.seen;
    await wait(pollMs, undefined, { signal });
  }
}

/** True for a job that will not change any more. */
export function isEnded(row: Pick<WatchedRow, 'phase'> | undefined): boolean {
  return row?.phase === 'Complete' || row?.phase === 'Failed';
}

function show(
  name: string,
  row: WatchedRow | undefined,
  items: Map<string, RunningItem>,
  phase: Phase,
): void {
  let item = items.get(name);
  if (!item) {
    // A job that had ended before the first look is not worth a line.
    if (isEnded(row)) return;
    item = phase.begin(name);
    items.set(name, item);
  }
  const on = row?.node ? ` on ${row.node}` : '';
  if (row?.phase === 'Complete') item.done(`${row.images ?? 'unknown number of'} images${on}`);
  else if (row?.phase === 'Failed') item.failed(`failed${on}`);
  else item.detail(`${row?.phase ?? 'not there yet'}${on}${row?.why ? `: ${row.why}` : ''}`);
}
