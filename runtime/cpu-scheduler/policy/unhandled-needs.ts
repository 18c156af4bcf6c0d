import type { PodSpec } from '../../shared/kubernetes/types';
import { HOSTNAME } from './filters/own-anti-affinity';

/** Volumes that every node can give: nothing about them depends on where the pod runs. */
const FREE_VOLUMES = new Set([
  'name',
  'configMap',
  'downwardAPI',
  'emptyDir',
  'gitRepo',
  'hostPath',
  'image',
  'nfs',
  'projected',
  'secret',
]);

/**
 * What a pod needs that this scheduler does not handle, in words that name the field. Such a pod is never bound.
 * Preferences among these (preferred pod affinity, topology spread with ScheduleAnyway) are not needs, and ignored.
 */
export function unhandledNeeds(spec: PodSpec): string[] {
  const needs: string[] = [];
  for (const volume of spec.volumes ?? []) {
    const kind = Object.keys(volume).find((key) => !FREE_VOLUMES.has(key));
    if (kind !== undefined)
      needs.push(`volume "${volume.name}" (${kind}), which may be bound to a node`);
  }
  const { podAffinity, podAntiAffinity } = spec.affinity ?? {};
  if (podAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.length) {
    needs.push('required inter-pod affinity (spec.affinity.podAffinity)');
  }
  const wider = podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.find(
    ({ topologyKey }) => topologyKey !== HOSTNAME,
  );
  if (wider !== undefined)
    needs.push(
      `required inter-pod anti-affinity (spec.affinity.podAntiAffinity) over "${wider.topologyKey}"`,
    );
  for (const constraint of spec.topologySpreadConstraints ?? []) {
    if (constraint.whenUnsatisfiable !== 'ScheduleAnyway') {
      needs.push(`topology spread over "${constraint.topologyKey}" with DoNotSchedule`);
    }
  }
  if (spec.resourceClaims?.length) needs.push('resource claims (spec.resourceClaims)');
  return needs;
}
