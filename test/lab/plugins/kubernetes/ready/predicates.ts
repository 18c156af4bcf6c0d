import type { Json, KubeObject } from '../api/cluster';

/** How far an object is. `failed` means that it will never be ready. */
export interface Progress {
  ready: boolean;
  message: string;
  failed?: string;
}

/** Objects besides the one in question that decide. */
export interface Related {
  /** A Service's Endpoints. */
  endpoints?: KubeObject;
  /** How long these have been as they are, in ms. */
  endpointsSettledMs?: number;
  /** A claim's storage class. */
  storageClass?: KubeObject;
}

export type Predicate = (object: KubeObject, related: Related) => Progress;

/** Endpoints come and go while pods start: they count once they stay. */
export const SETTLED_MS = 10_000;

const READY: Record<string, Predicate> = {
  'apps/v1/Deployment': (d) => {
    const wanted = count(d.spec?.replicas, 1);
    const updated = count(d.status?.updatedReplicas);
    const available = count(d.status?.availableReplicas);
    const total = count(d.status?.replicas);
    const stuck = condition(d, 'Progressing', 'False');
    return {
      ready: observed(d) && updated >= wanted && available >= wanted && total <= updated,
      message: `${Math.min(updated, available)} of ${wanted} pods are available`.concat(
        stuck ? `: ${text(stuck.message)}` : '',
      ),
    };
  },
  'apps/v1/StatefulSet': (s) => {
    const wanted = count(s.spec?.replicas, 1);
    const ready = count(s.status?.readyReplicas);
    const onDelete = (s.spec?.updateStrategy as { type?: string } | undefined)?.type === 'OnDelete';
    const rolled =
      (onDelete && (s.metadata.generation ?? 1) > 1) ||
      (s.status?.currentRevision === s.status?.updateRevision &&
        count(s.status?.currentReplicas) === wanted);
    return {
      ready: observed(s) && ready === wanted && count(s.status?.replicas) === wanted && rolled,
      message: `${ready} of ${wanted} pods are ready`,
    };
  },
  'apps/v1/DaemonSet': (d) => {
    const wanted = count(d.status?.desiredNumberScheduled);
    const parts = ['currentNumberScheduled', 'updatedNumberScheduled', 'numberAvailable'] as const;
    const reached = Math.min(...parts.map((part) => count(d.status?.[part])), wanted);
    return {
      ready: observed(d) && reached === wanted && count(d.status?.numberReady) >= wanted,
      message: `${reached} of ${wanted} pods are available`,
    };
  },
  'batch/v1/Job': (job) => {
    const failed = condition(job, 'Failed', 'True');
    return {
      ready: condition(job, 'Complete', 'True') !== undefined,
      message:
        job.status?.startTime === undefined
          ? 'waiting for the job to start'
          : `${count(job.status.succeeded)} of ${count(job.spec?.completions, 1)} pods have succeeded`,
      failed: failed && `the job failed: ${text(failed.reason)}: ${text(failed.message)}`,
    };
  },
  'v1/Pod': (pod) => {
    const phase = text(pod.status?.phase);
    return {
      ready: phase === 'Succeeded' || condition(pod, 'Ready', 'True') !== undefined,
      message: `the pod is ${phase}`,
      failed: phase === 'Failed' ? `the pod failed: ${text(pod.status?.message)}` : undefined,
    };
  },
  'v1/Service': (service, related) => {
    if (service.spec?.type === 'LoadBalancer' && !hasIngress(service)) {
      return { ready: false, message: 'no address was assigned to the load balancer' };
    }
    if (!targetsPods(service)) return { ready: true, message: 'the service exists' };
    const subsets = (related.endpoints?.subsets ?? []) as Record<string, unknown[] | undefined>[];
    const pending = subsets.some((subset) => (subset.notReadyAddresses ?? []).length > 0);
    const targets = subsets.some((subset) => (subset.addresses ?? []).length > 0);
    const settled = targets || (related.endpointsSettledMs ?? 0) >= SETTLED_MS;
    return {
      ready: related.endpoints !== undefined && !pending && settled,
      message: targets
        ? 'some of the pods behind the service are not ready'
        : 'the service has no ready pods: they may not be ready, or spec.selector may match no labels',
    };
  },
  'v1/PersistentVolumeClaim': (claim, { storageClass }) => {
    const phase = text(claim.status?.phase);
    const late = storageClass?.volumeBindingMode === 'WaitForFirstConsumer';
    return {
      ready: phase === 'Bound' || (late && phase === 'Pending'),
      message: `the claim is ${phase}`,
    };
  },
  'v1/PersistentVolume': (volume) => {
    const phase = text(volume.status?.phase);
    return { ready: phase === 'Available' || phase === 'Bound', message: `the volume is ${phase}` };
  },
  'v1/ResourceQuota': (quota) => ({
    ready: JSON.stringify(quota.spec?.hard) === JSON.stringify(quota.status?.hard),
    message: 'the quota is not in force yet',
  }),
  'networking.k8s.io/v1/Ingress': (ingress) => ({
    ready: hasIngress(ingress),
    message: 'no controller has given the ingress an address',
  }),
};

/** When an object of this kind counts as ready; nothing for kinds that are ready once they exist. */
export const readiness = (apiVersion: string, kind: string): Predicate | undefined =>
  READY[`${apiVersion}/${kind}`];

/** Whether a Service sends traffic to pods that its selector names, so that there is something to wait for. */
export function targetsPods(service: KubeObject): boolean {
  const { type, clusterIP, selector } = service.spec ?? {};
  return type !== 'ExternalName' && clusterIP !== 'None' && Object.keys(selector ?? {}).length > 0;
}

const observed = (object: KubeObject): boolean =>
  count(object.status?.observedGeneration) >= (object.metadata.generation ?? 1);

const count = (value: Json | undefined, otherwise = 0): number =>
  typeof value === 'number' ? value : otherwise;

const text = (value: Json | undefined): string => (typeof value === 'string' ? value : 'unknown');

function condition(
  object: KubeObject,
  type: string,
  status: string,
): Record<string, Json> | undefined {
  const conditions = (object.status?.conditions ?? []) as Record<string, Json>[];
  return conditions.find((c) => c.type === type && c.status === status);
}

function hasIngress(object: KubeObject): boolean {
  const balancer = object.status?.loadBalancer as { ingress?: unknown[] } | undefined;
  return (balancer?.ingress ?? []).length > 0;
}
