import type { V1Job, V1Pod } from '@kubernetes/client-node';

/** Where a job stands. Queued: it is suspended until it is released. */
export type JobPhase = 'Queued' | 'Pending' | 'Running' | 'Complete' | 'Failed';

/** One posture job as `status` shows it. What is not known (yet) is null. */
export interface JobRow {
  readonly name: string;
  readonly phase: JobPhase;
  readonly node: string | null;
  readonly images: number | null;
  readonly good: number | null;
  readonly bad: number | null;
  readonly noPose: number | null;
  readonly seconds: number | null;
}

/** Label by which KEDA marks the Jobs that it made of a ScaledJob. */
export const SCALED_JOB_LABEL = 'scaledjob.keda.sh/name';

/** Name of the container whose last words are the job's results. */
export const ANALYZER = 'analyzer';

/** The CPU of the node (0..1) as the scheduler measured it when it chose it. */
const CHOSEN_CPU = 'cpu-scheduler.berth.dev/node-cpu-ratio';

/** The row of each job that is not KEDA's, in the order of their names' numbers. */
export function jobRows(jobs: readonly V1Job[], pods: readonly V1Pod[]): JobRow[] {
  return jobs
    .filter(({ metadata }) => metadata?.labels?.[SCALED_JOB_LABEL] === undefined)
    .map((job) => jobRow(job, podOfJob(job, pods)))
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

/** The pod that stands for a job: the one that succeeded, or else the newest. */
export function podOfJob(job: V1Job, pods: readonly V1Pod[]): V1Pod | undefined {
  const own = pods
    .filter((pod) => pod.metadata?.ownerReferences?.some(({ uid }) => uid === job.metadata?.uid))
    .sort((a, b) => createdMs(b) - createdMs(a));
  return own.find((pod) => pod.status?.phase === 'Succeeded') ?? own[0];
}

/** Measured CPU (0..1) of the pod's node when it was chosen; null where it was unknown or is not recorded. */
export function chosenCpuRatio(pod: V1Pod | undefined): number | null {
  const text = pod?.metadata?.annotations?.[CHOSEN_CPU];
  const ratio = text === undefined || text === '' ? NaN : Number(text);
  return Number.isFinite(ratio) ? ratio : null;
}

/** The row of one job. @param pod the pod that stands for it. */
export function jobRow(job: V1Job, pod: V1Pod | undefined): JobRow {
  const summary = terminationSummary(pod);
  const number = (key: string) => {
    const value = summary[key];
    return typeof value === 'number' && Number.isFinite(value) ? value : null;
  };
  return {
    name: job.metadata?.name ?? '',
    phase: phaseOf(job, pod),
    node: pod?.spec?.nodeName ?? null,
    images: number('images'),
    good: number('good'),
    bad: number('bad'),
    noPose: number('noPose'),
    seconds: number('seconds'),
  };
}

function phaseOf(job: V1Job, pod: V1Pod | undefined): JobPhase {
  for (const { type, status } of job.status?.conditions ?? [])
    if (status === 'True' && (type === 'Complete' || type === 'Failed')) return type;
  if (pod?.status?.phase === 'Running') return 'Running';
  return job.spec?.suspend ? 'Queued' : 'Pending';
}

/** What the analyzer wrote as it ended; empty where it has not ended or wrote something else. */
function terminationSummary(pod: V1Pod | undefined): Record<string, unknown> {
  const status = pod?.status?.containerStatuses?.find(({ name }) => name === ANALYZER);
  try {
    const parsed: unknown = JSON.parse(status?.state?.terminated?.message ?? '{}');
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}

const createdMs = (pod: V1Pod) => new Date(pod.metadata?.creationTimestamp ?? 0).getTime();
