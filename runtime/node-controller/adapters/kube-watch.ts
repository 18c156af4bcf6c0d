import { observedNode } from '../../node-availability/observed-node';
import { RANK_LABEL, type ObservedNode } from '../../node-availability/types';
import type { Clock } from '../../shared/clock';
import type { KubeApi } from '../../shared/kubernetes/api';
import { Informer, type InformerSource } from '../../shared/kubernetes/informer';
import type { KubeObject, Node, Pod } from '../../shared/kubernetes/types';
import type { Logger } from '../../shared/log';
import { isQueued } from '../policy/release';
import type { ClusterWatch } from '../ports';
import { observedJob, observedPod, type RawJob } from './project';

/** An object by its uid, and what of it can change a decision, as text. */
interface Seen<T> {
  readonly uid: string;
  readonly value: T;
  readonly signature: string;
}

/** What is followed: the nodes, and where Jobs are released those and the pods of their namespace. */
export interface WatchOptions {
  /** undefined where no Jobs are released: then neither Jobs nor pods are watched. */
  readonly jobsIn: string | undefined;
}

/** Follows the API server by informers. */
export class KubeWatch implements ClusterWatch {
  readonly #nodes = new Map<string, Seen<ObservedNode>>();
  readonly #jobs = new Map<string, Seen<boolean>>();
  readonly #pods = new Map<string, Seen<undefined>>();
  #informers: readonly { readonly synced: boolean }[] = [];

  constructor(
    private readonly api: KubeApi,
    private readonly options: WatchOptions,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  get synced(): boolean {
    return this.#informers.length > 0 && this.#informers.every(({ synced }) => synced);
  }

  nodes(): readonly ObservedNode[] {
    return [...this.#nodes.values()].map(({ value }) => value);
  }

  get queuedJobs(): number {
    return [...this.#jobs.values()].filter(({ value }) => value).length;
  }

  async run(onChange: () => void, signal: AbortSignal): Promise<void> {
    const { jobsIn } = this.options;
    const nodes = this.#follow<Node, ObservedNode>(
      this.#nodes,
      onChange,
      '/api/v1/nodes',
      (raw) => {
        const node = observedNode(raw);
        // Not the rank, which is the controller's own doing.
        return seen(raw, node, { ...node, labels: { ...node.labels, [RANK_LABEL]: undefined } });
      },
    );
    if (jobsIn === undefined) {
      this.#informers = [nodes];
      return nodes.run(signal);
    }
    const jobs = this.#follow<RawJob, boolean>(
      this.#jobs,
      onChange,
      `/apis/batch/v1/namespaces/${jobsIn}/jobs`,
      (raw) => {
        const job = observedJob(raw);
        return seen(raw, isQueued(job), { ...job, resourceVersion: undefined });
      },
    );
    const pods = this.#follow<Pod, undefined>(
      this.#pods,
      onChange,
      `/api/v1/namespaces/${jobsIn}/pods`,
      (raw) => seen(raw, undefined, observedPod(raw)),
    );
    this.#informers = [nodes, jobs, pods];
    await Promise.all([nodes.run(signal), jobs.run(signal), pods.run(signal)]);
  }

  #follow<Raw extends KubeObject, T>(
    known: Map<string, Seen<T>>,
    onChange: () => void,
    path: string,
    project: (raw: Raw) => Seen<T> & { readonly name: string },
  ): Informer<Raw, Seen<T> & { readonly name: string }> {
    const source: InformerSource<Raw, Seen<T> & { readonly name: string }> = { path, project };
    const handlers = {
      set: (object: Seen<T> & { readonly name: string }) => {
        const before = known.get(object.name);
        known.set(object.name, object);
        if (before?.signature !== object.signature) onChange();
      },
      remove: ({ name, uid }: Seen<T> & { readonly name: string }) => {
        // Deleted and made anew under its name, it is another one, which stays.
        if (known.get(name)?.uid !== uid) return;
        known.delete(name);
        onChange();
      },
    };
    return new Informer(this.api, source, handlers, this.clock, this.log);
  }
}

const seen = <T>(raw: KubeObject, value: T, facts: object) => ({
  name: raw.metadata.name,
  uid: raw.metadata.uid,
  value,
  signature: JSON.stringify([raw.metadata.uid, facts]),
});
