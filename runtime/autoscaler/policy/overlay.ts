import { NEVER_READ } from '../../shared/freshness';
import type { HostPort, NodeInfo, NodeView, PodInfo, Resources } from '../../cpu-scheduler/types';

/** A node as if some more pods ran on it. Nothing of the node itself is changed. */
export class Overlay implements NodeView {
  readonly reading = NEVER_READ;
  readonly previousReading = NEVER_READ;
  readonly unseenCpuRatio = 0;
  readonly requestedCpuRatio = 0;
  requested: Resources;
  podCount: number;
  hostPorts: readonly HostPort[];
  readonly #added: PodInfo[] = [];

  constructor(private readonly node: NodeView) {
    this.requested = node.requested;
    this.podCount = node.podCount;
    this.hostPorts = node.hostPorts;
  }

  get info(): NodeInfo {
    return this.node.info;
  }

  get pods(): Iterable<PodInfo> {
    return this.#all();
  }

  add(pod: PodInfo): void {
    this.#added.push(pod);
    this.requested = addResources(this.requested, pod.requests);
    this.podCount += 1;
    if (pod.hostPorts.length > 0) this.hostPorts = [...this.hostPorts, ...pod.hostPorts];
  }

  *#all(): Generator<PodInfo> {
    yield* this.node.pods;
    yield* this.#added;
  }
}

/** The sum of two amounts. */
export function addResources(a: Resources, b: Resources): Resources {
  let { others } = a;
  if (b.others.size > 0) {
    const sums = new Map(a.others);
    for (const [name, amount] of b.others) sums.set(name, (sums.get(name) ?? 0) + amount);
    others = sums;
  }
  return {
    cpuMillis: a.cpuMillis + b.cpuMillis,
    memoryBytes: a.memoryBytes + b.memoryBytes,
    ephemeralStorageBytes: a.ephemeralStorageBytes + b.ephemeralStorageBytes,
    others,
  };
}

/** Whether a pod's CPU, memory and the pod itself find room: the cheap part of what a node must offer. */
export function hasRoom(node: NodeView, { requests }: PodInfo): boolean {
  const { info, requested } = node;
  return (
    node.podCount < info.allocatablePods &&
    (requests.cpuMillis === 0 ||
      requests.cpuMillis <= info.allocatable.cpuMillis - requested.cpuMillis) &&
    (requests.memoryBytes === 0 ||
      requests.memoryBytes <= info.allocatable.memoryBytes - requested.memoryBytes)
  );
}
