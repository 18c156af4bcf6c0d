import type { NodeState, WorkerContainer } from '../ports';
import type { Operation, WorkerRecord, WorkerStatus } from '../types';
import { workerNumber } from './worker-name';

/** What is wrong, as the metric's label `type` names it. */
export const ISSUES = [
  'stale_redis',
  'stale_mongodb',
  'orphaned_node',
  'orphaned_container',
  'missing_redis',
  'missing_mongodb',
  'status_mismatch',
  'counter_drift',
] as const;
export type Issue = (typeof ISSUES)[number];

/** What each source says; undefined for one that could not be asked, on which nothing is then built. */
export interface FourSources {
  readonly containers: readonly WorkerContainer[] | undefined;
  readonly nodes: readonly NodeState[] | undefined;
  readonly live:
    | {
        readonly workers: readonly WorkerRecord[];
        readonly counter: number;
        readonly operations: readonly Operation[];
      }
    | undefined;
  readonly history: readonly WorkerRecord[] | undefined;
}

/** One thing that is wrong, and what mends it. */
export type Fix = { readonly issue: Issue; readonly why: string } & (
  | { readonly act: 'remove-container' | 'delete-node'; readonly worker: string }
  | { readonly act: 'remove-live' | 'remove-history'; readonly worker: string }
  | { readonly act: 'put-live' | 'put-history'; readonly record: WorkerRecord }
  | { readonly act: 'raise-counter'; readonly to: number }
);

/** The settings that reconciliation rests on. */
export interface ReconcileSettings {
  readonly permanentWorkers: ReadonlySet<string>;
  /** A container younger than this may have no node yet. */
  readonly startLimitMs: number;
}

/**
 * What has to be done so that Docker, Kubernetes, Redis and MongoDB say the same. Workers of operations in the journal
 * are left to these. Docker and Kubernetes say what is there; the other two follow. Permanent workers are never removed.
 * Without the journal (Redis) nothing is done at all: what looks orphaned may be under way.
 */
export function reconcile(sources: FourSources, settings: ReconcileSettings, nowMs: number): Fix[] {
  const { live } = sources;
  if (live === undefined) return [];
  const busy = new Set(live.operations.map(({ worker }) => worker));
  const free = ({ name }: { readonly name: string }): boolean =>
    workerNumber(name) !== null && !busy.has(name);
  const containers = sources.containers && byName(sources.containers.filter(free));
  const nodes =
    sources.nodes && byName(sources.nodes.filter((one) => free(one) && !one.controlPlane));
  const records = byName(live.workers.filter(({ name }) => !busy.has(name)));
  const stored = sources.history && byName(sources.history.filter(({ name }) => !busy.has(name)));
  const permanent = (name: string): boolean => settings.permanentWorkers.has(name);
  const fixes: Fix[] = [];

  if (containers !== undefined && nodes !== undefined) {
    for (const [worker, { createdAtMs }] of containers) {
      if (nodes.has(worker) || permanent(worker)) continue;
      if (nowMs - createdAtMs <= settings.startLimitMs) continue;
      containers.delete(worker);
      const why = 'its container has no node, and is too old to be still starting';
      fixes.push({ issue: 'orphaned_container', act: 'remove-container', worker, why });
    }
    for (const [worker, { ready }] of nodes) {
      if (containers.has(worker) || permanent(worker)) continue;
      // A Ready node has an agent somewhere; a container that has just gone shows in the next round.
      if (ready) continue;
      nodes.delete(worker);
      const why = 'its node is not Ready, and has no container';
      fixes.push({ issue: 'orphaned_node', act: 'delete-node', worker, why });
    }
    for (const worker of records.keys())
      if (!containers.has(worker) && !nodes.has(worker))
        fixes.push({
          ...{ issue: 'stale_redis', act: 'remove-live', worker },
          why: 'Redis has a record of it; there is neither container nor node',
        });
    for (const worker of stored?.keys() ?? [])
      if (!containers.has(worker) && !nodes.has(worker))
        fixes.push({
          ...{ issue: 'stale_mongodb', act: 'remove-history', worker },
          why: 'MongoDB has a record of it; there is neither container nor node',
        });
    for (const [name, node] of nodes) {
      const container = containers.get(name);
      if (container === undefined) continue;
      const known = records.get(name) ?? stored?.get(name);
      const record: WorkerRecord = {
        name,
        number: workerNumber(name) ?? 0,
        permanent: permanent(name),
        status: statusOf(node),
        createdAtMs: known?.createdAtMs ?? container.createdAtMs,
      };
      fixes.push(...fixesOf(record, records.get(name), stored, name));
    }
  }

  const inUse: readonly { readonly name: string }[] = [
    ...(sources.containers ?? []),
    ...(sources.nodes ?? []),
    ...live.workers,
    ...live.operations.map(({ worker }) => ({ name: worker })),
  ];
  const highest = inUse.reduce((most, { name }) => Math.max(most, workerNumber(name) ?? 0), 0);
  if (live.counter < highest)
    fixes.push({
      ...{ issue: 'counter_drift', act: 'raise-counter', to: highest },
      why: `the counter is ${live.counter}, and number ${highest} is in use`,
    });
  return fixes;
}

/** What Redis and MongoDB lack of a worker that is there. */
function fixesOf(
  record: WorkerRecord,
  live: WorkerRecord | undefined,
  stored: ReadonlyMap<string, WorkerRecord> | undefined,
  name: string,
): Fix[] {
  const fixes: Fix[] = [];
  if (live === undefined)
    fixes.push({ issue: 'missing_redis', act: 'put-live', record, why: `${name} is not in Redis` });
  else if (live.status !== record.status)
    fixes.push({
      ...{ issue: 'status_mismatch', act: 'put-live', record },
      why: `Redis says ${live.status}, the node is ${record.status}`,
    });
  if (stored === undefined) return fixes;
  const kept = stored.get(name);
  if (kept === undefined)
    fixes.push({
      ...{ issue: 'missing_mongodb', act: 'put-history', record },
      why: `${name} is not in MongoDB`,
    });
  else if (kept.status !== record.status)
    fixes.push({
      ...{ issue: 'status_mismatch', act: 'put-history', record },
      why: `MongoDB says ${kept.status}, the node is ${record.status}`,
    });
  return fixes;
}

const byName = <T extends { readonly name: string }>(all: readonly T[]): Map<string, T> =>
  new Map(all.map((one) => [one.name, one]));

/** What a node is, in the words of a record. */
export const statusOf = ({ ready, cordoned }: NodeState): WorkerStatus =>
  !ready ? 'not-ready' : cordoned ? 'draining' : 'ready';
