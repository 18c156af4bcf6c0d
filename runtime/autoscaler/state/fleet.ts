import { NEVER_READ, type Reading } from '../../shared/freshness';
import type { HostPort, NodeInfo, PodInfo, Resources } from '../../cpu-scheduler/types';
import { isControlPlane } from '../policy/control-plane';
import { workerNumber } from '../policy/worker-name';
import type { PodAffinityTerm } from '../../shared/kubernetes/types';
import type { KeepingAway, WorkerView } from '../types';

interface Sums extends Resources {
  cpuMillis: number;
  memoryBytes: number;
  ephemeralStorageBytes: number;
  readonly others: Map<string, number>;
}

interface Group extends KeepingAway {
  readonly nodes: Map<string, string>;
}

const keyOf = ({ namespace }: PodInfo, term: PodAffinityTerm): string =>
  `${namespace} ${JSON.stringify(term)}`;

/** A node with its pods; sums are kept as pods come and go. */
class FleetNode implements WorkerView {
  cpuRatio: Reading<number> = NEVER_READ;
  memoryRatio: Reading<number> = NEVER_READ;
  hostPorts: readonly HostPort[] = [];
  readonly number: number | null;
  readonly reading = NEVER_READ;
  readonly previousReading = NEVER_READ;
  readonly unseenCpuRatio = 0;
  readonly requestedCpuRatio = 0;
  readonly requested: Sums = {
    cpuMillis: 0,
    memoryBytes: 0,
    ephemeralStorageBytes: 0,
    others: new Map(),
  };
  readonly #pods = new Map<string, PodInfo>();

  info: NodeInfo;
  /** Kept, since each decision asks it of every node. */
  worker: boolean;

  constructor(info: NodeInfo) {
    this.number = workerNumber(info.name);
    this.info = info;
    this.worker = !isControlPlane(info.labels);
  }

  /** The same node, as it is now. */
  update(info: NodeInfo): void {
    this.info = info;
    this.worker = !isControlPlane(info.labels);
  }

  get podCount(): number {
    return this.#pods.size;
  }
  get pods(): Iterable<PodInfo> {
    return this.#pods.values();
  }

  set(pod: PodInfo): void {
    this.remove(pod.uid);
    this.#pods.set(pod.uid, pod);
    this.#count(pod, 1);
  }

  remove(uid: string): void {
    const pod = this.#pods.get(uid);
    if (pod === undefined) return;
    this.#pods.delete(uid);
    this.#count(pod, -1);
  }

  #count({ requests, hostPorts }: PodInfo, sign: 1 | -1): void {
    const { requested } = this;
    requested.cpuMillis += sign * requests.cpuMillis;
    requested.memoryBytes += sign * requests.memoryBytes;
    requested.ephemeralStorageBytes += sign * requests.ephemeralStorageBytes;
    for (const [name, amount] of requests.others)
      requested.others.set(name, (requested.others.get(name) ?? 0) + sign * amount);
    if (hostPorts.length > 0)
      this.hostPorts = [...this.#pods.values()].flatMap((pod) => pod.hostPorts);
  }
}

/** Nodes and the pods bound to them, as a watch shows them. Every change costs the same, however large the cluster. */
export class Fleet {
  readonly #nodes = new Map<string, FleetNode>();
  readonly #bound = new Map<string, PodInfo>();
  readonly #byNode = new Map<string, Set<string>>();
  readonly #keepingAway = new Map<string, Group>();

  get nodes(): ReadonlyMap<string, WorkerView> {
    return this.#nodes;
  }
  /** Pods that run and have required anti-affinity, by what they ask for. */
  get keepingAway(): readonly KeepingAway[] {
    return [...this.#keepingAway.values()];
  }

  /** @returns whether it was not known before; then nothing is known of what it uses. */
  setNode(info: NodeInfo): boolean {
    const known = this.#nodes.get(info.name);
    if (known !== undefined && known.info.uid === info.uid) {
      known.update(info);
      return false;
    }
    // Another node of the same name has other readings, and the pods that are bound to that name.
    const node = new FleetNode(info);
    this.#nodes.set(info.name, node);
    for (const uid of this.#byNode.get(info.name) ?? []) {
      const pod = this.#bound.get(uid);
      if (pod !== undefined) node.set(pod);
    }
    return true;
  }

  removeNode(name: string): void {
    this.#nodes.delete(name);
  }

  /** A pod that is bound and has not ended. */
  setPod(pod: PodInfo): void {
    this.removePod(pod.uid);
    const { nodeName } = pod;
    if (nodeName === undefined) return;
    this.#bound.set(pod.uid, pod);
    const onNode = this.#byNode.get(nodeName) ?? new Set<string>();
    this.#byNode.set(nodeName, onNode.add(pod.uid));
    for (const term of pod.antiAffinity) {
      const key = keyOf(pod, term);
      let group = this.#keepingAway.get(key);
      if (group === undefined)
        this.#keepingAway.set(
          key,
          (group = { namespace: pod.namespace, term, nodes: new Map<string, string>() }),
        );
      group.nodes.set(pod.uid, nodeName);
    }
    this.#nodes.get(nodeName)?.set(pod);
  }

  removePod(uid: string): void {
    const pod = this.#bound.get(uid);
    if (pod?.nodeName === undefined) return;
    this.#bound.delete(uid);
    for (const term of pod.antiAffinity) {
      const key = keyOf(pod, term);
      const group = this.#keepingAway.get(key);
      group?.nodes.delete(uid);
      if (group?.nodes.size === 0) this.#keepingAway.delete(key);
    }
    this.#nodes.get(pod.nodeName)?.remove(uid);
    const onNode = this.#byNode.get(pod.nodeName);
    onNode?.delete(uid);
    if (onNode?.size === 0) this.#byNode.delete(pod.nodeName);
  }

  /** Notes what a node uses, 0..1 each. A node that is not known is passed over. */
  setUsage(name: string, cpuRatio: Reading<number>, memoryRatio: Reading<number>): void {
    const node = this.#nodes.get(name);
    if (node === undefined) return;
    node.cpuRatio = cpuRatio;
    node.memoryRatio = memoryRatio;
  }
}
