import type { JobInfo, ScaledJobFacts, ScaledJobInfo } from '../types';

interface Tally {
  readonly ownerUid: string | null;
  readonly generation: number | null;
  completed: number;
  failed: number;
}

/**
 * A ScaledJob and what became of its Jobs. How a Job ended is remembered after the Job is deleted, as long as the
 * ScaledJob is the same one in the same generation; beyond that only what still exists is kept.
 */
export class ScaledJobRecord {
  #info: ScaledJobInfo | undefined;
  readonly #jobs = new Map<string, JobInfo>();
  readonly #counted = new Set<string>();
  readonly #tallies = new Map<string, Tally>();
  #jobsSeen = 0;

  /** There is neither the ScaledJob nor a Job of it. */
  get isEmpty(): boolean {
    return this.#info === undefined && this.#jobs.size === 0;
  }

  get info(): ScaledJobInfo | undefined {
    return this.#info;
  }

  set info(info: ScaledJobInfo | undefined) {
    this.#info = info;
    if (info === undefined) return;
    for (const [key, tally] of this.#tallies) if (!concerns(tally, info)) this.#tallies.delete(key);
  }

  setJob(job: JobInfo): void {
    if (!this.#jobs.has(job.uid)) this.#jobsSeen += 1;
    this.#jobs.set(job.uid, job);
    if ((job.phase !== 'complete' && job.phase !== 'failed') || this.#counted.has(job.uid)) return;
    this.#counted.add(job.uid);
    const { ownerUid, generation } = job;
    if (this.#info !== undefined && !concerns(job, this.#info)) return;
    const key = `${ownerUid} ${generation}`;
    const tally = this.#tallies.get(key) ?? { ownerUid, generation, completed: 0, failed: 0 };
    this.#tallies.set(key, tally);
    if (job.phase === 'complete') tally.completed += 1;
    else tally.failed += 1;
  }

  removeJob(uid: string): void {
    this.#jobs.delete(uid);
    this.#counted.delete(uid);
  }

  /** undefined while the ScaledJob itself is not known. */
  facts(): ScaledJobFacts | undefined {
    const info = this.#info;
    if (info === undefined) return undefined;
    let [completed, failed, unfinishedJobs] = [0, 0, 0];
    for (const tally of this.#tallies.values()) {
      if (!concerns(tally, info)) continue;
      completed += tally.completed;
      failed += tally.failed;
    }
    for (const { phase } of this.#jobs.values())
      if (phase === 'active' || phase === 'idle') unfinishedJobs += 1;
    const { generation, paused } = info;
    return { generation, paused, unfinishedJobs, jobsSeen: this.#jobsSeen, completed, failed };
  }
}

/** Whether a Job was made for this ScaledJob as it is now. What does not say is taken to be. */
const concerns = (
  job: Pick<JobInfo, 'ownerUid' | 'generation'>,
  { uid, generation }: ScaledJobInfo,
): boolean => (job.ownerUid ?? uid) === uid && (job.generation ?? generation) === generation;
