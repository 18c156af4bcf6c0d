import type { RawJob } from '../../../runtime/node-controller/adapters/project';
import type { KubeApi } from '../../../runtime/shared/kubernetes/api';
import type { Pod } from '../../../runtime/shared/kubernetes/types';
import { createPod } from './kube';

const jobsIn = (namespace: string): string => `/apis/batch/v1/namespaces/${namespace}/jobs`;

/** Makes a suspended Job of the queue. */
export function createQueuedJob(api: KubeApi, namespace: string, name: string): Promise<RawJob> {
  return api.request<RawJob>({
    method: 'POST',
    path: jobsIn(namespace),
    body: {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name, labels: { 'posture/queue': 'true' } },
      spec: {
        suspend: true,
        template: {
          metadata: { labels: { app: 'posture' } },
          spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'none' }] },
        },
      },
    },
  });
}

export async function listJobs(api: KubeApi, namespace: string): Promise<RawJob[]> {
  return (await api.request<{ items: RawJob[] }>({ method: 'GET', path: jobsIn(namespace) })).items;
}

export const getJob = (api: KubeApi, namespace: string, name: string): Promise<RawJob> =>
  api.request<RawJob>({ method: 'GET', path: `${jobsIn(namespace)}/${name}` });

/** Changes a Job, as a user may. */
export const annotateJob = (api: KubeApi, namespace: string, name: string): Promise<RawJob> =>
  api.request<RawJob>({
    method: 'PATCH',
    path: `${jobsIn(namespace)}/${name}`,
    contentType: 'application/merge-patch+json',
    body: { metadata: { annotations: { 'a.b/c': '1' } } },
  });

/** Removes a Job at once; its pods stay where no controller collects them. */
export const deleteJob = (api: KubeApi, namespace: string, name: string): Promise<unknown> =>
  api.request({
    method: 'DELETE',
    path: `${jobsIn(namespace)}/${name}`,
    body: { propagationPolicy: 'Background' },
  });

/** Makes the pod of a Job, as the Job controller does. */
export function createPodOf(api: KubeApi, namespace: string, { metadata }: RawJob): Promise<Pod> {
  const { name, uid } = metadata;
  const owner = { apiVersion: 'batch/v1', kind: 'Job', name, uid, controller: true };
  return createPod(api, namespace, `${name}-pod`, {
    metadata: { labels: { app: 'posture' }, ownerReferences: [owner] },
    spec: { restartPolicy: 'Never' },
  });
}

/** Binds a pod to a node, as a scheduler does. */
export const bindPod = (api: KubeApi, namespace: string, name: string, node: string) =>
  api.request({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/pods/${name}/binding`,
    body: {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name },
      target: { apiVersion: 'v1', kind: 'Node', name: node },
    },
  });

/** Lets a pod end well, as a kubelet does. */
export const endPod = (api: KubeApi, namespace: string, name: string) =>
  api.request({
    method: 'PATCH',
    path: `/api/v1/namespaces/${namespace}/pods/${name}/status`,
    contentType: 'application/merge-patch+json',
    body: { status: { phase: 'Succeeded' } },
  });
