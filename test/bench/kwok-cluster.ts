import pLimit from 'p-limit';
import type { KubeApi } from '../../runtime/shared/kubernetes/api';
import { startControlPlane, type ControlPlane } from '../wire/support/control-plane';
import { apiOf, createNamespace, createPod } from '../wire/support/kube';
import { progress } from './progress';

const NAMESPACE = 'bench';
/** Requests to the API server at the same time. */
const IN_FLIGHT = 32;
/** Progress is told so often. */
const TOLD_EACH = 2500;

export const workerName = (number: number): string => `k3s-worker-${number}`;

/** A real API server whose kubelets are played by KWOK: workers of 4 processors, and pods of a ReplicaSet on them. */
export class KwokCluster {
  readonly #limit = pLimit(IN_FLIGHT);
  #pods = 0;
  private constructor(
    readonly plane: ControlPlane,
    readonly api: KubeApi,
  ) {}

  static async start(): Promise<KwokCluster> {
    const plane = await startControlPlane({ kwok: true });
    const api = await apiOf(plane.kubeconfig);
    await createNamespace(api, NAMESPACE);
    return new KwokCluster(plane, api);
  }

  /** Makes the workers k3s-worker-FROM to TO, with so many bound pods each. */
  async addWorkers(from: number, to: number, podsEach: number): Promise<void> {
    const numbers = Array.from({ length: to - from + 1 }, (_, index) => from + index);
    await this.#each('nodes', numbers, (number) => this.#addWorker(workerName(number)));
    const places = numbers.flatMap((number) => Array.from({ length: podsEach }, () => number));
    await this.#each('pods', places, (number) =>
      createPod(this.api, NAMESPACE, this.#nextPod(), {
        cpu: '100m',
        metadata: { ownerReferences: [OWNER] },
        spec: { nodeName: workerName(number) },
      }),
    );
  }

  /** Makes pods for which a scheduler has found no node. @returns how many there are. */
  async addWaiting(count: number): Promise<number> {
    await this.#each('waiting pods', Array.from({ length: count }).fill(0), async () => {
      const name = this.#nextPod();
      await createPod(this.api, NAMESPACE, name, { cpu: '1', metadata: { labels: WAITING } });
      await this.api.request({
        method: 'PATCH',
        path: `/api/v1/namespaces/${NAMESPACE}/pods/${name}/status`,
        contentType: 'application/strategic-merge-patch+json',
        body: { status: { conditions: [UNSCHEDULABLE] } },
      });
    });
    return count;
  }

  /** Takes the waiting pods away. */
  async removeWaiting(): Promise<void> {
    await this.api.request({
      method: 'DELETE',
      path: `/api/v1/namespaces/${NAMESPACE}/pods`,
      query: { gracePeriodSeconds: 0, labelSelector: 'bench=waiting' },
      timeoutMs: 600_000,
    });
  }

  async stop(): Promise<void> {
    await this.api.close();
    await this.plane.stop();
  }

  async #addWorker(name: string): Promise<void> {
    const amounts = { cpu: '4', memory: '8Gi', pods: '110', 'ephemeral-storage': '20Gi' };
    const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' };
    await this.api.request({
      method: 'POST',
      path: '/api/v1/nodes',
      body: {
        ...{ apiVersion: 'v1', kind: 'Node', metadata: { name, labels } },
        status: { allocatable: amounts, capacity: amounts },
      },
    });
    // Admission taints every new node as not ready; without the node controller nobody takes that away.
    await this.api.request({
      method: 'PATCH',
      path: `/api/v1/nodes/${name}`,
      contentType: 'application/merge-patch+json',
      body: { spec: { taints: null } },
    });
  }

  #nextPod(): string {
    return `pod-${(this.#pods += 1)}`;
  }

  async #each<T>(
    what: string,
    items: readonly T[],
    make: (item: T) => Promise<unknown>,
  ): Promise<void> {
    let made = 0;
    const one = async (item: T): Promise<void> => {
      await make(item);
      made += 1;
      if (made % TOLD_EACH === 0 || made === items.length)
        progress(`${made} of ${items.length} ${what} made`);
    };
    await Promise.all(items.map((item) => this.#limit(() => one(item))));
  }
}

const OWNER = {
  ...{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'bench', uid: 'bench-uid' },
  controller: true,
};
const WAITING = { bench: 'waiting' };
const UNSCHEDULABLE = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable' };
