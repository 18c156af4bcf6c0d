import type { EvictOutcome } from '../../shared/kubernetes/evictor';
import {
  ContainerTaken,
  type Cluster,
  type Containers,
  type LeavingPod,
  type NodeState,
  type WorkerContainer,
} from '../ports';

/** A pod of the memory world. */
export interface MemoryPod extends LeavingPod {
  readonly node: string;
  /** A PodDisruptionBudget forbids its eviction. */
  readonly protected: boolean;
}

interface MemoryNode extends NodeState {
  readonly password: boolean;
}

/**
 * Docker and Kubernetes in memory; for tests. A container that runs registers its node after `registerMs` and makes it
 * Ready after `readyMs`; a node whose container is gone becomes not ready. An evicted pod is gone after `graceMs`.
 */
export class MemoryWorld implements Containers, Cluster {
  registerMs = 2000;
  readyMs = 4000;
  graceMs = 1000;
  nowMs = 0;
  readonly containers = new Map<string, WorkerContainer>();
  readonly known = new Map<string, MemoryNode>();
  readonly passwords = new Set<string>();
  readonly pods = new Map<string, MemoryPod>();
  /** Containers that never register, by name. */
  readonly broken = new Set<string>();
  /** Containers whose nodes never become Ready, by name. */
  readonly sick = new Set<string>();
  /** Every container ever made, for looking for doubles. */
  readonly made: string[] = [];
  readonly #leaving = new Map<string, number>();

  /** Lets time pass. */
  advance(ms: number): void {
    this.nowMs += ms;
    for (const [uid, atMs] of this.#leaving) {
      if (atMs > this.nowMs) continue;
      this.#leaving.delete(uid);
      this.pods.delete(uid);
    }
    for (const { name, running, createdAtMs } of this.containers.values()) {
      const ageMs = this.nowMs - createdAtMs;
      if (!running || this.broken.has(name) || ageMs < this.registerMs) continue;
      const before = this.known.get(name);
      const plain = { name, cordoned: false, controlPlane: false, password: true };
      this.known.set(name, {
        ...plain,
        ...before,
        ready: ageMs >= this.readyMs && !this.sick.has(name),
      });
      this.passwords.add(name);
    }
    for (const node of this.known.values())
      if (!this.containers.has(node.name) && !node.controlPlane)
        this.known.set(node.name, { ...node, ready: false });
  }

  /** A worker that has been there for long. */
  addWorker(name: string, operation = ''): void {
    const createdAtMs = this.nowMs - 3_600_000;
    this.containers.set(name, { name, running: true, createdAtMs, operation });
    this.advance(0);
  }

  addPod(pod: Partial<MemoryPod> & { node: string; name: string }): void {
    const uid = `uid-${pod.name}`;
    const ownerUid = pod.controlled === false ? '' : `owner-of-${pod.name}`;
    const plain = {
      namespace: 'ns',
      uid,
      ownerUid,
      deleting: false,
      controlled: true,
      protected: false,
    };
    this.pods.set(uid, { ...plain, ...pod });
  }

  async list(): Promise<readonly WorkerContainer[]> {
    return [...this.containers.values()];
  }

  async create(name: string, operation: string): Promise<void> {
    const found = this.containers.get(name);
    if (found !== undefined && found.operation !== operation) throw new ContainerTaken(name);
    if (found === undefined) this.made.push(name);
    const createdAtMs = found?.createdAtMs ?? this.nowMs;
    this.containers.set(name, { name, operation, running: true, createdAtMs });
  }

  async remove(name: string): Promise<void> {
    this.containers.delete(name);
    this.advance(0);
  }

  async nodes(): Promise<readonly NodeState[]> {
    return [...this.known.values()].map(stateOf);
  }

  async node(name: string): Promise<NodeState | undefined> {
    const found = this.known.get(name);
    return found && stateOf(found);
  }

  async setCordoned(name: string, cordoned: boolean): Promise<void> {
    const found = this.known.get(name);
    if (found !== undefined) this.known.set(name, { ...found, cordoned });
  }

  async leavingPods(node: string): Promise<readonly LeavingPod[]> {
    return [...this.pods.values()].filter((pod) => pod.node === node);
  }

  async evict({ uid }: LeavingPod): Promise<EvictOutcome> {
    const pod = this.pods.get(uid);
    if (pod === undefined) return { kind: 'gone' };
    if (pod.protected) return { kind: 'protected', message: 'a disruption budget protects it' };
    this.pods.set(uid, { ...pod, deleting: true });
    if (!this.#leaving.has(uid)) this.#leaving.set(uid, this.nowMs + this.graceMs);
    return { kind: 'evicted' };
  }

  async deleteNode(name: string): Promise<void> {
    this.known.delete(name);
    for (const [uid, pod] of this.pods) if (pod.node === name) this.pods.delete(uid);
  }

  async deleteNodePassword(name: string): Promise<void> {
    this.passwords.delete(name);
  }
}

const stateOf = ({ name, ready, cordoned, controlPlane }: MemoryNode): NodeState => ({
  ...{ name, ready, cordoned, controlPlane },
});
