import type { NodeVerdict } from '../node-availability/types';
import type { Logger } from '../shared/log';
import type { NodeControllerMetrics } from './metrics';
import { releaseDecision } from './policy/release';
import type { ClusterWatch, Jobs, Leadership } from './ports';
import type { ReleaseDecision } from './types';

/** Unsuspends Jobs of the queue as berths are free. */
export class JobReleases {
  #last: ReleaseDecision | undefined;

  constructor(
    private readonly watch: ClusterWatch,
    private readonly jobs: Jobs,
    private readonly leadership: Leadership,
    private readonly log: Logger,
    private readonly metrics: NodeControllerMetrics,
  ) {}

  /** What was decided when there last was a Job in the queue; undefined before. */
  get last(): ReleaseDecision | undefined {
    return this.#last;
  }

  /**
   * One round: asks the server what there is now, decides, and unsuspends while this is the leader. Ends at the first
   * release whose outcome is not known: the next round sees it. Never rejects.
   */
  async run(verdicts: readonly NodeVerdict[], signal: AbortSignal): Promise<void> {
    if (this.watch.queuedJobs === 0) {
      this.#last = undefined;
      return;
    }
    let decision: ReleaseDecision;
    try {
      decision = releaseDecision(verdicts, await this.jobs.look(signal));
    } catch (error) {
      if (!signal.aborted) this.log.warn({ err: error }, 'cannot see the Jobs and pods');
      return;
    }
    this.#last = decision;
    this.metrics.freeBerths.set(decision.freeBerths);
    for (const job of decision.release) {
      if (signal.aborted || !this.leadership.isLeader()) return;
      const outcome = await this.jobs.release(job, signal);
      this.metrics.releases.inc({ outcome: outcome.kind });
      const { freeBerths } = decision;
      if (outcome.kind === 'done') this.log.info({ job: job.name, freeBerths }, 'released a Job');
      else this.log.warn({ job: job.name, outcome }, 'could not release a Job');
      if (outcome.kind === 'failed') return;
    }
  }
}
