import { projectNode } from '../../cpu-scheduler/adapters/project';
import { ApiError } from '../../shared/kubernetes/api-error';
import type { ApiRequest, KubeApi } from '../../shared/kubernetes/api';
import { KubeEvictor, type EvictOutcome } from '../../shared/kubernetes/evictor';
import type { Node, Pod } from '../../shared/kubernetes/types';
import { isControlPlane } from '../policy/control-plane';
import { staysWithNode } from '../policy/template';
import type { Cluster, LeavingPod, NodeState } from '../ports';

const NODES = '/api/v1/nodes';
/** Where k3s keeps the password of each node's agent. */
const PASSWORDS = '/api/v1/namespaces/kube-system/secrets';

/** Nodes and their pods in the API server, asked each time: what is done rests on how it is now. */
export class KubeCluster implements Cluster {
  readonly #evictor: KubeEvictor;

  constructor(private readonly api: KubeApi) {
    this.#evictor = new KubeEvictor(api);
  }

  async nodes(): Promise<readonly NodeState[]> {
    const { items = [] } = await this.api.request<List<Node>>({ method: 'GET', path: NODES });
    return items.map(stateOf);
  }

  async node(name: string): Promise<NodeState | undefined> {
    const found = await this.#unlessGone<Node>({ method: 'GET', path: `${NODES}/${name}` });
    return found && stateOf(found);
  }

  async setCordoned(name: string, cordoned: boolean): Promise<void> {
    await this.#unlessGone({
      method: 'PATCH',
      path: `${NODES}/${name}`,
      contentType: 'application/merge-patch+json',
      body: { spec: { unschedulable: cordoned ? true : null } },
    });
  }

  async leavingPods(node: string): Promise<readonly LeavingPod[]> {
    const { items = [] } = await this.api.request<List<Pod>>({
      method: 'GET',
      path: '/api/v1/pods',
      query: {
        fieldSelector: `spec.nodeName=${node},status.phase!=Succeeded,status.phase!=Failed`,
      },
    });
    return items.flatMap((pod) => {
      const { namespace = '', name, uid, deletionTimestamp } = pod.metadata;
      const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller === true);
      if (staysWithNode({ owner })) return [];
      return {
        ...{ namespace, name, uid, ownerUid: owner?.uid ?? '' },
        deleting: deletionTimestamp !== undefined,
        controlled: owner !== undefined,
      };
    });
  }

  evict(pod: LeavingPod): Promise<EvictOutcome> {
    return this.#evictor.evict(pod);
  }

  async deleteNode(name: string): Promise<void> {
    await this.#unlessGone({ method: 'DELETE', path: `${NODES}/${name}` });
  }

  async deleteNodePassword(name: string): Promise<void> {
    await this.#unlessGone({ method: 'DELETE', path: `${PASSWORDS}/${name}.node-password.k3s` });
  }

  async #unlessGone<T>(request: ApiRequest): Promise<T | undefined> {
    try {
      return await this.api.request<T>(request);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }
}

interface List<T> {
  readonly items?: readonly T[];
}

function stateOf(raw: Node): NodeState {
  // What a node offers does not matter here.
  const { name, ready, unschedulable, labels } = projectNode(raw, () => undefined);
  return { name, ready, cordoned: unschedulable, controlPlane: isControlPlane(labels) };
}
