import { PatchStrategy, setHeaderOptions, type V1Job } from '@kubernetes/client-node';
import { ANALYZER_APPS, NAMESPACES, queuedAnalyzerName } from '../../../components/plan';
import type { EstateCluster } from './cluster';

/** Names of the ten ScaledJobs. */
export const SCALED_JOBS = ANALYZER_APPS.map((_, index) => queuedAnalyzerName(index));
export const POSTURE: string = NAMESPACES.posture;
export const SCALED_JOB_LABEL = 'scaledjob.keda.sh/name';
const GENERATION = 'scaledjob.keda.sh/generation';
const RESOURCE = {
  group: 'keda.sh',
  version: 'v1alpha1',
  namespace: POSTURE,
  plural: 'scaledjobs',
} as const;

/** A ScaledJob, as far as the tests read it. */
interface ScaledJobObject {
  readonly metadata: { readonly name: string; readonly generation: number };
}

/** The present generation of each ScaledJob. */
export async function generations(cluster: EstateCluster): Promise<Map<string, number>> {
  const { items } = (await cluster.custom.listNamespacedCustomObject(RESOURCE)) as {
    items: ScaledJobObject[];
  };
  return new Map(items.map(({ metadata }) => [metadata.name, metadata.generation]));
}

let changes = 0;

/** Changes ScaledJobs by an annotation of their pods, so that each runs once more. */
export async function changeScaledJobs(
  cluster: EstateCluster,
  names: readonly string[],
): Promise<void> {
  changes += 1;
  const annotations = { 'test/run': `${Date.now()}-${changes}` };
  const body = { spec: { jobTargetRef: { template: { metadata: { annotations } } } } };
  const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
  for (const name of names)
    await cluster.custom.patchNamespacedCustomObject({ ...RESOURCE, name, body }, merge);
}

/** The Jobs that KEDA made for the present generation of some ScaledJobs. */
export async function presentJobs(
  cluster: EstateCluster,
  names: readonly string[] = SCALED_JOBS,
): Promise<V1Job[]> {
  const [current, { items }] = await Promise.all([
    generations(cluster),
    cluster.batch.listNamespacedJob({ namespace: POSTURE, labelSelector: SCALED_JOB_LABEL }),
  ]);
  return items.filter(({ metadata }) => {
    const name = metadata?.labels?.[SCALED_JOB_LABEL] ?? '';
    return (
      names.includes(name) &&
      metadata?.annotations?.[GENERATION] === String(current.get(name) ?? 'none')
    );
  });
}

export const isComplete = ({ status }: V1Job): boolean =>
  (status?.conditions ?? []).some((one) => one.type === 'Complete' && one.status === 'True');

/** Names of the ScaledJobs of Jobs, sorted. */
export const ownersOf = (jobs: readonly V1Job[]): string[] =>
  jobs.map(({ metadata }) => metadata?.labels?.[SCALED_JOB_LABEL] ?? '').sort();
