import { describeChanges } from './describe';
import { objectAt, textAt } from './inputs';
import type { Inputs, PlannedStep, WorkloadChange } from './types';

const KINDS: Readonly<Record<string, string>> = {
  'kubernetes:apps/v1:Deployment': 'Deployment',
  'kubernetes:apps/v1:StatefulSet': 'StatefulSet',
  'kubernetes:apps/v1:DaemonSet': 'DaemonSet',
  'kubernetes:batch/v1:Job': 'Job',
  'kubernetes:batch/v1:CronJob': 'CronJob',
  'kubernetes:core/v1:Pod': 'Pod',
  'kubernetes:keda.sh/v1alpha1:ScaledJob': 'ScaledJob',
  'kubernetes:helm.sh/v3:Release': 'Helm release',
};

/** The kind of a workload, or undefined for what runs no pods. */
export const workloadKind = (type: string): string | undefined => KINDS[type];

type Effect = Pick<WorkloadChange, 'what' | 'podsGone'>;

/**
 * What happens to the pods of each workload that changes.
 * @param nodeCount nodes of the cluster before, for what runs one pod on each; undefined where the estate does not make
 * the nodes.
 */
export function workloadChanges(
  steps: readonly PlannedStep[],
  nodeCount: number | undefined,
): WorkloadChange[] {
  return steps.flatMap((step) => {
    const kind = workloadKind(step.type);
    const effect = kind === undefined ? undefined : effectOf(kind, step, nodeCount);
    if (kind === undefined || effect === undefined) return [];
    const why = describeChanges(step, { onlyReplacing: step.op === 'replace' });
    return [{ kind, name: step.name, urn: step.urn, ...effect, why }];
  });
}

/** Nothing where its pods are left alone. */
function effectOf(kind: string, step: PlannedStep, nodes: number | undefined): Effect | undefined {
  const pods = podCount(kind, step.old, nodes);
  switch (step.op) {
    case 'create':
    case 'import':
      return { what: 'start', podsGone: 0 };
    case 'delete':
      return { what: 'stop', podsGone: pods };
    case 'replace':
      return { what: 'restart', podsGone: pods };
    case 'update':
      return updated(kind, step, pods);
    case 'same':
    case 'read':
    case 'refresh':
      return undefined;
  }
}

function updated(kind: string, step: PlannedStep, pods: number | undefined): Effect | undefined {
  // Of an update without a property the engine knows no more than that it may come: the cluster is made anew.
  if (step.diffs.length === 0) return { what: 'unknown', podsGone: undefined };
  if (kind === 'Helm release') return { what: 'roll', podsGone: undefined };
  const touches = (prefix: string) => step.diffs.some(({ path }) => path.startsWith(prefix));
  if (kind === 'ScaledJob') {
    if (!touches('spec.jobTargetRef')) return undefined;
    const strategy = textAt(objectAt(step.new, 'spec', 'rollout'), 'strategy');
    return strategy === 'gradual'
      ? { what: 'later', podsGone: 0 }
      : { what: 'restart', podsGone: pods };
  }
  if (kind === 'CronJob') return touches('spec') ? { what: 'later', podsGone: 0 } : undefined;
  if (touches('spec.template')) {
    const strategy = textAt(objectAt(step.new, 'spec', 'strategy'), 'type');
    return { what: strategy === 'Recreate' ? 'restart' : 'roll', podsGone: pods };
  }
  if (!touches('spec.replicas')) return undefined;
  const less = (pods ?? 0) - (podCount(kind, step.new, undefined) ?? 0);
  return { what: 'scale', podsGone: Math.max(0, less) };
}

/** How many pods a workload runs at most; undefined where its inputs do not say. */
function podCount(
  kind: string,
  inputs: Inputs | undefined,
  nodes: number | undefined,
): number | undefined {
  const spec = objectAt(inputs, 'spec');
  const number = (key: string) => (typeof spec[key] === 'number' ? spec[key] : 1);
  switch (kind) {
    case 'Deployment':
    case 'StatefulSet':
      return number('replicas');
    case 'Job':
      return spec.suspend === true ? 0 : number('parallelism');
    case 'ScaledJob':
      return number('maxReplicaCount');
    case 'Pod':
      return 1;
    case 'DaemonSet':
      return nodes;
    default:
      return undefined;
  }
}
