import type { V1Pod } from '@kubernetes/client-node';
import type { EstateCluster } from './cluster';
import { startAnewOnError } from './informers';

/** Notes every node that pods with a label were ever seen on. */
export class BindingWatch {
  /** Names of nodes by uid of the pod. */
  readonly nodesOf = new Map<string, Set<string>>();
  /** Told of a pod when it is first seen on a node. */
  onBound: (pod: V1Pod) => void = () => undefined;
  private readonly pods;
  private stopped = false;

  private constructor(cluster: EstateCluster, namespace: string, labelSelector: string) {
    this.pods = cluster.watchPods(namespace, labelSelector);
    startAnewOnError(this.pods, () => this.stopped);
    for (const event of ['add', 'update', 'delete'] as const)
      this.pods.on(event, (pod) => this.look(pod));
  }

  static async start(
    cluster: EstateCluster,
    namespace: string,
    labelSelector: string,
  ): Promise<BindingWatch> {
    const watch = new BindingWatch(cluster, namespace, labelSelector);
    await watch.pods.start();
    return watch;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.pods.stop();
  }

  private look(pod: V1Pod): void {
    const { uid = '' } = pod.metadata ?? {};
    const node = pod.spec?.nodeName;
    if (node === undefined) return;
    const known = this.nodesOf.get(uid);
    this.nodesOf.set(uid, (known ?? new Set()).add(node));
    if (known === undefined) this.onBound(pod);
  }
}
