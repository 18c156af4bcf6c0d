import type {
  V1DaemonSet,
  V1Deployment,
  V1Job,
  V1Node,
  V1Pod,
  V1StatefulSet,
} from '@kubernetes/client-node';
import { KubeError, type Kube } from './kube';
import type { ScaledJob } from './scaled-job-rows';

/** The objects of a cluster that `status` is made of. */
export interface ClusterObjects {
  readonly nodes: readonly V1Node[];
  readonly jobs: readonly V1Job[];
  /** Pods of the posture jobs. */
  readonly pods: readonly V1Pod[];
  readonly scaledJobs: readonly ScaledJob[];
  readonly services: readonly Workload[];
}

/** What keeps a service's pods running. */
export type Workload = V1Deployment | V1StatefulSet | V1DaemonSet;

/** Namespaces of the cluster's own parts, which are not services of the estate. */
const CLUSTER_NAMESPACES = ['kube-system', 'kube-public', 'kube-node-lease'];

/** The posture jobs and their pods. */
export async function readJobs(kube: Kube): Promise<Pick<ClusterObjects, 'jobs' | 'pods'>> {
  const selector = `labelSelector=${encodeURIComponent('app=posture')}`;
  const [jobs, pods] = await Promise.all([
    list<V1Job>(kube, `/apis/batch/v1/jobs?${selector}`),
    list<V1Pod>(kube, `/api/v1/pods?${selector}`),
  ]);
  return { jobs, pods };
}

/** The ScaledJobs; none where the cluster has no KEDA. */
export async function readScaledJobs(kube: Kube): Promise<ScaledJob[]> {
  try {
    return await list<ScaledJob>(
      kube,
      '/apis/keda.sh/v1alpha1/scaledjobs?labelSelector=app%3Dposture',
    );
  } catch (error) {
    if (error instanceof KubeError && error.status === 404) return [];
    throw error;
  }
}

/** Everything that `status` shows. */
export async function readCluster(kube: Kube): Promise<ClusterObjects> {
  const [nodes, work, scaledJobs, ...services] = await Promise.all([
    list<V1Node>(kube, '/api/v1/nodes'),
    readJobs(kube),
    readScaledJobs(kube),
    list<V1Deployment>(kube, '/apis/apps/v1/deployments'),
    list<V1StatefulSet>(kube, '/apis/apps/v1/statefulsets'),
    list<V1DaemonSet>(kube, '/apis/apps/v1/daemonsets'),
  ]);
  return {
    nodes,
    ...work,
    scaledJobs,
    services: services
      .flat()
      .filter(({ metadata }) => !CLUSTER_NAMESPACES.includes(metadata?.namespace ?? '')),
  };
}

async function list<T>(kube: Kube, path: string): Promise<T[]> {
  const { items } = await kube.json<{ items: T[] }>(path);
  return items;
}

/** What a container of a pod logged, or an empty text where the cluster has it no more. */
export async function podLog(kube: Kube, pod: V1Pod, container: string): Promise<string> {
  const { namespace, name } = pod.metadata ?? {};
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/log?container=${container}`;
  return kube.text(path).catch(() => '');
}
