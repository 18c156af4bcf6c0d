import { projectPod, type OnBadObject } from '../../cpu-scheduler/adapters/project';
import type { Pod } from '../../shared/kubernetes/types';
import type { ClaimState, PendingPod } from '../types';

/** What is known of a claim; undefined when there is none of this name. */
export type FindClaim = (namespace: string, name: string) => ClaimState | undefined;

/**
 * Whether a pod waits for a node: not bound, not ended, not being deleted, and its scheduler has said that there is no
 * node for it. One that no scheduler has looked at yet does not make anything grow.
 */
export function waitsForNode({ metadata, spec, status }: Pod): boolean {
  if (spec.nodeName || metadata.deletionTimestamp !== undefined) return false;
  if (status?.phase !== undefined && status.phase !== 'Pending') return false;
  if ((spec.schedulingGates ?? []).length > 0) return true;
  return (status?.conditions ?? []).some(
    ({ type, status: value }) => type === 'PodScheduled' && value === 'False',
  );
}

/** A pod that waits, with its claims and what no node can give it. */
export function projectPending(pod: Pod, findClaim: FindClaim, onBad: OnBadObject): PendingPod {
  let bad: string | undefined;
  const projected = projectPod(pod, (what, error) => {
    bad = 'requests that are no quantities';
    onBad(what, error);
  });
  const obstacles = obstaclesOf(pod);
  if (bad !== undefined) obstacles.push(bad);
  return { pod: projected, claims: claimsOf(pod, findClaim), obstacles };
}

/** What it waits for that a new node does not bring. Spreading is none: a further node may be what it lacks. */
function obstaclesOf({ spec }: Pod): string[] {
  const obstacles: string[] = [];
  const gates = spec.schedulingGates ?? [];
  if (gates.length > 0)
    obstacles.push(`scheduling gates are closed: ${gates.map(({ name }) => name).join(', ')}`);
  if (spec.resourceClaims?.length) obstacles.push('it has resource claims (spec.resourceClaims)');
  const near = spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  if (near.length > 0)
    obstacles.push(
      'it must run beside another pod (spec.affinity.podAffinity), and a new node is empty',
    );
  return obstacles;
}

function claimsOf({ metadata, spec }: Pod, findClaim: FindClaim): ClaimState[] {
  return (spec.volumes ?? []).flatMap((volume) => {
    const name = claimName(volume, metadata.name);
    if (name === undefined) return [];
    const found = findClaim(metadata.namespace ?? '', name);
    return [found ?? { state: 'cannot-bind', name, why: 'there is no such claim' }];
  });
}

/** An ephemeral volume's claim is made for the pod, and named after both. */
function claimName(
  volume: Readonly<Record<string, unknown>> & { readonly name: string },
  pod: string,
): string | undefined {
  if (volume['ephemeral'] !== undefined) return `${pod}-${volume.name}`;
  const claim = volume['persistentVolumeClaim'];
  if (typeof claim !== 'object' || claim === null || !('claimName' in claim)) return undefined;
  return typeof claim.claimName === 'string' ? claim.claimName : undefined;
}
