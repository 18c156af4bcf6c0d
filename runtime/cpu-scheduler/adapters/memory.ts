import type { Binder, BindOutcome, EvictOutcome, Evictor } from '../ports';
import type { PodRef } from '../types';

/** A pod as the memory adapters keep it. */
export interface MemoryPod extends PodRef {
  node?: string;
  annotations?: Readonly<Record<string, string>>;
  /** Whether a disruption budget protects it. */
  protected?: boolean;
}

/** Pods in memory, which are bound and evicted by the rules of the API server; for tests. */
export class MemoryPods implements Binder, Evictor {
  readonly pods = new Map<string, MemoryPod>();

  add(pod: MemoryPod): void {
    this.pods.set(keyOf(pod), pod);
  }

  async bind(
    pod: PodRef,
    node: string,
    annotations: Readonly<Record<string, string>>,
  ): Promise<BindOutcome> {
    const found = this.#find(pod);
    if (found === undefined) return { kind: 'gone' };
    if (found.node !== undefined) return this.look(pod, node);
    found.node = node;
    found.annotations = { ...found.annotations, ...annotations };
    return { kind: 'bound' };
  }

  async look(pod: PodRef, node: string): Promise<BindOutcome> {
    const found = this.#find(pod);
    if (found === undefined) return { kind: 'gone' };
    if (found.node === undefined) return { kind: 'retry', message: 'the pod is not bound' };
    return found.node === node ? { kind: 'bound' } : { kind: 'taken', node: found.node };
  }

  async evict(pod: PodRef): Promise<EvictOutcome> {
    const found = this.#find(pod);
    if (found === undefined) return { kind: 'gone' };
    if (found.protected) return { kind: 'protected', message: 'a disruption budget protects it' };
    this.pods.delete(keyOf(pod));
    return { kind: 'evicted' };
  }

  #find(pod: PodRef): MemoryPod | undefined {
    const found = this.pods.get(keyOf(pod));
    return found?.uid === pod.uid ? found : undefined;
  }
}

const keyOf = ({ namespace, name }: PodRef): string => `${namespace}/${name}`;
