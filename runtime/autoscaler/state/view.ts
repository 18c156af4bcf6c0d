import type { OnBadObject } from '../../cpu-scheduler/adapters/project';
import type { Pod } from '../../shared/kubernetes/types';
import { projectPending, waitsForNode } from '../adapters/project-pending';
import type { Observed } from '../loop';
import { claimState, type Claim, type StorageClass, type Volume } from '../policy/claim-state';
import type { ClusterSink, NodeReadings, RecordedEvictions, WatchedBudget } from '../ports';
import type { ClaimState, PendingPod } from '../types';
import { ByName } from './by-name';
import { Fleet } from './fleet';

/** What a view is made of beside what is seen. */
export interface ViewOptions {
  readonly cpu: NodeReadings;
  readonly memory: NodeReadings;
  /** Whether everything was listed once. */
  synced(): boolean;
  onBad: OnBadObject;
}

interface Waiting {
  readonly raw: Pod;
  /** As it was last projected, and for which state of the storage. */
  projected?: PendingPod;
  storageVersion?: number;
}

/** What is known of the cluster, kept up to date as it changes; answers from memory. */
export class View implements ClusterSink {
  readonly fleet = new Fleet();
  /** Told when a pod begins to wait for a node. */
  onWaiting: () => void = () => undefined;
  readonly #waiting = new Map<string, Waiting>();
  #storageVersion = 0;
  /** Of the readings that the nodes have. */
  #cpuVersion = -1;
  #memoryVersion = -1;
  readonly #onStorage = (): void => void (this.#storageVersion += 1);
  readonly claims = new ByName<Claim>(this.#onStorage);
  readonly volumes = new ByName<Volume>(this.#onStorage);
  readonly classes = new ByName<StorageClass>(this.#onStorage);
  readonly budgets = new ByName<WatchedBudget>();
  readonly evictions = new ByName<RecordedEvictions>();

  readonly nodes: ClusterSink['nodes'] = {
    set: (node) => {
      if (this.fleet.setNode(node)) this.#setUsage(node.name);
    },
    remove: ({ name, uid }) => {
      // Deleted and made anew under its name, it is another one, which stays.
      if (this.fleet.nodes.get(name)?.info.uid === uid) this.fleet.removeNode(name);
    },
  };
  readonly bound: ClusterSink['bound'] = {
    set: (pod) => this.fleet.setPod(pod),
    remove: ({ uid }) => this.fleet.removePod(uid),
  };
  readonly unbound: ClusterSink['unbound'] = {
    set: (raw) => {
      const { uid } = raw.metadata;
      if (!waitsForNode(raw)) {
        this.#waiting.delete(uid);
        return;
      }
      const isNew = !this.#waiting.has(uid);
      this.#waiting.set(uid, { raw });
      if (isNew) this.onWaiting();
    },
    remove: ({ metadata }) => void this.#waiting.delete(metadata.uid),
  };

  constructor(private readonly options: ViewOptions) {}

  /** What a decision is to rest on now. */
  observe(): Observed {
    const { synced } = this.options;
    this.#refreshUsage();
    const [record] = this.evictions.values();
    return {
      synced: synced(),
      nodes: this.fleet.nodes,
      pending: [...this.#waiting.values()].map((one) => this.#project(one)),
      budgets: [...this.budgets.values()],
      keepingAway: this.fleet.keepingAway,
      // Nobody has evicted anything while there is no record.
      evictions: record === undefined ? [] : record.evictions,
    };
  }

  /** Readings change every few seconds; to look all of them up at each decision costs more than the decision. */
  #refreshUsage(): void {
    const { cpu, memory } = this.options;
    if (cpu.version === this.#cpuVersion && memory.version === this.#memoryVersion) return;
    this.#cpuVersion = cpu.version;
    this.#memoryVersion = memory.version;
    for (const name of this.fleet.nodes.keys()) this.#setUsage(name);
  }

  #setUsage(name: string): void {
    const { cpu, memory } = this.options;
    this.fleet.setUsage(name, cpu.reading(name), memory.reading(name));
  }

  #project(one: Waiting): PendingPod {
    const { projected } = one;
    const current =
      projected !== undefined &&
      (projected.claims.length === 0 || one.storageVersion === this.#storageVersion);
    if (current) return projected;
    one.storageVersion = this.#storageVersion;
    one.projected = projectPending(one.raw, this.#findClaim, this.options.onBad);
    return one.projected;
  }

  readonly #findClaim = (namespace: string, name: string): ClaimState | undefined => {
    const claim = this.claims.get(name, namespace);
    if (claim === undefined) return undefined;
    return claimState(claim, {
      volume: (volume) => this.volumes.get(volume),
      volumes: () => this.volumes.values(),
      storageClass: (storageClass) => this.classes.get(storageClass),
    });
  };
}
