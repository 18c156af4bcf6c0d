import { actionOf, type Replayed } from '../../autoscaler/policy/replay';
import { percent, table, UNKNOWN, yesNo } from '../tables';
import type { ClusterStatus, HistoryAnswer, RulesAnswer } from './answers';

const STORES = ['kubernetes', 'redis', 'mongodb', 'docker'] as const;
const time = (atMs: number): string => new Date(atMs).toISOString().slice(0, 19).replace('T', ' ');

/** How the autoscaler is, what it decided last, and its nodes. */
export function clusterTables(status: ClusterStatus): string {
  const { health, cluster, nodes, workers, reconciliation } = status;
  const away: string[] = STORES.filter((store) => health[store].state !== 'up');
  for (const [what, told] of Object.entries(health.prometheus))
    if (told !== 'known') away.push(`${what}: ${told}`);
  const of = (name: string) => workers.find((one) => one.name === name);
  const names = [...new Set([...nodes, ...workers].map(({ name }) => name))].sort((a, b) =>
    a.localeCompare(b, 'en', { numeric: true }),
  );
  const rows = names.map((name) => {
    const node = nodes.find((one) => one.name === name);
    const worker = of(name);
    return [
      name,
      node === undefined ? 'no node' : role(node.worker, worker?.record?.permanent),
      node === undefined ? UNKNOWN : yesNo(node.ready) + (node.cordoned ? ', cordoned' : ''),
      percent(node?.cpu.ratio ?? null),
      percent(node?.memory.ratio ?? null),
      node?.pods ?? UNKNOWN,
      worker?.container ? (worker.container.running ? 'runs' : 'stopped') : UNKNOWN,
      worker?.operation ? `${worker.operation.kind}: ${worker.operation.step}` : '',
    ];
  });
  const last = reconciliation;
  return [
    `autoscaler: ${health.status} (${health.role})${away.length > 0 ? `; not well: ${away.join(', ')}` : ''}`,
    cluster.decision === null
      ? 'nothing decided yet'
      : `last decision: ${cluster.decision}, ${cluster.reason ?? ''} (${cluster.workers ?? UNKNOWN} workers, ${cluster.pending ?? UNKNOWN} pods wait for a new one)`,
    last === null
      ? 'not reconciled yet'
      : `reconciled ${time(last.atMs)}: ${last.found.length} issues found, ${last.fixed.length} fixed, ${last.failed.length} not`,
    table(['node', 'role', 'ready', 'CPU', 'memory', 'pods', 'container', 'operation'], rows),
  ].join('\n');
}

const role = (worker: boolean, permanent = false): string =>
  worker ? (permanent ? 'permanent worker' : 'worker') : 'control plane';

/** What was scaled, the most recent first. */
export function historyTable({ events, source }: HistoryAnswer): string {
  if (events.length === 0) return 'nothing was scaled';
  const rows = events.map(({ atMs, kind, outcome, worker, reason }) => [
    ...[time(atMs), kind, outcome, worker, reason],
  ]);
  const note = source === 'mongodb' ? '' : '\nMongoDB is away: only what Redis keeps is shown';
  return table(['time (UTC)', 'what', 'outcome', 'worker', 'why'], rows) + note;
}

/** Rules, and what writing them down has changed. */
export const rulesTable = ({ rules }: RulesAnswer): string =>
  table(
    ['rule', 'action', 'when', 'cooldown', 'at most', ''],
    rules.map(({ name, action, condition, cooldownMs, most, change }) => [
      ...[name, action, condition, `${cooldownMs / 1000} s`, most, change],
    ]),
  );

/** Consecutive decisions that differ in the same way, as one. */
export interface ReplaySpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly decisions: number;
  readonly was: string;
  readonly wasReason: string;
  readonly would: string;
  readonly wouldReason: string;
}

/** Where a replay differs, the earliest first. @param replayed in the order in which they were decided. */
export function differences(replayed: readonly Replayed[]): ReplaySpan[] {
  const spans: ReplaySpan[] = [];
  let open = false;
  for (const { atMs, was, would, differs } of replayed) {
    const last = spans.at(-1);
    const [wasDone, wouldBe] = [actionOf(was), actionOf(would)];
    if (differs && open && last?.was === wasDone && last.would === wouldBe)
      spans[spans.length - 1] = { ...last, toMs: atMs, decisions: last.decisions + 1 };
    else if (differs)
      spans.push({
        ...{ fromMs: atMs, toMs: atMs, decisions: 1 },
        ...{ was: wasDone, wasReason: was.reason, would: wouldBe, wouldReason: would.reason },
      });
    open = differs;
  }
  return spans;
}

/** What `replay` shows. */
export function replayTable(replayed: readonly Replayed[]): string {
  const [first, last] = [replayed[0], replayed.at(-1)];
  if (first === undefined || last === undefined) return 'no decision was recorded in that time';
  const spans = differences(replayed);
  const count = spans.reduce((sum, { decisions }) => sum + decisions, 0);
  const summary = `${replayed.length} decisions from ${time(first.atMs)} to ${time(last.atMs)} UTC: ${count} would differ`;
  if (spans.length === 0) return summary;
  const rows = spans.map((one) => [
    ...[time(one.fromMs), time(one.toMs), one.decisions],
    ...[`${one.was}: ${one.wasReason}`, `${one.would}: ${one.wouldReason}`],
  ]);
  return `${table(['from (UTC)', 'to', 'decisions', 'was', 'would be'], rows)}\n${summary}`;
}
