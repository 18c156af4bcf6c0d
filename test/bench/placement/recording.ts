import type { CpuTrace, TracedJob } from './cpu-world';

/** Processor time of one program, in ms since it began, each time it was looked at. */
export interface RecordedProgram {
  /** Number of the first look that saw it. */
  readonly firstLook: number;
  readonly cpuMs: readonly number[];
}

/** Programs of one machine, looked at in turn. */
export interface Recording {
  readonly intervalMs: number;
  readonly looks: number;
  readonly processors: number;
  readonly programs: readonly RecordedProgram[];
}

/** What of a recording is kept. */
export interface RecordedTrace {
  /** When and on what. */
  readonly recorded: string;
  readonly processors: number;
  readonly intervalMs: number;
  /** Processors that programs kept busy which are not among the jobs, in each interval. */
  readonly background: readonly number[];
  readonly jobs: readonly Omit<TracedJob, 'name'>[];
}

/** A program is a job when it came and went, took so much processor time, and kept so much of a processor busy. */
const JOB_CPU_MS = 1000;
const JOB_PROCESSORS = 0.1;

const rounded = (value: number): number => Math.round(value * 1000) / 1000;

/** Tells jobs from all else in a recording, over intervals of so many looks. */
export function traceOf(
  recording: Recording,
  looksPerInterval: number,
  recorded: string,
): RecordedTrace {
  const { intervalMs, looks, processors, programs } = recording;
  const intervals = Math.floor(looks / looksPerInterval);
  const usedMs = Array.from({ length: intervals }, () => 0);
  const jobs: Omit<TracedJob, 'name'>[] = [];
  for (const { firstLook, cpuMs } of programs) {
    const lastMs = (cpuMs.length - 1) * intervalMs;
    const [firstCpuMs = 0, workMs = 0] = [cpuMs[0], cpuMs.at(-1)];
    const cameAndWent = firstLook > 0 && firstLook + cpuMs.length < looks && lastMs > 0;
    if (cameAndWent && workMs >= JOB_CPU_MS && workMs / lastMs >= JOB_PROCESSORS) {
      const job = {
        arrivalMs: firstLook * intervalMs,
        processors: rounded(workMs / lastMs),
        workMs,
      };
      jobs.push(job);
      continue;
    }
    // What it had used before the recording began counts for none of the intervals.
    let before = firstLook === 0 ? firstCpuMs : 0;
    for (const [index, total] of cpuMs.entries()) {
      const interval = Math.floor((firstLook + index) / looksPerInterval);
      if (interval < intervals) usedMs[interval] = (usedMs[interval] ?? 0) + total - before;
      before = total;
    }
  }
  jobs.sort((a, b) => a.arrivalMs - b.arrivalMs);
  const ofInterval = looksPerInterval * intervalMs;
  const background = usedMs.map((ms) => rounded(Math.min(processors, ms / ofInterval)));
  return { recorded, processors, intervalMs: ofInterval, background, jobs };
}

/** How large the cluster is on which a recording is played. */
export interface TraceSize {
  readonly nodes: number;
  /** Of each node; without it as many as the recorded machine has. */
  readonly processorsPerNode?: number;
  /** How many machines bring their jobs for each node; without it one. */
  readonly jobsOfMachines?: number;
  /** Arrivals later than this are left out. */
  readonly untilMs?: number;
  /** Jobs that take longer on an idle node are left out. */
  readonly longestMs?: number;
}

/**
 * The load of machines like the recorded one, each later in its recording than the one before. What goes on all the time
 * stays on a node, one machine's on each; the jobs of all are placed anew.
 */
export function playable(
  { processors, intervalMs, background, jobs }: RecordedTrace,
  size: TraceSize,
): CpuTrace {
  const { nodes, processorsPerNode = processors, jobsOfMachines = 1 } = size;
  const { untilMs = Infinity, longestMs = Infinity } = size;
  const length = background.length;
  const lengthMs = length * intervalMs;
  const shiftOf = (index: number, of: number): number => Math.floor((index * length) / of);
  const backgroundOf = (node: number): number[] =>
    background.map((_, at) => background[(at + shiftOf(node, nodes)) % length] ?? 0);
  const machines = nodes * jobsOfMachines;
  const jobsOf = (machine: number): TracedJob[] =>
    jobs.map((job, index) => ({
      ...job,
      name: `machine-${machine}-job-${index}`,
      arrivalMs: (job.arrivalMs - shiftOf(machine, machines) * intervalMs + lengthMs) % lengthMs,
    }));
  return {
    intervalMs,
    processorsPerNode,
    background: Object.fromEntries(
      count(nodes).map((node) => [`node-${node}`, backgroundOf(node)]),
    ),
    jobs: count(machines)
      .flatMap(jobsOf)
      .filter((job) => job.arrivalMs < untilMs && job.workMs / job.processors <= longestMs)
      .sort((a, b) => a.arrivalMs - b.arrivalMs),
  };
}

const count = (to: number): number[] => Array.from({ length: to }, (_, index) => index);
