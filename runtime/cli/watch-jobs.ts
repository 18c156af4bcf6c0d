import { setTimeout as wait } from 'node:timers/promises';
import type { ClusterObjects } from './cluster-objects';
import { readJobs } from './cluster-objects';
import { jobRows, type JobRow } from './job-rows';
import { UnreachableError, type Kube } from './kube';
import type { Phase, RunningItem } from './progress';

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

/**
 * Waits until every named job is complete or failed, or the limit is over, showing each one's phase and node.
 * @returns the jobs and pods as they were last.
 */
export async function watchJobs(
  kube: Kube,
  names: readonly string[],
  { phase, signal, limitMs, pollMs = POLL_MS }: WatchOptions,
): Promise<Pick<ClusterObjects, 'jobs' | 'pods'>> {
  const untilMs = Date.now() + limitMs;
  const items = new Map<string, RunningItem>();
  let answeredMs = Date.now();
  let last: Pick<ClusterObjects, 'jobs' | 'pods'> = { jobs: [], pods: [] };
  for (;;) {
    signal.throwIfAborted();
    try {
      last = await readJobs(kube);
      answeredMs = Date.now();
    } catch (error) {
      const gone = Date.now() - answeredMs > UNREACHABLE_LIMIT_MS;
      if (!(error instanceof UnreachableError) || gone) throw error;
    }
    const rows = new Map(jobRows(last.jobs, last.pods).map((row) => [row.name, row]));
    for (const name of names) show(name, rows.get(name), items, phase);
    const ended = names.filter((name) => isEnded(rows.get(name))).length;
    phase.summary(`${ended} of ${names.length} ended`);
    if (ended === names.length || Date.now() > untilMs) return last;
    await wait(pollMs, undefined, { signal });
  }
}

/** True for a job that will not change any more. */
export function isEnded(row: JobRow | undefined): boolean {
  return row?.phase === 'Complete' || row?.phase === 'Failed';
}

function show(
  name: string,
  row: JobRow | undefined,
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
  else item.detail(`${row?.phase ?? 'not there yet'}${on}`);
}
