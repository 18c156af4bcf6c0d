import type { V1Job, V1Node, V1Pod } from '@kubernetes/client-node';
import { jobRow, podOfJob, SCALED_JOB_LABEL, type JobRow } from './job-rows';
import { slotOf } from './node-slot';

/** A ScaledJob of KEDA, as far as it is read here. */
export interface ScaledJob {
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly generation?: number;
    readonly uid?: string;
  };
  readonly spec?: {
    readonly triggers?: readonly { readonly metadata?: Readonly<Record<string, string>> }[];
  };
  readonly status?: {
    readonly conditions?: readonly { type?: string; status?: string; message?: string }[];
  };
}

/** Where a ScaledJob stands: it waits for a node, a node is kept for it, its Job runs, or it has run. */
export type QueuePhase = 'Queued' | 'Released' | 'Running' | 'Complete' | 'Failed';

/** One ScaledJob as `status` shows it, with the results of its newest Job. What is not known is null. */
export interface ScaledJobRow extends Omit<JobRow, 'phase'> {
  readonly mode: 'once' | 'continuous';
  readonly phase: QueuePhase;
  /** Slot (1..10) of the node. */
  readonly slot: number | null;
  /** Jobs that completed since the ScaledJob last changed, as far as KEDA keeps them. */
  readonly completed: number;
  /** Why it does not run (yet); null where it does, or has. */
  readonly why: string | null;
}

/** What the external scaler says of one ScaledJob. */
export interface QueueEntry {
  /** `namespace/name`. */
  readonly scaledJob: string;
  readonly state: 'queued' | 'granted' | 'running' | 'done' | 'failed';
  readonly why: string;
}

/** What the external scaler says of the queue, or why it says nothing. */
export type QueueReport =
  { readonly queue: readonly QueueEntry[] } | { readonly unanswered: string };

/** What a row is made of. */
export interface QueueObjects {
  readonly nodes: readonly V1Node[];
  readonly jobs: readonly V1Job[];
  readonly pods: readonly V1Pod[];
}

const GENERATION = 'scaledjob.keda.sh/generation';

/** The row of each ScaledJob, in the order of their names' numbers. */
export function scaledJobRows(
  scaledJobs: readonly ScaledJob[],
  objects: QueueObjects,
  report: QueueReport,
): ScaledJobRow[] {
  return scaledJobs
    .map((one) => scaledJobRow(one, objects, report))
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

/** The Job that stands for a ScaledJob: the one that has not ended, or else the newest that completed, or failed. */
export function jobOfScaledJob(scaledJob: ScaledJob, jobs: readonly V1Job[]): V1Job | undefined {
  const own = jobsOf(scaledJob, jobs);
  return own.find((job) => !ended(job)) ?? own.find((job) => is(job, 'Complete')) ?? own[0];
}

/** How often a ScaledJob runs, as its trigger says. */
export const modeOf = (scaledJob: ScaledJob): 'once' | 'continuous' =>
  scaledJob.spec?.triggers?.some(({ metadata }) => metadata?.mode === 'once')
    ? 'once'
    : 'continuous';

function scaledJobRow(
  scaledJob: ScaledJob,
  { nodes, jobs, pods }: QueueObjects,
  report: QueueReport,
): ScaledJobRow {
  const { name = '', namespace = '', generation } = scaledJob.metadata ?? {};
  const mode = modeOf(scaledJob);
  const job = jobOfScaledJob(scaledJob, jobs);
  const pod = job && podOfJob(job, pods);
  const completed = jobsOf(scaledJob, jobs).filter(
    (one) => is(one, 'Complete') && generationOf(one) === (generation ?? 0),
  ).length;
  const entry =
    'queue' in report
      ? report.queue.find((one) => one.scaledJob === `${namespace}/${name}`)
      : undefined;
  const row = jobRow(job ?? {}, pod);
  const phase = phaseOf(row.phase, job, mode === 'once' && completed > 0, entry);
  return {
    ...row,
    name,
    mode,
    phase,
    slot: slotOf(nodes.find(({ metadata }) => metadata?.name === row.node) ?? {}),
    completed,
    why:
      phase === 'Running' || phase === 'Complete'
        ? null
        : whyNot(scaledJob, job, pod, entry, report),
  };
}

function phaseOf(
  jobPhase: JobRow['phase'],
  job: V1Job | undefined,
  done: boolean,
  entry: QueueEntry | undefined,
): QueuePhase {
  if (job !== undefined && !ended(job)) return jobPhase === 'Running' ? 'Running' : 'Released';
  if (done || entry?.state === 'done') return 'Complete';
  if (entry?.state === 'failed') return 'Failed';
  return entry?.state === 'granted' ? 'Released' : 'Queued';
}

/** Why it does not run: what its pod waits for, what KEDA complains of, or what the scaler says. */
function whyNot(
  { status }: ScaledJob,
  job: V1Job | undefined,
  pod: V1Pod | undefined,
  entry: QueueEntry | undefined,
  report: QueueReport,
): string | null {
  if (job !== undefined && !ended(job)) {
    const unscheduled = pod?.status?.conditions?.find(
      (one) => one.type === 'PodScheduled' && one.status === 'False',
    );
    return unscheduled?.message ?? null;
  }
  const broken = status?.conditions?.find((one) => one.type === 'Ready' && one.status === 'False');
  if ('unanswered' in report) return report.unanswered;
  const said = entry?.why ?? 'the scaler has not seen it yet';
  return broken ? `${said}; KEDA: ${broken.message ?? 'not ready'}` : said;
}

/** Its Jobs, newest first. */
function jobsOf({ metadata }: ScaledJob, jobs: readonly V1Job[]): V1Job[] {
  return jobs
    .filter(
      (job) =>
        job.metadata?.labels?.[SCALED_JOB_LABEL] === metadata?.name &&
        job.metadata?.namespace === metadata?.namespace,
    )
    .sort((a, b) => createdMs(b) - createdMs(a));
}

const generationOf = (job: V1Job) => Number(job.metadata?.annotations?.[GENERATION] ?? 0);
const createdMs = (job: V1Job) => new Date(job.metadata?.creationTimestamp ?? 0).getTime();
const is = (job: V1Job, condition: 'Complete' | 'Failed') =>
  (job.status?.conditions ?? []).some(
    ({ type, status }) => type === condition && status === 'True',
  );
const ended = (job: V1Job) => is(job, 'Complete') || is(job, 'Failed');
