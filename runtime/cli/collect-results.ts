import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { V1Node } from '@kubernetes/client-node';
import { podLog, type ClusterObjects } from './cluster-objects';
import { explainJob } from './explain-job';
import { ANALYZER, chosenCpuRatio, jobRows, podOfJob } from './job-rows';
import type { Kube } from './kube';
import { resultsCsv } from './results';
import type { StackFolder } from './stack-folder';
import { slotOf } from './status-shape';
import type { ResultRow } from './tables';

/** What the jobs came to. */
export interface JobResults {
  readonly rows: readonly ResultRow[];
  /** Why the jobs that are not complete are not; empty where all are. */
  readonly problems: readonly string[];
}

/**
 * Writes `results/<job>.csv` for each job whose pod logged rows, and says what each job came to.
 * @param names the jobs that should be there.
 */
export async function collectResults(
  folder: StackFolder,
  kube: Kube,
  names: readonly string[],
  { jobs, pods }: Pick<ClusterObjects, 'jobs' | 'pods'>,
): Promise<JobResults> {
  const { items: nodes } = await kube.json<{ items: V1Node[] }>('/api/v1/nodes');
  const slots = new Map(nodes.map((node) => [node.metadata?.name, slotOf(node)]));
  mkdirSync(folder.results, { recursive: true });
  const known = new Map(jobRows(jobs, pods).map((row) => [row.name, row]));
  const results = names.map(async (name) => {
    const job = jobs.find(({ metadata }) => metadata?.name === name);
    const pod = job && podOfJob(job, pods);
    const log = pod ? await podLog(kube, pod, ANALYZER) : '';
    const csv = resultsCsv(log);
    if (csv !== undefined) writeFileSync(join(folder.results, `${name}.csv`), csv);
    const row = known.get(name);
    const problems = row?.phase === 'Complete' ? [] : explainJob(name, job, pod, log);
    const slot = slots.get(row?.node ?? '') ?? null;
    return { row: row && { ...row, slot, chosenCpuRatio: chosenCpuRatio(pod) }, problems };
  });
  const all = await Promise.all(results);
  return {
    rows: all.flatMap(({ row }) => (row ? [row] : [])),
    problems: all.flatMap(({ problems }) => problems),
  };
}
