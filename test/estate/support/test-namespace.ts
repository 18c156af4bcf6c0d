import type { EventsV1Event, V1Pod } from '@kubernetes/client-node';
import { BURN_CPU, podOf, type EstateCluster } from './cluster';
import { waitUntil } from './wait-until';

/** A namespace of one test file, for its pods. What belongs together has the same label `role`. */
export class TestNamespace {
  private constructor(
    private readonly cluster: EstateCluster,
    readonly name: string,
  ) {}

  static async create(cluster: EstateCluster, name: string): Promise<TestNamespace> {
    await cluster.core.createNamespace({ body: { metadata: { name } } });
    return new TestNamespace(cluster, name);
  }

  /** Takes it away with all that is in it. */
  async remove(): Promise<void> {
    await this.cluster.core.deleteNamespace({ name: this.name, gracePeriodSeconds: 0 });
    await waitUntil('the namespace to go', async () => {
      const { items } = await this.cluster.core.listNamespace();
      return !items.some(({ metadata }) => metadata?.name === this.name);
    });
  }

  createPod(body: V1Pod): Promise<V1Pod> {
    return this.cluster.core.createNamespacedPod({ namespace: this.name, body });
  }

  pods(role: string): Promise<V1Pod[]> {
    return this.cluster.pods(this.name, `role=${role}`);
  }

  /** Waits until so many pods of a role are there, and all are on a node. */
  allBound(role: string, count: number): Promise<V1Pod[]> {
    return waitUntil(`the pods of ${role} to be bound`, async () => {
      const pods = await this.pods(role);
      return pods.length === count && bound(pods).length === count && pods;
    });
  }

  /** Events for one reason about pods in it. */
  async events(reason: string): Promise<EventsV1Event[]> {
    const { items } = await this.cluster.events.listNamespacedEvent({ namespace: this.name });
    return items.filter((event) => event.reason === reason);
  }

  async removePods(role: string): Promise<void> {
    await this.cluster.core.deleteCollectionNamespacedPod({
      namespace: this.name,
      labelSelector: `role=${role}`,
      gracePeriodSeconds: 0,
    });
    await waitUntil(`the pods of ${role} to go`, async () => (await this.pods(role)).length === 0);
  }

  /** Creates pods of the role `burner` that keep a node busy and that no scheduler placed. @param image with Node.js */
  async burn(nodeName: string, image: string): Promise<void> {
    for (const part of [1, 2])
      await this.createPod(
        podOf({
          name: `burner-${nodeName}-${part}`,
          image,
          program: BURN_CPU,
          nodeName,
          labels: { role: 'burner' },
        }),
      );
  }
}

/** Those that are on a node. */
export const bound = (pods: readonly V1Pod[]): V1Pod[] =>
  pods.filter(({ spec }) => spec?.nodeName !== undefined);
