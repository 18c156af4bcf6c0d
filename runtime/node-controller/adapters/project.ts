import type { KubeObject, Pod } from '../../shared/kubernetes/types';
import { POSTURE_APP, QUEUE_LABEL, type ObservedJob, type ObservedPod } from '../types';

/** The parts of a Job that are read, named as in the API's JSON. */
export interface RawJob extends KubeObject {
  readonly spec?: {
    readonly suspend?: boolean;
    readonly parallelism?: number;
    readonly completions?: number;
    readonly template?: {
      readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
    };
  };
  readonly status?: {
    readonly succeeded?: number;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** The Job as the policies see it. */
export function observedJob({ metadata, spec, status }: RawJob): ObservedJob {
  const createdAtMs = Date.parse(metadata.creationTimestamp ?? '');
  const completions = spec?.completions;
  return {
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion ?? '',
    createdAtMs: Number.isNaN(createdAtMs) ? 0 : createdAtMs,
    queued: metadata.labels?.[QUEUE_LABEL] === 'true',
    posture: spec?.template?.metadata?.labels?.['app'] === POSTURE_APP,
    suspended: spec?.suspend ?? false,
    deleting: metadata.deletionTimestamp !== undefined,
    ended: (status?.conditions ?? []).some(
      (one) => (one.type === 'Complete' || one.type === 'Failed') && one.status === 'True',
    ),
    parallelism: spec?.parallelism ?? 1,
    // Without completions any one success ends the Job, so there is no telling how many pods are still to come.
    remaining:
      completions === undefined ? Infinity : Math.max(0, completions - (status?.succeeded ?? 0)),
  };
}

/** The pod as the policies see it. */
export function observedPod({ metadata, spec, status }: Pod): ObservedPod {
  const job = metadata.ownerReferences?.find(
    ({ kind, controller }) => kind === 'Job' && controller,
  );
  return {
    name: metadata.name,
    uid: metadata.uid,
    posture: metadata.labels?.['app'] === POSTURE_APP,
    ...(spec.nodeName && { nodeName: spec.nodeName }),
    ended: status?.phase === 'Succeeded' || status?.phase === 'Failed',
    ...(job !== undefined && { jobUid: job.uid }),
  };
}
