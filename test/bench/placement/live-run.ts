import { setTimeout as pause } from 'node:timers/promises';
import {
  backgroundAt,
  peakOf,
  shareOf,
  type CpuTrace,
  type TracedJob,
  type UseSample,
} from './cpu-world';
import type { JobPod, LiveCluster } from './live-cluster';

/** What came of a trace under one scheduler. */
export interface Outcome {
  /** Highest use of any node over the window, 0..1. */
  readonly peakRatio: number;
  /** From the first arrival of the trace's clock, 0, until the last job was done. */
  readonly makespanMs: number;
  /** Pods that were taken away before they were done. */
  readonly evictions: number;
  /** Those of jobs that had lost one before. */
  readonly repeatEvictions: number;
  readonly uses: Readonly<Record<string, readonly UseSample[]>>;
  /** The node of each of a job's pods, in order. */
  readonly nodesOf: Readonly<Record<string, readonly string[]>>;
  /** When, by the clock of the trace, the first pod of a job was seen, on a node, running, and done. */
  readonly timesOf: Readonly<Record<string, Partial<Record<Stage, number>>>>;
}

type Stage = 'seenMs' | 'boundMs' | 'runningMs' | 'doneMs';

/** How a trace is played. */
export interface Play {
  readonly trace: CpuTrace;
  readonly schedulerName: string;
  /** Milliseconds of the trace in one of the clock on the wall. */
  readonly speed: number;
  readonly windowMs: number;
}

const TICK_MS = 500;
/** What changes by less is not told to the API server. */
const TOLD_PROCESSORS = 0.02;
/** A scheduler that leaves jobs waiting for so many times the trace's length has failed; a slow machine has at least so long. */
const LIMIT = 10;
const LEAST_LIMIT_MS = 600_000;

/** Lets Jobs arrive as the trace says, has each node use what is on it, and ends those that are done. */
export class LiveRun {
  readonly #left = new Map<string, number>();
  readonly #told = new Map<string, number>();
  readonly #done = new Set<string>();
  readonly #gone = new Set<string>();
  readonly #lost: string[] = [];
  readonly #uses: Record<string, UseSample[]> = {};
  readonly #nodesOf: Record<string, string[]> = {};
  readonly #timesOf: Record<string, Partial<Record<Stage, number>>> = {};
  readonly #jobs: ReadonlyMap<string, TracedJob>;
  readonly #waiting: TracedJob[];
  #finished = 0;
  #makespanMs = 0;

  constructor(
    private readonly cluster: LiveCluster,
    private readonly play: Play,
  ) {
    this.#jobs = new Map(play.trace.jobs.map((job) => [job.name, job]));
    this.#waiting = [...play.trace.jobs].sort((a, b) => a.arrivalMs - b.arrivalMs);
    cluster.onGone = (pod) => this.#take(pod);
  }

  /** @throws when not all jobs were done in ten times the time of the trace, and ten minutes */
  async run(): Promise<Outcome> {
    const { trace, speed, windowMs } = this.play;
    const cpuRequest = mean(trace.jobs.map(({ processors }) => processors));
    const lastMs = Math.max(
      ...trace.jobs.map((job) => job.arrivalMs + job.workMs / job.processors),
    );
    const startedMs = performance.now();
    for (let beforeMs = 0; this.#finished < trace.jobs.length;) {
      const atMs = (performance.now() - startedMs) * speed;
      if (atMs > Math.max(LIMIT * lastMs, LEAST_LIMIT_MS * speed))
        throw new Error(`jobs are not done after ${Math.round(atMs)} ms`);
      const due = this.#waiting.filter(({ arrivalMs }) => arrivalMs <= atMs);
      this.#waiting.splice(0, due.length);
      await Promise.all([
        ...due.map((job) => this.cluster.createJob(job, this.play.schedulerName, cpuRequest)),
        ...this.cluster.nodes.map((node) => this.#advance(node, beforeMs, atMs)),
      ]);
      for (const pod of this.cluster.pods.values()) this.#note(pod, atMs);
      beforeMs = atMs;
      await pause(TICK_MS);
    }
    this.cluster.onGone = () => undefined;
    return {
      peakRatio: Math.max(...Object.values(this.#uses).map((use) => peakOf(use, windowMs))),
      makespanMs: this.#makespanMs,
      evictions: this.#lost.length,
      repeatEvictions: this.#lost.length - new Set(this.#lost).size,
      uses: this.#uses,
      nodesOf: this.#nodesOf,
      timesOf: this.#timesOf,
    };
  }

  /** What happened on a node since the last look. */
  async #advance(node: string, beforeMs: number, atMs: number): Promise<void> {
    const { trace } = this.play;
    const forMs = atMs - beforeMs;
    const running = [...this.cluster.pods.values()].filter(
      (pod) =>
        pod.node === node && pod.phase === 'Running' && !pod.deleting && !this.#done.has(pod.uid),
    );
    const others = backgroundAt(trace, node, atMs);
    const wants = (pod: JobPod): number => this.#jobs.get(pod.job)?.processors ?? 0;
    const wanted = running.reduce((sum, pod) => sum + wants(pod), others);
    const share = shareOf(wanted, trace.processorsPerNode);
    const cpuRatio = (wanted * share) / trace.processorsPerNode;
    (this.#uses[node] ??= []).push({ forMs, cpuRatio });
    const told: Promise<unknown>[] = [];
    if (this.#isNews(node, others * share))
      told.push(this.cluster.setBackground(node, others * share));
    for (const pod of running) {
      if (!this.#left.has(pod.uid)) {
        this.#left.set(pod.uid, this.#jobs.get(pod.job)?.workMs ?? 0);
        this.#told.set(pod.uid, wants(pod));
        (this.#nodesOf[pod.job] ??= []).push(node);
      } else {
        const left = this.#left.get(pod.uid) ?? 0;
        const takesMs = left / (wants(pod) * share);
        this.#left.set(pod.uid, left - wants(pod) * share * forMs);
        if (takesMs <= forMs) {
          this.#done.add(pod.uid);
          this.#finished += 1;
          this.#makespanMs = Math.max(this.#makespanMs, beforeMs + takesMs);
          told.push(this.cluster.complete(pod));
          continue;
        }
      }
      if (this.#isNews(pod.uid, wants(pod) * share))
        told.push(this.cluster.setUse(pod, wants(pod) * share));
    }
    await Promise.all(told);
  }

  #note({ uid, job, node, phase }: JobPod, atMs: number): void {
    const times = (this.#timesOf[job] ??= {});
    times.seenMs ??= atMs;
    if (node !== undefined) times.boundMs ??= atMs;
    if (phase === 'Running') times.runningMs ??= atMs;
    if (this.#done.has(uid)) times.doneMs ??= atMs;
  }

  #isNews(who: string, processors: number): boolean {
    if (Math.abs(processors - (this.#told.get(who) ?? Infinity)) < TOLD_PROCESSORS) return false;
    this.#told.set(who, processors);
    return true;
  }

  #take(pod: JobPod): void {
    if (pod.node === undefined || this.#done.has(pod.uid) || this.#gone.has(pod.uid)) return;
    this.#gone.add(pod.uid);
    this.#lost.push(pod.job);
  }
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
