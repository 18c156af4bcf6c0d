import type { NodeVerdict } from '../../node-availability/types';
import type { ObservedJob, ObservedPod, ReleaseDecision, WaitingJob, Work } from '../types';

/**
 * Available nodes that no analyzer is on, less the analyzers that will take one: pods that are not bound yet, and
 * pods that Jobs which are not suspended still have to make. Never below 0.
 */
export function freeBerths(verdicts: readonly NodeVerdict[], { jobs, pods }: Work): number {
  const workOf = new Map(jobs.filter(isWork).map((job) => [job.uid, job]));
  const held = new Set<string>();
  const podsOf = new Map<string, number>();
  let unbound = 0;
  for (const pod of pods) {
    if (pod.ended || !(pod.posture || (pod.jobUid !== undefined && workOf.has(pod.jobUid))))
      continue;
    if (pod.nodeName === undefined) unbound += 1;
    else held.add(pod.nodeName);
    if (pod.jobUid !== undefined) podsOf.set(pod.jobUid, (podsOf.get(pod.jobUid) ?? 0) + 1);
  }
  let unmade = 0;
  for (const job of workOf.values()) {
    if (job.suspended || job.ended) continue;
    const wanted = Math.min(job.parallelism, job.remaining);
    unmade += Math.max(0, wanted - (podsOf.get(job.uid) ?? 0));
  }
  const free = verdicts.filter(({ node, available }) => available && !held.has(node)).length;
  return Math.max(0, free - unbound - unmade);
}

/** The oldest suspended Jobs of the queue, one for each free berth, and why the others wait. */
export function releaseDecision(verdicts: readonly NodeVerdict[], work: Work): ReleaseDecision {
  const free = freeBerths(verdicts, work);
  const release: ObservedJob[] = [];
  const waiting: WaitingJob[] = [];
  for (const job of work.jobs.filter(isQueued).sort(byAge)) {
    const refusal = refusalOf(job, work.pods);
    if (refusal === undefined && release.length < free) release.push(job);
    else waiting.push({ job: job.name, why: refusal ?? `no free berth for it (${free} free)` });
  }
  return { freeBerths: free, release, waiting };
}

/** Whether the Job waits in the queue. */
export const isQueued = (job: ObservedJob): boolean =>
  job.queued && job.suspended && !job.ended && !job.deleting;

/** Whether the Job's pods take berths. */
const isWork = ({ queued, posture }: ObservedJob): boolean => queued || posture;

function refusalOf(job: ObservedJob, pods: readonly ObservedPod[]): string | undefined {
  if (job.parallelism !== 1)
    return `its parallelism is ${job.parallelism}; a Job of the queue takes one berth, so it must be 1`;
  // It was suspended while it ran, and its pod has not left its node yet.
  if (pods.some(({ jobUid, ended }) => jobUid === job.uid && !ended))
    return 'its last pod has not ended';
  return undefined;
}

const byAge = (a: ObservedJob, b: ObservedJob): number =>
  a.createdAtMs - b.createdAtMs || (a.name < b.name ? -1 : 1);
