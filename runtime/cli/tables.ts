import Table from 'cli-table3';
import type { AutoscalerReport } from './autoscaler-report';
import type { JobRow } from './job-rows';
import type { LatencyReport } from './latency-report';
import type { ScaledJobRow } from './scaled-job-rows';
import type { Status } from './status-shape';

/** A row of the table that `up` ends with. */
export interface ResultRow extends Omit<JobRow, 'phase'> {
  readonly phase: JobRow['phase'] | ScaledJobRow['phase'];
  readonly slot: number | null;
  /** CPU (0..1) of the node when it was chosen. */
  readonly chosenCpuRatio: number | null;
}

type Cell = string | number;
const UNKNOWN = '–';

/** What each job, or ScaledJob, came to. */
export function resultTable(rows: readonly ResultRow[]): string {
  return table(
    ['job', 'node', 'slot', 'CPU when chosen', 'images', 'Good / Bad / NoPose', 'duration'],
    rows.map((row) => [
      row.phase === 'Complete' ? row.name : `${row.name} (${row.phase})`,
      row.node ?? UNKNOWN,
      row.slot ?? UNKNOWN,
      percent(row.chosenCpuRatio),
      row.images ?? UNKNOWN,
      verdicts(row),
      seconds(row.seconds),
    ]),
  );
}

/** The tables of `status`: nodes, jobs, ScaledJobs, latency-aware scheduling, workers, services. */
export function statusTables(status: Status): string {
  const { nodes, jobs, scaledJobs, latency, autoscaling, services } = status;
  const tables = [
    table(
      ['node', 'ready', 'eligible', 'slot', 'CPU'],
      nodes.map((node) => [
        node.name,
        yesNo(node.ready),
        yesNo(node.eligible),
        node.slot ?? UNKNOWN,
        percent(node.cpuRatio),
      ]),
    ),
  ];
  if (jobs.length > 0)
    tables.push(
      table(
        ['job', 'phase', 'node', 'images', 'Good / Bad / NoPose', 'duration'],
        jobs.map((job) => [
          job.name,
          job.phase,
          job.node ?? UNKNOWN,
          job.images ?? UNKNOWN,
          verdicts(job),
          seconds(job.seconds),
        ]),
      ),
    );
  if (scaledJobs.length > 0)
    tables.push(
      table(
        ['ScaledJob', 'phase', 'node', 'slot', 'done', 'Good / Bad / NoPose', 'why not yet'],
        scaledJobs.map((one) => [
          one.name,
          one.phase,
          one.node ?? UNKNOWN,
          one.slot ?? UNKNOWN,
          one.completed,
          verdicts(one),
          one.why ?? '',
        ]),
      ),
    );
  if (latency !== null) tables.push(latencyTable(latency));
  if (autoscaling !== null) tables.push(autoscalingTable(autoscaling));
  if (services.length > 0)
    tables.push(
      table(
        ['service', 'ready', 'image'],
        services.map(({ name, ready, image }) => [name, yesNo(ready), shortImage(image)]),
      ),
    );
  return tables.join('\n');
}

/** Where the latency-aware scheduler's pods are, and how its extender rates nodes. */
export function latencyTable({ unanswered, target, why, nodes, pods }: LatencyReport): string {
  const on = (name: string | null) => pods.filter(({ node }) => node === name).length;
  const waiting = on(null) === 0 ? '' : `; ${on(null)} of ${pods.length} pods wait for a node`;
  if (unanswered !== null) return unanswered + waiting;
  return [
    table(
      ['latency-aware scheduling', 'pods', 'CPU', 'latency', 'score', 'why not'],
      nodes.map((row) => [
        row.node === target ? `${row.node} (busiest)` : row.node,
        on(row.node),
        percent(row.cpuRatio),
        row.latencyMs === null ? UNKNOWN : `${row.latencyMs.toFixed(1)} ms`,
        row.score === null ? UNKNOWN : row.score.toFixed(3),
        row.why ?? '',
      ]),
    ),
    `latency is counted ${target === null ? 'to the median of all nodes' : `to ${target}`}: ${why}${waiting}`,
  ].join('\n');
}

/** The workers that the autoscaler counts, and what it decided last. */
export function autoscalingTable(report: AutoscalerReport): string {
  const { unanswered, minNodes, maxNodes, dryRun, reason, workers } = report;
  if (unanswered !== null) return unanswered;
  return [
    table(
      ['autoscaling: worker', 'kind', 'ready', 'under way'],
      workers.map((row) => [row.name, row.kind, yesNo(row.ready), row.operation ?? '']),
    ),
    `${workers.length} workers, within ${minNodes} to ${maxNodes}${dryRun ? ' (dry run: nothing is changed)' : ''}; last decision: ${reason || 'none yet'}`,
  ].join('\n');
}

function table(head: string[], rows: Cell[][]): string {
  const made = new Table({ head, style: { head: [], border: [] } });
  made.push(...rows);
  return made.toString();
}

/** A digest is cut to what tells it from others; `--json` has the whole of it. */
const shortImage = (image: string) => image.replace(/@sha256:([0-9a-f]{12})[0-9a-f]*/g, '@$1');
const percent = (ratio: number | null) =>
  ratio === null ? UNKNOWN : `${(ratio * 100).toFixed(1)} %`;
const seconds = (value: number | null) => (value === null ? UNKNOWN : `${value.toFixed(1)} s`);
const yesNo = (value: boolean) => (value ? 'yes' : 'no');
const verdicts = ({ good, bad, noPose }: Pick<JobRow, 'good' | 'bad' | 'noPose'>) =>
  good === null && bad === null && noPose === null
    ? UNKNOWN
    : [good, bad, noPose].map((count) => count ?? UNKNOWN).join(' / ');
