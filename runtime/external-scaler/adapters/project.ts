import type { KubeObject, ObjectMeta, Pod } from '../../shared/kubernetes/types';
import type { JobInfo, PodInfo, ScaledJobInfo } from '../types';

/** A Job, as far as it is read. */
export interface RawJob extends KubeObject {
  readonly spec?: {
    readonly suspend?: boolean;
    readonly template?: {
      readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
    };
  };
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** A ScaledJob, as far as it is read. */
export interface RawScaledJob extends KubeObject {
  readonly metadata: ObjectMeta & { readonly generation?: number };
}

/** Label by which KEDA tells whose Jobs and pods are whose. */
export const SCALED_JOB_LABEL = 'scaledjob.keda.sh/name';
const GENERATION_ANNOTATION = 'scaledjob.keda.sh/generation';
const PAUSED_ANNOTATION = 'autoscaling.keda.sh/paused';
/** Label of the pods of analyzers. */
export const ANALYZER_LABEL = { key: 'app', value: 'posture' } as const;

const scaledJobOf = ({ namespace, labels }: ObjectMeta): string | null => {
  const name = labels?.[SCALED_JOB_LABEL];
  return name === undefined ? null : `${namespace ?? ''}/${name}`;
};

export function projectScaledJob({ metadata }: RawScaledJob): ScaledJobInfo {
  return {
    key: `${metadata.namespace ?? ''}/${metadata.name}`,
    uid: metadata.uid,
    generation: metadata.generation ?? 1,
    paused: metadata.annotations?.[PAUSED_ANNOTATION] === 'true',
  };
}

/** The Job, or undefined when its pods are no analyzers. */
export function projectJob({ metadata, spec, status }: RawJob): JobInfo | undefined {
  const scaledJob = scaledJobOf(metadata);
  const labels = spec?.template?.metadata?.labels;
  if (scaledJob === null && labels?.[ANALYZER_LABEL.key] !== ANALYZER_LABEL.value) return undefined;
  const has = (type: string): boolean =>
    status?.conditions?.some((one) => one.type === type && one.status === 'True') ?? false;
  const idle = spec?.suspend === true || metadata.deletionTimestamp !== undefined;
  const generation = Number(metadata.annotations?.[GENERATION_ANNOTATION]);
  const owner = metadata.ownerReferences?.find(({ kind }) => kind === 'ScaledJob');
  return {
    uid: metadata.uid,
    name: metadata.name,
    scaledJob,
    ownerUid: owner?.uid ?? null,
    generation: Number.isInteger(generation) ? generation : null,
    phase: has('Complete') ? 'complete' : has('Failed') ? 'failed' : idle ? 'idle' : 'active',
  };
}

/** The pod, or undefined when it has ended. */
export function projectPod({ metadata, spec, status }: Pod): PodInfo | undefined {
  if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return undefined;
  const job = metadata.ownerReferences?.find(({ kind }) => kind === 'Job');
  return {
    uid: metadata.uid,
    job: job?.name ?? null,
    scaledJob: scaledJobOf(metadata),
    node: spec.nodeName || null,
  };
}
