/** A program that runs to its end: how many processors it keeps busy, and for how much processor time. */
export interface TracedJob {
  readonly name: string;
  readonly arrivalMs: number;
  readonly processors: number;
  /** Processor time until it is done. */
  readonly workMs: number;
}

/** What is played: CPU that others use on each node, and jobs that somebody has to place. */
export interface CpuTrace {
  readonly intervalMs: number;
  readonly processorsPerNode: number;
  /** Processors that others keep busy, in each interval, by node; what was last goes on. */
  readonly background: Readonly<Record<string, readonly number[]>>;
  readonly jobs: readonly TracedJob[];
}

/** Use of a node over some time, 0..1. */
export interface UseSample {
  readonly forMs: number;
  readonly cpuRatio: number;
}

/** Processors that others keep busy on a node at a time. */
export function backgroundAt(
  { background, intervalMs }: CpuTrace,
  node: string,
  atMs: number,
): number {
  const values = background[node] ?? [];
  return values[Math.min(values.length - 1, Math.floor(atMs / intervalMs))] ?? 0;
}

/** The part of what it wants that everyone gets on a node: all of it, or an equal part of each when there is not enough. */
export const shareOf = (wanted: number, processors: number): number =>
  wanted <= processors ? 1 : processors / wanted;

/** What one node does with the jobs on it. */
export interface NodeRun {
  /** When its last job is done; 0 without one. */
  readonly endMs: number;
  readonly samples: readonly UseSample[];
}

/** Plays a node from the beginning until its jobs, which start as they arrive, are done, and at least until a time. */
export function playNode(
  trace: CpuTrace,
  node: string,
  jobs: readonly TracedJob[],
  untilMs = 0,
): NodeRun {
  const left = new Map(jobs.map((job) => [job, job.workMs]));
  const samples: UseSample[] = [];
  let endMs = 0;
  for (let atMs = 0; left.size > 0 || atMs < untilMs; atMs += trace.intervalMs) {
    const running = [...left.keys()].filter(({ arrivalMs }) => arrivalMs <= atMs);
    const wanted = running.reduce(
      (sum, { processors }) => sum + processors,
      backgroundAt(trace, node, atMs),
    );
    const share = shareOf(wanted, trace.processorsPerNode);
    for (const job of running) {
      const takesMs = (left.get(job) ?? 0) / (job.processors * share);
      if (takesMs <= trace.intervalMs) {
        left.delete(job);
        endMs = Math.max(endMs, atMs + takesMs);
      } else left.set(job, (left.get(job) ?? 0) - job.processors * share * trace.intervalMs);
    }
    const cpuRatio = (wanted * share) / trace.processorsPerNode;
    samples.push({ forMs: trace.intervalMs, cpuRatio });
  }
  return { endMs, samples };
}

/** The highest mean use over any window of this length; over all when that is less. */
export function peakOf(samples: readonly UseSample[], windowMs: number): number {
  let [peak, used, heldMs, first] = [0, 0, 0, 0];
  for (const { forMs, cpuRatio } of samples) {
    used += cpuRatio * forMs;
    heldMs += forMs;
    for (let oldest = samples[first]; oldest && heldMs - oldest.forMs >= windowMs;) {
      used -= oldest.cpuRatio * oldest.forMs;
      heldMs -= oldest.forMs;
      oldest = samples[(first += 1)];
    }
    if (heldMs >= windowMs) peak = Math.max(peak, used / heldMs);
  }
  return heldMs < windowMs && heldMs > 0 ? used / heldMs : peak;
}
