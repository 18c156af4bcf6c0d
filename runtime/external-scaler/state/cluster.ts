import type { ObservedNode } from '../../node-availability/types';
import type { ClusterSink } from '../ports';
import type { JobInfo, PodInfo, ScaledJobFacts, ScaledJobInfo } from '../types';
import { ScaledJobRecord } from './scaled-job-record';

/** What the watches have shown: nodes, analyzer pods that have not ended, Jobs, ScaledJobs. */
export class Cluster implements ClusterSink {
  readonly #nodes = new Map<string, ObservedNode>();
  readonly #pods = new Map<string, PodInfo>();
  readonly #jobs = new Map<string, JobInfo>();
  /** Those of #jobs that may make a pod. */
  readonly #active = new Set<JobInfo>();
  readonly #records = new Map<string, ScaledJobRecord>();

  /** @param changed called after every change. */
  constructor(private readonly changed: () => void = () => undefined) {}

  get nodes(): ReadonlyMap<string, ObservedNode> {
    return this.#nodes;
  }

  setNode(node: ObservedNode): void {
    this.#nodes.set(node.name, node);
    this.changed();
  }
  removeNode(name: string): void {
    this.#nodes.delete(name);
    this.changed();
  }
  setPod(pod: PodInfo): void {
    this.#pods.set(pod.uid, pod);
    this.changed();
  }
  removePod(uid: string): void {
    if (this.#pods.delete(uid)) this.changed();
  }

  setJob(job: JobInfo): void {
    const before = this.#jobs.get(job.uid);
    if (before !== undefined) this.#active.delete(before);
    this.#jobs.set(job.uid, job);
    if (job.phase === 'active') this.#active.add(job);
    if (job.scaledJob !== null) this.#record(job.scaledJob).setJob(job);
    this.changed();
  }

  removeJob(uid: string): void {
    const job = this.#jobs.get(uid);
    if (job === undefined) return;
    this.#jobs.delete(uid);
    this.#active.delete(job);
    if (job.scaledJob !== null) {
      const record = this.#record(job.scaledJob);
      record.removeJob(uid);
      if (record.isEmpty) this.#records.delete(job.scaledJob);
    }
    this.changed();
  }

  setScaledJob(info: ScaledJobInfo): void {
    this.#record(info.key).info = info;
    this.changed();
  }

  removeScaledJob({ key, uid }: ScaledJobInfo): void {
    const record = this.#records.get(key);
    // One that was made anew under the same name may be known before the old one is reported gone.
    if (record?.info?.uid !== uid) return;
    record.info = undefined;
    if (record.isEmpty) this.#records.delete(key);
    this.changed();
  }

  facts(key: string): ScaledJobFacts | undefined {
    return this.#records.get(key)?.facts();
  }

  /** Keys of all ScaledJobs. */
  *scaledJobs(): Generator<string> {
    for (const [key, record] of this.#records) if (record.info !== undefined) yield key;
  }

  /** How many analyzers are on each node that has any. */
  podsByNode(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { node } of this.#pods.values()) if (node !== null) increase(counts, node);
    return counts;
  }

  /** Berths taken by what has no node yet, by ScaledJob: pods that are not bound, and Jobs without a pod. */
  claims(): ReadonlyMap<string, number> {
    const claims = new Map<string, number>();
    const withPod = new Set<string>();
    for (const { node, job, scaledJob } of this.#pods.values()) {
      if (job !== null) withPod.add(job);
      if (node === null) increase(claims, scaledJob ?? '');
    }
    for (const { name, scaledJob } of this.#active)
      if (!withPod.has(name)) increase(claims, scaledJob ?? '');
    return claims;
  }

  #record(key: string): ScaledJobRecord {
    let record = this.#records.get(key);
    if (record === undefined) {
      record = new ScaledJobRecord();
      this.#records.set(key, record);
    }
    return record;
  }
}

const increase = (counts: Map<string, number>, key: string): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1);
};
