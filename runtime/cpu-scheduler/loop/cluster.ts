import type { NodeOrders } from '../policy/choose';
import type { EstimateSettings } from '../policy/cpu';
import { Heap } from '../policy/heap';
import type { CpuReading } from '../../shared/node-cpu/types';
import type { KeepAway, NodeInfo, NodeView, PodInfo } from '../types';
import { NodeRecord } from './node-record';

interface Placed {
  readonly pod: PodInfo;
  readonly nodeName: string;
  /** Set while the watch has not shown the pod there: when it is to be forgotten. */
  expiresAtMs?: number;
}

/**
 * What is known of nodes and of the pods on them: what the watch has shown, what was bound a moment ago and is not
 * shown yet, and what room is kept. Each pod is counted once, by its uid, whichever of these it comes from.
 */
export class Cluster implements NodeOrders {
  readonly #nodes = new Map<string, NodeRecord>();
  readonly #placed = new Map<string, Placed>();
  readonly #uidsByNode = new Map<string, Set<string>>();
  readonly #keepingAway = new Set<string>();
  readonly #byMeasured = new Heap(leastFirst((node) => node.effectiveCpuRatio));
  readonly #byRequested = new Heap(leastFirst((node) => node.requestedCpuRatio));
  /** Grows whenever a pod that fitted nowhere might fit now. */
  roomVersion = 0;

  constructor(private readonly settings: EstimateSettings) {}

  get count(): number {
    return this.#nodes.size;
  }
  get all(): Iterable<NodeView> {
    return this.#nodes.values();
  }
  measured(): Iterable<NodeView> {
    return this.#byMeasured.ascending();
  }
  requested(): Iterable<NodeView> {
    return this.#byRequested.ascending();
  }
  node(name: string): NodeView | undefined {
    return this.#nodes.get(name);
  }
  *infos(): Generator<NodeInfo> {
    for (const node of this.#nodes.values()) yield node.info;
  }

  /** What the required anti-affinity of the pods that run keeps others away from. */
  get keepAways(): readonly KeepAway[] {
    const found: KeepAway[] = [];
    for (const uid of this.#keepingAway) {
      const placed = this.#placed.get(uid);
      const labels = placed && this.#nodes.get(placed.nodeName)?.info.labels;
      for (const term of placed?.pod.antiAffinity ?? []) {
        const topologyValue = labels?.[term.topologyKey];
        if (placed !== undefined && topologyValue !== undefined) {
          found.push({ namespace: placed.pod.namespace, term, topologyValue });
        }
      }
    }
    return found;
  }

  setNode(info: NodeInfo, nowMs: number): void {
    let node = this.#nodes.get(info.name);
    if (node !== undefined && node.info.uid !== info.uid) {
      this.removeNode(node.info);
      node = undefined;
    }
    if (node === undefined) {
      node = new NodeRecord(info, this.settings);
      this.#nodes.set(info.name, node);
      for (const uid of this.#uidsByNode.get(info.name) ?? []) {
        const placed = this.#placed.get(uid);
        if (placed !== undefined) node.setPod(placed.pod);
      }
    }
    node.info = info;
    this.#update(node, nowMs);
    this.roomVersion += 1;
  }

  removeNode(info: NodeInfo): void {
    const node = this.#nodes.get(info.name);
    if (node === undefined || node.info.uid !== info.uid) return;
    this.#nodes.delete(info.name);
    this.#byMeasured.delete(node);
    this.#byRequested.delete(node);
    this.roomVersion += 1;
  }

  /** A bound pod that the watch shows. */
  setBound(pod: PodInfo, nowMs: number): void {
    if (pod.nodeName !== undefined) this.#place(pod, pod.nodeName, nowMs);
  }

  /** Counts a pod on a node before the watch shows it, until it does, `forget` is called or the time is up. */
  assume(pod: PodInfo, nodeName: string, nowMs: number, expiresAtMs = Infinity): void {
    const assumed: PodInfo = { ...pod, nodeName, boundAtMs: nowMs, startedAtMs: undefined };
    this.#place(assumed, nodeName, nowMs, expiresAtMs);
  }

  /** An assumed pod is known to be bound: the watch has to show it by then. */
  confirm(uid: string, expiresAtMs: number): void {
    const placed = this.#placed.get(uid);
    if (placed?.expiresAtMs !== undefined) placed.expiresAtMs = expiresAtMs;
  }

  /** An assumed pod was not bound after all. A pod that the watch has shown stays. */
  forget(uid: string, nowMs: number): void {
    if (this.#placed.get(uid)?.expiresAtMs !== undefined) this.remove(uid, nowMs);
  }

  /** A pod has ended, or is gone. */
  remove(uid: string, nowMs: number): void {
    const placed = this.#placed.get(uid);
    if (placed === undefined) return;
    this.#placed.delete(uid);
    this.#keepingAway.delete(uid);
    this.#uidsByNode.get(placed.nodeName)?.delete(uid);
    const node = this.#nodes.get(placed.nodeName);
    node?.removePod(uid);
    if (node !== undefined) this.#update(node, nowMs);
    this.roomVersion += 1;
  }

  /** The pod of this name that is on a node. O(pods), for people who ask. */
  findPlaced(namespace: string, name: string): PodInfo | undefined {
    for (const { pod } of this.#placed.values()) {
      if (pod.name === name && pod.namespace === namespace) return pod;
    }
    return undefined;
  }

  isPlaced(uid: string): boolean {
    return this.#placed.has(uid);
  }

  /** Takes readings, forgets what has expired, and brings every estimate up to date. O(nodes + pods). */
  refresh(readings: ReadonlyMap<string, CpuReading>, nowMs: number): void {
    for (const [uid, { expiresAtMs }] of this.#placed) {
      if (expiresAtMs !== undefined && expiresAtMs <= nowMs) this.remove(uid, nowMs);
    }
    for (const [name, node] of this.#nodes) {
      const reading = readings.get(name);
      if (reading !== undefined) node.setReading(reading);
      node.refresh(nowMs);
      if (node.reading.state === 'known') this.#byMeasured.set(node);
    }
    this.#byMeasured.rebuild();
    this.#byRequested.rebuild();
    this.roomVersion += 1;
  }

  #place(pod: PodInfo, nodeName: string, nowMs: number, expiresAtMs?: number): void {
    const before = this.#placed.get(pod.uid);
    if (before !== undefined && before.nodeName !== nodeName) this.remove(pod.uid, nowMs);
    this.#placed.set(pod.uid, {
      pod,
      nodeName,
      ...(expiresAtMs !== undefined && { expiresAtMs }),
    });
    if (pod.antiAffinity.length > 0) this.#keepingAway.add(pod.uid);
    let onNode = this.#uidsByNode.get(nodeName);
    if (onNode === undefined) this.#uidsByNode.set(nodeName, (onNode = new Set()));
    onNode.add(pod.uid);
    const node = this.#nodes.get(nodeName);
    node?.setPod(pod);
    if (node !== undefined) this.#update(node, nowMs);
  }

  #update(node: NodeRecord, nowMs: number): void {
    node.refresh(nowMs);
    this.#byRequested.set(node);
    if (node.reading.state === 'known') this.#byMeasured.set(node);
  }
}

/** By a number, then by name. */
function leastFirst(key: (node: NodeRecord) => number) {
  return (a: NodeRecord, b: NodeRecord): boolean => {
    const difference = key(a) - key(b);
    return difference < 0 || (difference === 0 && a.info.name < b.info.name);
  };
}
