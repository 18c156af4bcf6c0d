import { KubeConfig } from '@kubernetes/client-node';
import { KubeApi } from '../../../runtime/shared/kubernetes/api';
import { ApiError } from '../../../runtime/shared/kubernetes/api-error';
import { connectionOf } from '../../../runtime/shared/kubernetes/connection';
import type { Pod } from '../../../runtime/shared/kubernetes/types';

/** A client of a control plane under test. */
export async function apiOf(kubeconfig: string): Promise<KubeApi> {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  const options = { timeoutMs: 120_000, connections: 32, userAgent: 'berth-test' };
  return new KubeApi(await connectionOf(config), options);
}

/** How a node that no kubelet stands behind looks. */
export interface FakeNode {
  readonly name: string;
  readonly cpu?: string;
  readonly memory?: string;
  readonly pods?: string;
  readonly ip?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly { key: string; value?: string; effect: string }[];
  readonly unschedulable?: boolean;
  readonly ready?: boolean;
}

/** Makes a Ready node out of nothing but its object. */
export async function createNode(api: KubeApi, node: FakeNode): Promise<void> {
  await api.request({
    method: 'POST',
    path: '/api/v1/nodes',
    body: {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name: node.name,
        labels: { 'kubernetes.io/hostname': node.name, ...node.labels },
      },
      spec: { unschedulable: node.unschedulable ?? false },
    },
  });
  // Admission taints every new node as not ready; without the node controller nobody takes that away.
  await api.request({
    method: 'PATCH',
    path: `/api/v1/nodes/${node.name}`,
    contentType: 'application/merge-patch+json',
    body: { spec: { taints: node.taints ?? [] } },
  });
  const amounts = {
    cpu: node.cpu ?? '4',
    memory: node.memory ?? '8Gi',
    pods: node.pods ?? '110',
    'ephemeral-storage': '20Gi',
  };
  await api.request({
    method: 'PATCH',
    path: `/api/v1/nodes/${node.name}/status`,
    contentType: 'application/merge-patch+json',
    body: {
      status: {
        allocatable: amounts,
        capacity: amounts,
        conditions: [{ type: 'Ready', status: (node.ready ?? true) ? 'True' : 'False' }],
        addresses: [{ type: 'InternalIP', address: node.ip ?? '10.0.0.1' }],
      },
    },
  });
}

/** Makes a namespace whose default service account exists, without which pods are refused. */
export async function createNamespace(api: KubeApi, name: string): Promise<void> {
  await api.request({
    method: 'POST',
    path: '/api/v1/namespaces',
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
  });
  await api
    .request({
      method: 'POST',
      path: `/api/v1/namespaces/${name}/serviceaccounts`,
      body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } },
    })
    .catch((error: unknown) => {
      if (!(error instanceof ApiError && error.status === 409)) throw error;
    });
}

/** Makes a pod for the cpu-scheduler; `spec` and `metadata` add to what it has. */
export async function createPod(
  api: KubeApi,
  namespace: string,
  name: string,
  options: { spec?: object; metadata?: object; cpu?: string } = {},
): Promise<Pod> {
  const resources = options.cpu === undefined ? {} : { requests: { cpu: options.cpu } };
  return api.request<Pod>({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/pods`,
    body: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, ...options.metadata },
      spec: {
        schedulerName: 'cpu-scheduler',
        containers: [{ name: 'main', image: 'none', resources }],
        ...options.spec,
      },
    },
  });
}

export const getPod = (api: KubeApi, namespace: string, name: string): Promise<Pod> =>
  api.request<Pod>({ method: 'GET', path: `/api/v1/namespaces/${namespace}/pods/${name}` });

export async function listPods(api: KubeApi, namespace: string): Promise<Pod[]> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  return (await api.request<{ items: Pod[] }>({ method: 'GET', path })).items;
}

/** An event as `kubectl get events` shows it. */
export interface SeenEvent {
  readonly reason: string;
  readonly note: string;
  readonly type: string;
  readonly regarding: { readonly name: string; readonly uid: string };
  readonly series?: { readonly count: number };
}

export async function listEvents(api: KubeApi, namespace: string): Promise<SeenEvent[]> {
  const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
  return (await api.request<{ items: SeenEvent[] }>({ method: 'GET', path })).items;
}

/** Asks until the answer is there. @throws with the last state when it does not come in time. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  limitMs = 600_000,
): Promise<T> {
  const untilMs = Date.now() + limitMs;
  let last: unknown;
  while (Date.now() < untilMs) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`not within ${limitMs} ms: ${what}`, { cause: last });
}
