import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { V1Job, V1Node, V1Pod } from '@kubernetes/client-node';
import { podLog } from './cluster-objects';
import { explainJob } from './explain-job';
import { ANALYZER, chosenCpuRatio, jobRows, podOfJob } from './job-rows';
import type { Kube } from './kube';
import { slotOf } from './node-slot';
import { resultsCsv } from './results';
import { jobOfScaledJob, scaledJobRows, type QueueReport } from './scaled-job-rows';
import type { StackFolder } from './stack-folder';
import type { ResultRow } from './tables';
import type { JobObjects, ScaledJobObjects } from './watch-jobs';

/** What the jobs came to. */
export interface JobResults {
  readonly rows: readonly ResultRow[];
  /** Why the jobs that are not complete are not; empty where all are. */
  readonly problems: readonly string[];
}

/** A job whose results are collected. */
interface Subject {
  readonly name: string;
  readonly row: Omit<ResultRow, 'slot' | 'chosenCpuRatio'> | undefined;
  readonly job: V1Job | undefined;
  /** What is known beside the job itself of why it is not complete. */
  readonly why?: string | null | undefined;
}

/**
 * Writes `results/<job>.csv` for each job whose pod logged rows, and says what each job came to.
 * @param names the jobs that should be there.
 */
export function collectResults(
  folder: StackFolder,
  kube: Kube,
  names: readonly string[],
  { jobs, pods }: JobObjects,
): Promise<JobResults> {
  const known = new Map(jobRows(jobs, pods).map((row) => [row.name, row]));
  const subjects = names.map((name) => ({
    name,
    row: known.get(name),
    job: jobs.find(({ metadata }) => metadata?.name === name),
  }));
  return collect(folder, kube, subjects, pods);
}

/** The same for ScaledJobs, each with the results of the Job that stands for it. */
export function collectScaledResults(
  folder: StackFolder,
  kube: Kube,
  names: readonly string[],
  seen: ScaledJobObjects,
  report: QueueReport,
): Promise<JobResults> {
  const known = new Map(scaledJobRows(seen.scaledJobs, seen, report).map((row) => [row.name, row]));
  const subjects = names.map((name) => {
    const scaledJob = seen.scaledJobs.find(({ metadata }) => metadata?.name === name);
    const row = known.get(name);
    return { name, row, job: scaledJob && jobOfScaledJob(scaledJob, seen.jobs), why: row?.why };
  });
  return collect(folder, kube, subjects, seen.pods);
}

async function collect(
  folder: StackFolder,
  kube: Kube,
  subjects: readonly Subject[],
  pods: readonly V1Pod[],
): Promise<JobResults> {
  const { items: nodes } = await kube.json<{ items: V1Node[] }>('/api/v1/nodes');
  const slots = new Map(nodes.map((node) => [node.metadata?.name, slotOf(node)]));
  mkdirSync(folder.results, { recursive: true });
  const results = subjects.map(async ({ name, row, job, why }) => {
    const pod = job && podOfJob(job, pods);
    const log = pod ? await podLog(kube, pod, ANALYZER) : '';
    const csv = resultsCsv(log);
    if (csv !== undefined) writeFileSync(join(folder.results, `${name}.csv`), csv);
    const problems =
      row?.phase === 'Complete'
        ? []
        : [...explainJob(name, job, pod, log), ...(why ? [`  ${why}`] : [])];
    const slot = slots.get(row?.node ?? '') ?? null;
    return { row: row && { ...row, slot, chosenCpuRatio: chosenCpuRatio(pod) }, problems };
  });
  const all = await Promise.all(results);
  return {
    rows: all.flatMap(({ row }) => (row ? [row] : [])),
    problems: all.flatMap(({ problems }) => problems),
  };
}
