import { RANK_LABEL, type ObservedNode } from '../../node-availability/types';
import { isQueued } from '../policy/release';
import type { ClusterWatch, Jobs, Leadership, NodeLabels, WriteOutcome } from '../ports';
import type { LabelPatch, ObservedJob, ObservedPod, Work } from '../types';

/** A cluster in memory that keeps the promises of every port; for tests. */
export class MemoryCluster implements ClusterWatch, NodeLabels, Jobs, Leadership {
  synced = true;
  leading = true;
  /** Every write that came, in order. */
  readonly patches: LabelPatch[] = [];
  readonly released: string[] = [];
  /** While it is set every write fails. */
  broken: string | undefined;
  readonly #nodes = new Map<string, ObservedNode>();
  readonly #jobs = new Map<string, ObservedJob>();
  readonly #pods = new Map<string, ObservedPod>();
  #onChange: () => void = () => undefined;
  #version = 0;

  setNode(node: ObservedNode): void {
    const before = this.#nodes.get(node.name);
    this.#nodes.set(node.name, node);
    if (before === undefined || signature(before) !== signature(node)) this.#onChange();
  }

  setJob(job: Omit<ObservedJob, 'resourceVersion'>): ObservedJob {
    const stored = { ...job, resourceVersion: String((this.#version += 1)) };
    this.#jobs.set(job.name, stored);
    this.#onChange();
    return stored;
  }

  setPod(pod: ObservedPod): void {
    this.#pods.set(pod.name, pod);
    this.#onChange();
  }

  removeJob(name: string): void {
    if (this.#jobs.delete(name)) this.#onChange();
  }

  nodes(): readonly ObservedNode[] {
    return [...this.#nodes.values()];
  }

  get queuedJobs(): number {
    return [...this.#jobs.values()].filter(isQueued).length;
  }

  async run(onChange: () => void, signal: AbortSignal): Promise<void> {
    this.#onChange = onChange;
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    this.#onChange = () => undefined;
  }

  async patch(patch: LabelPatch): Promise<WriteOutcome> {
    if (this.broken !== undefined) return { kind: 'failed', message: this.broken };
    const node = this.#nodes.get(patch.node);
    if (node === undefined) return { kind: 'gone' };
    this.patches.push(patch);
    const labels = Object.entries({ ...node.labels, ...patch.labels });
    const kept = labels.filter((entry): entry is [string, string] => entry[1] !== null);
    this.setNode({ ...node, labels: Object.fromEntries(kept) });
    return { kind: 'done' };
  }

  async look(): Promise<Work> {
    if (this.broken !== undefined) throw new Error(this.broken);
    return { jobs: [...this.#jobs.values()], pods: [...this.#pods.values()] };
  }

  async release(job: ObservedJob): Promise<WriteOutcome> {
    if (this.broken !== undefined) return { kind: 'failed', message: this.broken };
    const stored = this.#jobs.get(job.name);
    if (stored === undefined) return { kind: 'gone' };
    if (stored.uid !== job.uid || stored.resourceVersion !== job.resourceVersion)
      return { kind: 'changed' };
    this.released.push(job.name);
    this.setJob({ ...stored, suspended: false });
    return { kind: 'done' };
  }

  isLeader(): boolean {
    return this.leading;
  }
}

/** What of a node can change a decision: not the rank, which is the controller's own doing. */
const signature = (node: ObservedNode): string =>
  JSON.stringify({ ...node, labels: { ...node.labels, [RANK_LABEL]: undefined } });
